/**
 * The simulator's command: many histories from a seed on, in one topology or in all of them.
 *
 *   npm run sim -- --seed S --runs N --steps M [--topology T] [--faults F=often,...] [--jobs J]
 *   npm run sim -- --seconds T [--jobs J]    histories that nobody has run yet, for so long
 *   npm run sim -- --narrow ...              few kinds of faults, but these often, on a device or two
 *   npm run sim -- --tight ...               pages, frames and windows of two or three: what is rare elsewhere is the rule
 *   npm run sim -- --plants [--jobs J]       whether each planted bug is caught
 *   npm run sim -- --plant RULE              whether those of a rule are
 *   npm run sim -- --plant NAME --seed S ... histories with that bug
 *
 * On a finding it prints what was found, the shrunk history and how to have both again, and ends with 1. It ends with 1 too if
 * of hundreds of histories a kind of fault never happened, or a path of a rule was never taken: nothing was shown of it. It
 * ends with 2 if it is asked for what there is not.
 */
import {
  canBeTaken,
  faultNames,
  pathNames,
  shrinkHistory,
  type Fault,
  type HistoryResult,
  type Path,
} from '@rejoin/testkit'
import { orEnd } from '../arguments.ts'
import { runAgain } from './again.ts'
import { readArguments } from './arguments.ts'
import { runWorlds, type World } from './lanes.ts'
import { plants } from './plants/all.ts'
import { catchAll } from './plants/run.ts'
import { unseen } from './plants/unseen.ts'
import { topologies } from './topologies.ts'
import {
  changed,
  commandFor,
  each,
  first,
  forSeconds,
  freshSeed,
  narrowed,
  plantedFrom,
  tightened,
  worldsFrom,
} from './worlds.ts'

/** From so many on, everything must have happened. */
const enoughHistories = 200
const usualSteps = 150

const asked = orEnd(() => readArguments(process.argv.slice(2)))
const [planted] = asked.seed === undefined ? [] : asked.plants
if (asked.tight && process.env['REJOIN_TIGHT'] === undefined)
  process.exit(await runAgain(new URL('tight/hook.ts', import.meta.url), { REJOIN_TIGHT: 'yes' }))
if (planted !== undefined && process.env['REJOIN_PLANT'] === undefined)
  process.exit(await runAgain(new URL('plants/hook.ts', import.meta.url), { REJOIN_PLANT: planted.name }))
if (asked.everyPlant) {
  for (const { rule, why } of unseen) console.log(`${rule}: not planted, since ${why}`)
  process.exit((await catchAll(plants, asked.jobs)) ? 0 : 1)
}
if (planted === undefined && asked.plants.length > 0)
  process.exit((await catchAll(asked.plants, asked.jobs)) ? 0 : 1)

const seed = asked.seed ?? (asked.seconds === undefined ? 1 : freshSeed())
const isElsewhere = planted !== undefined && asked.topology === undefined
const names = asked.topology !== undefined ? [asked.topology] : isElsewhere ? [] : Object.keys(topologies)
const broad = isElsewhere ? plantedFrom(seed, planted) : worldsFrom(seed, names, asked.steps ?? usualSteps)
const narrow = asked.narrow ? each(broad, narrowed) : broad
const tight = asked.tight ? each(narrow, tightened) : narrow
const all = each(tight, world => changed(world, asked))
const worlds =
  asked.seconds === undefined
    ? first(asked.runs * Math.max(1, names.length), all)
    : forSeconds(all, asked.seconds, names.length)
const counts = new Map<Fault, number>(faultNames.map(name => [name, 0]))
const paths = new Map<Path, number>(pathNames.map(name => [name, 0]))
const begun = performance.now()
let histories = 0
let taken = 0
let events = 0
let slowest = 0

async function tell(world: World, result: HistoryResult): Promise<void> {
  histories += 1
  taken += world.steps
  events += result.events
  slowest = Math.max(slowest, result.settledMs ?? 0)
  for (const [fault, count] of Object.entries(result.counts)) {
    counts.set(fault as Fault, (counts.get(fault as Fault) ?? 0) + count)
  }
  for (const name of pathNames) paths.set(name, (paths.get(name) ?? 0) + result.paths[name])
  if (result.findings.length === 0) return
  const where = world.topology === '' ? '' : ` in ${world.topology}`
  console.log(`seed ${world.seed}${where}: ${result.findings[0]}`)
  if (!asked.brief) {
    const { options, result: least } = await shrinkHistory(world)
    console.log([...new Set(least.findings)].map(finding => `  ${finding}`).join('\n'))
    console.log(least.trace.map(line => `    ${line}`).join('\n'))
    console.log(`again:  ${commandFor(world, planted)}`)
    console.log(`shrunk: ${commandFor({ ...world, steps: options.steps }, planted, options.faults ?? {})}`)
  }
  process.exit(1)
}

await runWorlds(worlds, asked.jobs, tell)

const seconds = (performance.now() - begun) / 1000
const missing = [...counts].filter(([fault, count]) => count === 0 && names.some(name => isOn(name, fault)))
const untaken = [...paths].filter(([path, count]) => count === 0 && names.some(name => isOpen(name, path)))
console.log(`faults: ${list(counts)}`)
console.log(`paths: ${list(paths)}`)
console.log(
  `${histories} histories from seed ${seed} on, ${taken} steps, ${events} events, nothing found; all level ${slowest / 1000} s after the faults at the latest; ` +
    `${Math.round(taken / seconds)} steps/s, ${Math.round(events / seconds)} events/s`,
)
const never = [...missing, ...untaken].map(([name]) => name).join(', ')
if (never !== '' && !asked.brief) {
  console.log(`never happened, so nothing was shown of it: ${never}`)
  // Fewer are had to look into something, and need not show everything.
  if (histories >= enoughHistories) process.exit(1)
}

function list(all: ReadonlyMap<string, number>): string {
  return [...all].map(([name, count]) => `${name} ${count}`).join(', ')
}

function isOpen(name: string, path: Path): boolean {
  const topology = topologies[name]
  return topology?.faults !== undefined && canBeTaken(path, { ...topology, seed })
}

function isOn(name: string, fault: Fault): boolean {
  return topologies[name]?.faults?.[fault] !== undefined
}
