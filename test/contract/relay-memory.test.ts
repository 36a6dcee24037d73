// What only a store in memory can do: have its disk imaged, put back, and taken over.
import {
  documentKey,
  emptyFingerprint,
  emptyRow,
  noPositions,
  type GenerationId,
  type SpaceCommit,
} from '@rejoin/core'
import { createMemoryDisk } from '@rejoin/relay'
import { expect, test } from 'vitest'

test('an image is what the disk held then, whatever is committed later', async () => {
  const disk = createDisk()
  const store = await disk.open()
  await store.commit(commitAt(1))
  const image = disk.image()
  await store.commit(commitAt(2))
  disk.restore(image)
  const restored = await disk.open()
  expect(restored.id).toBe(store.id)
  expect((await restored.feed('team', 0, 10)).map(row => row.held.position)).toEqual([1])
  await restored.commit(commitAt(3))
  disk.restore(image)
  expect((await (await disk.open()).loadSpace('team')).record?.position).toBe(1)
})

test('a store whose disk was opened anew or restored is cut off', async () => {
  const disk = createDisk()
  const dead = await disk.open()
  const store = await disk.open()
  await expect(dead.commit(commitAt(1))).rejects.toMatchObject({ code: 'storage-closed' })
  await store.commit(commitAt(1))
  disk.restore(disk.image())
  await expect(store.commit(commitAt(2))).rejects.toMatchObject({ code: 'storage-closed' })
})

test('two copies of a disk are apart, and differ in their next generation only', async () => {
  const disk = createDisk()
  await (await disk.open()).commit(commitAt(1))
  const clone = createDisk(100)
  clone.restore(disk.image())
  const [original, cloned] = [await disk.open(), await clone.open()]
  expect(cloned.id).toBe(original.id)
  expect(cloned.generation).not.toBe(original.generation)
  await cloned.commit(commitAt(2))
  expect((await original.loadSpace('team')).record?.position).toBe(1)
})

function createDisk(seed = 0) {
  let drawn = seed
  return createMemoryDisk(length => new Uint8Array(length).fill((drawn += 1)))
}

function commitAt(position: number): SpaceCommit {
  const held = { row: emptyRow, position, positions: new Map(), texts: new Map() }
  const record = {
    position,
    fingerprint: emptyFingerprint,
    frontier: noPositions,
    generation: 'generation' as GenerationId,
  }
  return {
    space: 'team',
    record: { ...record, peers: new Map() },
    rows: new Map([[documentKey('notes', `${position}`), held]]),
    texts: [],
    writers: [],
    generations: [],
  }
}
