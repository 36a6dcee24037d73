import 'fake-indexeddb/auto'
import { createIndexedDbStorage, createMemoryStorage } from '@rejoin/client'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { runHistory, type Act } from './journal-stress.ts'
import { runtime } from './journal-tabs.ts'

const act: fc.Arbitrary<Act> = fc.record({
  tab: fc.nat(2),
  kind: fc.oneof(
    { weight: 10, arbitrary: fc.constantFrom<Act['kind']>('write', 'pull', 'pull') },
    {
      weight: 10,
      arbitrary: fc.constantFrom<Act['kind']>(
        'acknowledge',
        'delete',
        'forget',
        'read',
        'fold',
        'compact',
        'crash',
        'leave',
      ),
    },
  ),
  dice: fc.nat(1000),
})

test.each([
  ['memory', createMemoryStorage(), 400],
  ['IndexedDB', createIndexedDbStorage(runtime), 40],
])(
  'over %s all tabs and a fresh one hold every acknowledged chunk, whatever they do and whoever crashes',
  async (engine, open, numRuns) => {
    let histories = 0
    let compactions = 0
    let crashes = 0
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 20, maxLength: 60 }), async acts => {
        histories += 1
        const ended = await runHistory(open, `${engine} ${histories}`, acts)
        compactions += ended.compactions
        crashes += ended.crashes
        for (const tab of [...ended.tabs, ended.fresh]) expect(tab).toEqual(ended.expected)
        expect(ended.lostUpdates).toEqual([])
      }),
      { numRuns },
    )
    // Faults that did not happen prove nothing.
    expect(compactions).toBeGreaterThan(numRuns / 2)
    expect(crashes).toBeGreaterThan(numRuns / 4)
  },
  60_000,
)
