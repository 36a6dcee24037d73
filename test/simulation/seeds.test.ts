// Histories that once found a bug. Each stays, with a sentence of what it was.
import { everyFault, runHistory, type HistoryOptions } from '@rejoin/testkit'
import { expect, test } from 'vitest'

const found: readonly (HistoryOptions & { readonly claim: string })[] = [
  {
    claim:
      '[P2] a text update of deletes alone that two relays both have does not go to and fro between them',
    seed: 339,
    steps: 100,
    relays: 2,
    faults: everyFault,
  },
  {
    claim:
      '[P4] who was spared a deleted document and is sent it when it is written anew gets its whole body, not what was typed last',
    seed: 206,
    steps: 100,
    relays: 1,
    faults: everyFault,
  },
]

test.each(found)('$claim (seed $seed)', async ({ claim: _, ...options }) => {
  const { findings, events, trace } = await runHistory(options)
  expect(findings, trace.join('\n')).toEqual([])
  expect(events, 'something goes round without end').toBeLessThan(300 * options.steps)
})
