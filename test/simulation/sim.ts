/**
 * The simulator's command: many histories from a seed on, in one topology or in all of them.
 *
 *   npm run sim -- --seed S --runs N --steps M [--topology T] [--jobs J]
 *   npm run sim -- --seconds T [--jobs J]    histories that nobody has run yet, for so long
 *   npm run sim -- --narrow ...              few kinds of faults, but these often, on a device or two
 *   npm run sim -- --tight ...               pages, frames and windows of two or three: what is rare elsewhere is the rule
 *   npm run sim -- --plants [--jobs J]
 *   npm run sim -- --plant NAME
 *
 * On a finding it prints what was found, the shrunk history and how to have it again, and ends with 1. It ends with 1 too if
 * of hundreds of histories a kind of fault never happened, or a path of a rule was never taken: nothing was shown of it.
 */
import { parseArgs } from 'node:util'
import {
  canBeTaken,
  faultNames,
  pathNames,
  shrinkHistory,
  type Fault,
  type HistoryResult,
  type Path,
} from '@rejoin/testkit'
import { runWorlds, type World } from './lanes.ts'
import { plantNamed } from './plants/all.ts'
import { catchAll, catchPlant, tellOf } from './plants/run.ts'
import { topologies } from './topologies.ts'
import { runTight } from './tight/run.ts'
import { commandFor, each, first, forSeconds, freshSeed, narrowed, tightened, worldsFrom } from './worlds.ts'

/** From so many on, everything must have happened. */
const enoughHistories = 200

const { values } = parseArgs({
  options: {
    /** One that is fresh where there are seconds. */
    seed: { type: 'string' },
    runs: { type: 'string', default: '20' },
    seconds: { type: 'string' },
    steps: { type: 'string', default: '150' },
    topology: { type: 'string' },
    narrow: { type: 'boolean', default: false },
    tight: { type: 'boolean', default: false },
    /** How many histories run at a time, each on a core. */
    jobs: { type: 'string', default: '1' },
    /** Looks for one planted bug, or for all of them. */
    plant: { type: 'string' },
    plants: { type: 'boolean', default: false },
    /** The first finding alone, and nothing is shrunk. */
    brief: { type: 'boolean', default: false },
  },
})
if (values.tight && process.env['REJOIN_TIGHT'] === undefined) process.exit(await runTight())
if (values.plants) process.exit((await catchAll(Number(values.jobs))) ? 0 : 1)
if (values.plant !== undefined) {
  const plant = plantNamed(values.plant)
  const found = await catchPlant(plant)
  console.log(tellOf(plant, found))
  process.exit(found === null ? 1 : 0)
}
const seed = Number(values.seed ?? (values.seconds === undefined ? 1 : freshSeed()))
const steps = Number(values.steps)
const names = values.topology === undefined ? Object.keys(topologies) : [values.topology]
const broad = worldsFrom(seed, names, steps)
const narrow = values.narrow ? each(broad, narrowed) : broad
const all = values.tight ? each(narrow, tightened) : narrow
const worlds =
  values.seconds === undefined
    ? first(Number(values.runs) * names.length, all)
    : forSeconds(all, Number(values.seconds), names.length)
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
  console.log(`seed ${world.seed} in ${world.topology}: ${result.findings[0]}`)
  if (!values.brief) {
    const shrunk = await shrinkHistory(world)
    console.log([...new Set(shrunk.result.findings)].map(finding => `  ${finding}`).join('\n'))
    console.log(shrunk.result.trace.map(line => `    ${line}`).join('\n'))
    const { steps: least, faults } = shrunk.options
    console.log(`again: ${commandFor(world)}`)
    console.log(`shrunk: ${least} steps, faults ${JSON.stringify(faults ?? {})}`)
  }
  process.exit(1)
}

await runWorlds(worlds, Number(values.jobs), tell)

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
if (never !== '' && !values.brief) {
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
