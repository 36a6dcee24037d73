// Whole clusters of the real client and the real kernel, each from its seed, against a log that knows only what people
// wrote and were told. What a check promises is in packages/testkit/docs/testkit.md.
import { everyFault, faultNames, runHistory, type Fault, type HistoryResult } from '@rejoin/testkit'
import { expect, test } from 'vitest'
import { topologies, type Topology } from './topologies.ts'

const steps = 100

test.each([
  { world: 'a relay', relays: 1, from: 1 },
  { world: 'two relays that are peers', relays: 2, from: 101 },
])(
  '[V1-V4 V6-V8 V10 V12 V15] with $world every promise holds while nothing goes wrong',
  async ({ relays, from }) => {
    for (const { writes, acknowledged, counts, paths } of await runSome({ relays }, from, 5)) {
      expect(acknowledged).toBeGreaterThan(writes / 2)
      expect(Object.values(counts).every(count => count === 0)).toBe(true)
      // Nothing is given, joined, made anew or refused but where something went wrong.
      expect([paths.join, paths.give, paths.repaired, paths['refused-by-rule'], paths.remade]).toEqual([
        0, 0, 0, 0, 0,
      ])
    }
  },
)

test.each(Object.entries(topologies).filter(([, { faults }]) => faults !== undefined))(
  '[V1-V4 V6-V10 V12 V13 V15] in the topology %s every promise holds whatever goes wrong',
  async (name, topology) => {
    const results = await runSome(topology, 201, name === 'one' || name === 'peers' ? 6 : 2)
    for (const { acknowledged } of results) expect(acknowledged).toBeGreaterThan(0)
    if (name === 'followers-sync') expect(results.some(({ atQuorum }) => atQuorum > 0)).toBe(true)
  },
)

test.each(faultNames)('every promise holds when of all faults there is %s alone', async name => {
  const happened = (await untilItHappens(name)).reduce((sum, { counts }) => sum + counts[name], 0)
  expect(happened, `${name} never happened, so nothing was shown of it`).toBeGreaterThan(0)
})

async function runSome(topology: Topology, from: number, seeds: number): Promise<readonly HistoryResult[]> {
  const results: HistoryResult[] = []
  for (let seed = from; seed < from + seeds; seed++) results.push(await run(topology, seed, steps))
  return results
}

/** Some need several seeds: they prepare something that must then be met. */
async function untilItHappens(name: Fault): Promise<readonly HistoryResult[]> {
  const often = Math.min(1, Math.max(0.1, everyFault[name]))
  const results: HistoryResult[] = []
  for (let seed = 401; seed < 411; seed++) {
    const result = await run({ relays: 2, faults: { [name]: often } }, seed, 25)
    results.push(result)
    if (result.counts[name] > 0) break
  }
  return results
}

async function run(topology: Topology, seed: number, steps: number): Promise<HistoryResult> {
  const result = await runHistory({ ...topology, seed, steps })
  expect(result.findings, told(result)).toEqual([])
  return result
}

/** What is needed to have the history again, and how it went. */
function told({ seed, trace }: HistoryResult): string {
  return `the history of seed ${seed}:\n  ${trace.join('\n  ')}\n`
}
