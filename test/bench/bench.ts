/**
 * `npm run bench -- W4`: workloads by name, each with its limit measured beside it in the same run. A figure is a line
 * of JSON. `--rounds N` (5 unless stated) of which medians are taken, `--short` for less of each. `--all` runs all of
 * them and writes a table and a picture into `results`.
 */
import { parseArgs } from 'node:util'
import { oneOf, orEnd, wholeNumber } from '../arguments.ts'
import type { Figure } from './figure.ts'
import { writeReport } from './report/write-report.ts'
import { live } from './workloads/w1-live.ts'
import { fanOut } from './workloads/w2-fan-out.ts'
import { idle } from './workloads/w3-idle.ts'
import { rejoining } from './workloads/w4-rejoin.ts'
import { typing } from './workloads/w4-typing.ts'
import { browserColdStart } from './workloads/w5-browser.ts'
import { coldStart } from './workloads/w5-cold-start.ts'
import { local } from './workloads/w6-local.ts'
import { acknowledged } from './workloads/w7-acknowledged.ts'
import { trace } from './workloads/w8-trace.ts'
import { bundle } from './workloads/w9-bundle.ts'
import { crowd } from './workloads/growth-crowd.ts'
import { opening } from './workloads/growth-open.ts'
import { repairing } from './workloads/growth-repair.ts'
import { resuming } from './workloads/growth-resume.ts'
import { manySpaces } from './workloads/growth-spaces.ts'
import { steady } from './workloads/growth-steady.ts'
import type { Workload } from './workloads/workload.ts'

const workloads: readonly Workload[] = [
  live,
  fanOut,
  idle,
  rejoining,
  typing,
  coldStart,
  browserColdStart,
  local,
  acknowledged,
  trace,
  bundle,
  resuming,
  opening,
  repairing,
  steady,
  manySpaces,
  crowd,
]

const { all, isShort, rounds, named } = orEnd(() => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      all: { type: 'boolean', default: false },
      short: { type: 'boolean', default: false },
      rounds: { type: 'string', default: '5' },
    },
  })
  const names = [...new Set(workloads.map(({ name }) => name))]
  return {
    all: values.all,
    isShort: values.short,
    rounds: wholeNumber('rounds', values.rounds, 1),
    named: positionals.map(name => oneOf('workload', name, names)),
  }
})
const chosen = all ? workloads : workloads.filter(({ name }) => named.includes(name))
if (chosen.length === 0) {
  console.log(workloads.map(({ name, about }) => `${name.padEnd(7)}${about}`).join('\n'))
  process.exit(0)
}
const figures: Figure[] = []
let failed = 0
for (const workload of chosen) {
  try {
    const found = await workload.run(rounds, isShort ? 'short' : 'full')
    for (const figure of found) console.log(JSON.stringify(figure))
    figures.push(...found)
  } catch (error) {
    // The others are worth their time all the same.
    failed += 1
    console.error(`${workload.name} failed:`, error)
  }
}
if (all) {
  const medians = `Medians of ${rounds} rounds${isShort ? ', less of each (`--short`)' : ''}`
  console.error(`written to ${writeReport(figures, medians)}`)
}
process.exit(failed === 0 ? 0 : 1)
