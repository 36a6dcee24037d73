// Whole clusters of the real client and the real kernel, each from its seed, against a log that knows only what people
// wrote and were told. What a check promises is in packages/testkit/docs/testkit.md.
import { everyFault, faultNames, runHistory, type HistoryResult } from '@rejoin/testkit'
import { expect, test } from 'vitest'

const seeds = 10
const steps = 100

test.each([
  { world: 'a relay', relays: 1, from: 1 },
  { world: 'two relays that are peers', relays: 2, from: 101 },
])('[V1 V2 V3 V4 V8 V10 V15] with $world every promise holds while nothing goes wrong', async options => {
  const results = await runAll(options)
  for (const { writes, acknowledged, counts } of results) {
    expect(acknowledged).toBeGreaterThan(writes / 2)
    expect(Object.values(counts).every(count => count === 0)).toBe(true)
  }
})

test('[V1-V4 V6 V8-V10 V15] with a relay and with two that are peers every promise holds whatever goes wrong', async () => {
  const results = [
    ...(await runAll({ relays: 1, from: 201, faults: everyFault })),
    ...(await runAll({ relays: 2, from: 308, faults: everyFault })),
  ]
  for (const name of faultNames) {
    const happened = results.reduce((sum, { counts }) => sum + counts[name], 0)
    expect(happened, `${name} never happened, so nothing was shown of it`).toBeGreaterThan(0)
  }
  expect(results.some(({ refused }) => refused > 0)).toBe(true)
  for (const { acknowledged } of results) expect(acknowledged).toBeGreaterThan(0)
})

async function runAll(options: {
  readonly relays: number
  readonly from: number
  readonly faults?: typeof everyFault
}): Promise<readonly HistoryResult[]> {
  const { relays, from, faults } = options
  const results: HistoryResult[] = []
  for (let seed = from; seed < from + seeds; seed++) {
    const result = await runHistory({ seed, steps, relays, faults })
    expect(result.findings, told(result)).toEqual([])
    results.push(result)
  }
  return results
}

/** What is needed to have the history again, and how it went. */
function told({ seed, trace }: HistoryResult): string {
  return `the history of seed ${seed}:\n  ${trace.join('\n  ')}\n`
}
