// The journal's random histories once more over a real database of a real browser, and what only a browser shows.
import {
  createIndexedDbStorage,
  createLocalMarker,
  openReplicaRecord,
  scrubLog,
  journalStores,
  journalVersion,
} from '@rejoin/client'
import { expect, test } from 'vitest'
import { runHistory, type Act } from '../unit/client/journal-stress.ts'
import { runtime } from '../unit/client/journal-tabs.ts'

const open = createIndexedDbStorage(runtime)
const kinds: readonly Act['kind'][] = [
  ...(['write', 'write', 'write', 'pull', 'pull', 'pull', 'acknowledge', 'acknowledge'] as const),
  ...(['delete', 'forget', 'read', 'fold', 'compact', 'crash', 'leave'] as const),
]

test('in a browser all tabs and a fresh one hold every acknowledged chunk, whatever they do and whoever crashes', async () => {
  let compactions = 0
  let crashes = 0
  for (let seed = 1; seed <= 15; seed++) {
    const ended = await runHistory(open, `history ${crypto.randomUUID()}`, randomActs(seed, 60))
    compactions += ended.compactions
    crashes += ended.crashes
    for (const tab of [...ended.tabs, ended.fresh]) expect(tab, `seed ${seed}`).toEqual(ended.expected)
    expect(ended.lostUpdates, `seed ${seed}`).toEqual([])
  }
  expect(compactions).toBeGreaterThan(10)
  expect(crashes).toBeGreaterThan(5)
})

test('a marker outlives a database that was dropped, and the log is scrubbed in a moment', async () => {
  const name = `lost ${crypto.randomUUID()}`
  const marker = createLocalMarker(name)
  expect(marker.read()).toBe(null)
  const storage = await open(name, journalVersion, journalStores)
  const first = await openReplicaRecord(storage, marker, runtime)
  marker.write({ replica: first.id, left: null, unsent: 2 })
  const begun = performance.now()
  await scrubLog(storage, runtime)
  expect(performance.now() - begun).toBeLessThan(5000)

  const lost: string[] = []
  storage.onLost(reason => lost.push(reason))
  await new Promise<void>((resolve, reject) => {
    const deleting = indexedDB.deleteDatabase(name)
    deleting.onsuccess = () => resolve()
    deleting.onerror = () => reject(deleting.error)
  })
  expect(lost.length).toBe(1)
  const second = await openReplicaRecord(await open(name, journalVersion, journalStores), marker, runtime)
  expect(second.id).not.toBe(first.id)
  expect(second.evicted?.details).toEqual({ unsent: 2 })
})

/** A small generator, so that a failure is replayed by its seed. */
function randomActs(seed: number, length: number): readonly Act[] {
  let state = seed * 2_654_435_761
  const next = (below: number): number => {
    state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + 3_266_489_917) | 0
    return ((state >>> 8) & 0xffff) % below
  }
  return Array.from({ length }, () => ({
    tab: next(3),
    kind: kinds[next(kinds.length)] ?? 'read',
    dice: next(1000),
  }))
}
