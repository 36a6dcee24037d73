// A store in a file leaves to its log what changes, and settles that later: nobody who reads it can tell, at any time.
import { rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { documentKey } from '@rejoin/core'
import { sqlite } from '@rejoin/relay'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import {
  step,
  createWorld,
  take,
  killed,
  commitOf,
  heldAt,
  look,
  tableOf,
  type Step,
} from './relay-log-world.ts'

test('[A1] what was committed reads as from a store in memory: before it is settled, after it, and after a kill', async () => {
  const seen = { unsettled: 0, killed: 0 }
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async steps => {
      const world = await createWorld()
      try {
        for (const one of steps) await take(world, one, seen)
        await look(world)
      } finally {
        await world.store.close()
        rmSync(world.folder, { recursive: true })
      }
    }),
    { numRuns: 100 },
  )
  // The log held something while it was read, and when its store was killed: how often is chance, and so many runs are
  // far above that.
  expect(seen.unsettled).toBeGreaterThan(50)
  expect(seen.killed).toBeGreaterThan(20)
})

test('a row that changed a hundred times is put in its place once', async () => {
  const world = await createWorld()
  onTestFinished(() => rmSync(world.folder, { recursive: true }))
  for (let n = 0; n < 100; n++)
    await take(world, { kind: 'commit', space: 'team', writer: 0, changes: [{ id: 'a', kind: 'cell' }] })
  expect(tableOf(world, 'log')).toHaveLength(99)
  expect(tableOf(world, 'rows').map(({ position }) => position)).toEqual([1])
  expect(tableOf(world, 'writers').map(({ position }) => position)).toEqual([1])
  await world.clock.advance(5000)
  expect(tableOf(world, 'log')).toEqual([])
  for (const table of ['rows', 'writers', 'spaces'])
    expect(tableOf(world, table).map(({ position }) => position)).toEqual([100])
  // Of what is settled nothing is left to do.
  expect(await world.clock.step()).toBe(false)
  await world.store.close()
})

test('what cannot be settled stays in the log, is read as it is, and is settled when it can be', async () => {
  const world = await createWorld()
  onTestFinished(() => rmSync(world.folder, { recursive: true }))
  const edit: Step = { kind: 'commit', space: 'team', writer: 0, changes: [{ id: 'a', kind: 'cell' }] }
  for (let n = 0; n < 3; n++) await take(world, edit)
  const other = new DatabaseSync(world.path)
  other.exec('begin immediate')
  await world.clock.advance(5000)
  other.exec('rollback')
  other.close()
  expect(tableOf(world, 'log')).toHaveLength(2)
  await look(world)
  await take(world, edit)
  await world.clock.advance(10_000)
  expect(tableOf(world, 'log')).toEqual([])
  await look(world)
  await world.store.close()
  // Nobody is called for a store that is closed.
  expect(await world.clock.step()).toBe(false)
})

test('the log has room for so many rows, and for no large ones: all others are put in their places', async () => {
  const world = await createWorld()
  onTestFinished(() => rmSync(world.folder, { recursive: true }))
  const { store } = world
  const keys = Array.from({ length: 4200 }, (_, i) => documentKey('notes', `n${i}`))
  const large = documentKey('notes', 'large')
  const commitAll = async (position: number): Promise<void> => {
    await store.rows('team', [...keys, large])
    const rows = keys.map(key => [key, heldAt(position, 10)] as const)
    await store.commit(commitOf('team', position, new Map([[large, heldAt(position, 5000)], ...rows])))
  }
  await commitAll(1)
  await commitAll(2)
  const placed = tableOf(world, 'rows').filter(({ position }) => position === 2)
  expect(placed).toHaveLength(1 + 4200 - 4096)
  expect(placed.map(({ id }) => id)).toContain('large')
  const feed = await store.feed('team', 1, 5000)
  expect(new Set(feed.map(({ key }) => key))).toEqual(new Set([...keys, large]))
  await store.close()
})

test('many rows are settled some at a time; what comes meanwhile, and who is killed in between, find all of them', async () => {
  const world = await createWorld()
  onTestFinished(() => rmSync(world.folder, { recursive: true }))
  const keys = Array.from({ length: 2500 }, (_, i) => documentKey('notes', `n${i}`))
  const placed = (position: number): number =>
    tableOf(world, 'rows').filter(row => row.position === position).length
  for (const position of [1, 2]) {
    await world.store.rows('team', keys)
    const rows = new Map(keys.map(key => [key, heldAt(position, 10)]))
    await world.store.commit(commitOf('team', position, rows))
  }
  while (placed(2) === 0) expect(await world.clock.step()).toBe(true)
  expect(placed(2)).toBe(1024)
  const [first, last] = [keys.slice(0, 1), keys.slice(-1)]
  for (const some of [first, last]) {
    await world.store.rows('team', some)
    const rows = new Map(some.map(key => [key, heldAt(some === first ? 3 : 4, 10)]))
    await world.store.commit(commitOf('team', some === first ? 3 : 4, rows))
  }
  const path = killed(world)
  await world.clock.advance(5000)
  expect(tableOf(world, 'log')).toEqual([])
  expect([placed(2), placed(3), placed(4)]).toEqual([2498, 1, 1])
  await world.store.close()
  world.store = await world.open((world.path = path))
  expect(tableOf(world, 'log')).toEqual([])
  expect([placed(2), placed(3), placed(4)]).toEqual([2498, 1, 1])
  expect((await world.store.loadSpace('team')).record?.position).toBe(4)
  await world.store.close()
})

test('a store that is full when it opens leaves to the log what that has, and is read all the same', async () => {
  const world = await createWorld()
  onTestFinished(() => rmSync(world.folder, { recursive: true }))
  const keys = Array.from({ length: 100 }, (_, i) => documentKey('notes', `n${i}`))
  for (const position of [1, 2]) {
    await world.store.rows('team', keys)
    const rows = new Map(keys.map(key => [key, heldAt(position, position === 1 ? 10 : 3000)]))
    await world.store.commit(commitOf('team', position, rows))
  }
  expect(tableOf(world, 'log')).toHaveLength(1)
  const path = killed(world)
  const { runtime } = world
  const full = await sqlite(path, { runtime, fileBytesMax: 1 })()
  expect((await full.loadSpace('team')).record?.position).toBe(2)
  expect([...(await full.rows('team', keys)).values()].map(({ position }) => position)).toEqual(
    keys.map(() => 2),
  )
  await full.close()
  const roomy = await world.open(path)
  expect((await roomy.feed('team', 1, 1000)).length).toBe(100)
  await roomy.close()
  await world.store.close()
})

test('in a file that cannot grow, what the log took is room for what it held', async () => {
  const world = await createWorld()
  onTestFinished(() => rmSync(world.folder, { recursive: true }))
  const keys = Array.from({ length: 20 }, (_, i) => documentKey('notes', `n${i}`))
  for (const position of [1, 2, 3, 4, 5]) {
    await world.store.rows('team', keys)
    const rows = new Map(keys.map(key => [key, heldAt(position, position === 1 ? 10 : 3000)]))
    await world.store.commit(commitOf('team', position, rows))
  }
  world.path = killed(world)
  expect(tableOf(world, 'log')).toHaveLength(4)
  const { runtime } = world
  const full = await sqlite(world.path, { runtime, fileBytesMax: 1 })()
  expect(tableOf(world, 'log')).toEqual([])
  expect(await full.feed('team', 4, 100)).toHaveLength(20)
  await full.close()
  await world.store.close()
})

test('[A1] what cannot be settled, though the disk is neither full nor locked, ends the commits and not the disk', async () => {
  const world = await createWorld()
  onTestFinished(() => rmSync(world.folder, { recursive: true }))
  const { store } = world
  const keys = Array.from({ length: 200 }, (_, i) => documentKey('notes', `n${i}`))
  const commitAll = async (position: number): Promise<void> => {
    await store.rows('team', keys)
    await store.commit(commitOf('team', position, new Map(keys.map(key => [key, heldAt(position, 3000)]))))
  }
  await commitAll(1)
  await commitAll(2)
  const other = new DatabaseSync(world.path)
  other.exec("create trigger broken before update on rows begin select raise(abort, 'broken'); end")
  await commitAll(3)
  await expect(commitAll(4)).rejects.toMatchObject({ code: 'storage-closed' })
  expect(tableOf(world, 'log').map(({ position }) => position)).toEqual([2, 3])
  expect((await store.loadSpace('team')).record?.position).toBe(3)
  other.exec('drop trigger broken')
  other.close()
  await world.clock.advance(10_000)
  expect(tableOf(world, 'log')).toEqual([])
  await commitAll(4)
  expect(await store.feed('team', 3, 1000)).toHaveLength(200)
  await store.close()
})

test('a file of a relay that knew no log is taken over as it is', async () => {
  const world = await createWorld()
  onTestFinished(() => rmSync(world.folder, { recursive: true }))
  await take(world, { kind: 'commit', space: 'team', writer: 0, changes: [{ id: 'a', kind: 'both' }] })
  await world.store.close()
  const older = new DatabaseSync(world.path)
  older.exec('drop table log; update store set version = 1')
  older.close()
  world.store = await world.open(world.path)
  await look(world)
  await take(world, { kind: 'commit', space: 'team', writer: 0, changes: [{ id: 'a', kind: 'cell' }] })
  await look(world)
  await world.store.close()
})
