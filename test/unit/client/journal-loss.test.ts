import 'fake-indexeddb/auto'
import {
  createIndexedDbStorage,
  createMemoryStorage,
  journalStores,
  journalVersion,
  openReplicaRecord,
  scrubLog,
  takeFence,
  type Marker,
  type MarkerRecord,
} from '@rejoin/client'
import type { OpenStorage, Runtime, Storage } from '@rejoin/core'
import { describe, expect, test } from 'vitest'
import { runtime } from './journal-tabs.ts'

const stores: readonly (readonly [string, OpenStorage])[] = [
  ['memory', createMemoryStorage()],
  ['IndexedDB', createIndexedDbStorage(runtime)],
]

describe.each(stores)('over %s', (engine, open) => {
  const openNamed = (name: string) => open(`${engine} ${name}`, journalVersion, journalStores)

  test('tabs that open a new store at once agree on one replica', async () => {
    const tabs = await Promise.all([1, 2, 3].map(() => openNamed('agree')))
    const records = await Promise.all(
      tabs.map(storage => openReplicaRecord(storage, markerOf(null), runtime)),
    )
    expect(new Set(records.map(record => record.id)).size).toBe(1)
    expect(records.every(record => record.evicted === null)).toBe(true)
  })

  test('a store that is opened again is the same replica', async () => {
    const first = await openReplicaRecord(await openNamed('again'), markerOf(null), runtime)
    const marker = markerOf({ replica: first.id, left: null, unsent: 3 })
    const second = await openReplicaRecord(await openNamed('again'), marker, runtime)
    expect(second).toEqual(first)
  })

  test('an empty store with a marker is a loss, which says what was on this device alone', async () => {
    const before = await openReplicaRecord(await openNamed('before'), markerOf(null), runtime)
    const marker = markerOf({ replica: before.id, left: null, unsent: 7 })
    const after = await openReplicaRecord(await openNamed('after'), marker, runtime)
    expect(after.id).not.toBe(before.id)
    expect(after.evicted?.details).toEqual({ unsent: 7 })
  })

  test('scrubbing the log leaves the store as it was', async () => {
    const storage = await openNamed('scrub')
    await openReplicaRecord(storage, markerOf(null), runtime)
    await scrubLog(storage, runtime)
    const [keys] = await storage.transact({
      stores: ['meta'],
      mode: 'readonly',
      requests: [{ op: 'getAllKeys', store: 'meta' }],
    })
    expect(keys).toEqual(['replica'])
  })

  test('a scrub that is broken off fails, and the next one leaves nothing behind', async () => {
    const storage = await openNamed('broken scrub')
    await openReplicaRecord(storage, markerOf(null), runtime)
    const breaking: Storage = {
      ...storage,
      transact: options =>
        options.requests.some(({ op }) => op === 'delete')
          ? Promise.reject(new Error('aborted'))
          : storage.transact(options),
    }
    await expect(scrubLog(breaking, runtime)).rejects.toThrow('aborted')
    await scrubLog(storage, runtime)
    const [keys] = await storage.transact({
      stores: ['meta'],
      mode: 'readonly',
      requests: [{ op: 'getAllKeys', store: 'meta' }],
    })
    expect(keys).toEqual(['replica'])
  })

  test('keys of fences that ended 30 days ago are taken away by who takes over', async () => {
    const storage = await openNamed('prune')
    let now = 0
    const clock: Runtime = { ...runtime, now: () => now }
    await takeFence(storage, 'terms', clock)
    now = 10 * 24 * 3_600_000
    await takeFence(storage, 'terms', clock)
    now = 31 * 24 * 3_600_000
    const last = await takeFence(storage, 'terms', clock)
    expect(last.term).toBe(3)
    const [keys] = await storage.transact({
      stores: ['terms'],
      mode: 'readonly',
      requests: [{ op: 'getAllKeys', store: 'terms' }],
    })
    expect(keys).toEqual([
      [1, 1],
      [2, 0],
      [2, 1],
      [3, 0],
    ])
    expect(await last.check()).toBe(true)
  })
})

function markerOf(record: MarkerRecord | null): Marker {
  return { read: () => record, write: () => {} }
}
