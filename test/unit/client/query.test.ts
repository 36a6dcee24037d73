import { collection, createSurface, type Live } from '@rejoin/client'
import { lww, set } from '@rejoin/resolve'
import * as v from 'valibot'
import { expect, test, vi } from 'vitest'
import { exchange, openReplica } from './notes-surface.ts'
import { codeOf, createReplicaCoreDouble } from './replica-core-double.ts'

const things = collection('things', {
  name: lww(v.string()),
  size: lww(v.nullish(v.number())),
  tags: set(v.string()),
  place: lww(v.optional(v.object({ x: v.number() }))),
})

function openThings() {
  const core = createReplicaCoreDouble()
  const { collections } = createSurface(core, { things })
  const rows = [
    { id: 'a', name: 'Apple', size: 3, tags: ['fruit', 'red'], place: { x: 1 } },
    { id: 'b', name: 'banana', size: 1, tags: ['fruit'] },
    { id: 'c', name: 'Carrot', size: null, tags: [] },
    { id: 'd', name: 'date', size: 2, tags: ['Fruit'] },
  ]
  for (const { id, ...input } of rows) collections.things.insert(input, { id })
  core.tick()
  return { core, things: collections.things }
}

function idsOf(live: Live<readonly { readonly id: string }[]>): string {
  return live
    .get()
    .map(({ id }) => id)
    .join('')
}

test('conditions of a query select by value and by operator', () => {
  const { things } = openThings()
  expect(idsOf(things.query())).toBe('abcd')
  expect(idsOf(things.query({ where: { name: 'banana' } }))).toBe('b')
  expect(idsOf(things.query({ where: { id: 'c' } }))).toBe('c')
  expect(idsOf(things.query({ where: { size: null } }))).toBe('c')
  expect(idsOf(things.query({ where: { size: { gt: 1 } } }))).toBe('ad')
  expect(idsOf(things.query({ where: { size: { gte: 1, lt: 3 } } }))).toBe('bd')
  expect(idsOf(things.query({ where: { size: { lte: 3 } } }))).toBe('abd')
  expect(idsOf(things.query({ where: { size: { not: 1 } } }))).toBe('acd')
  expect(idsOf(things.query({ where: { size: { in: [1, null] } } }))).toBe('bc')
  expect(idsOf(things.query({ where: { tags: { contains: 'fruit' } } }))).toBe('ab')
  expect(idsOf(things.query({ where: { tags: { search: 'FRU' } } }))).toBe('abd')
  expect(idsOf(things.query({ where: { name: { contains: 'a' } } }))).toBe('bcd')
  expect(idsOf(things.query({ where: { name: { search: 'A' } } }))).toBe('abcd')
  expect(idsOf(things.query({ where: { place: { equals: { x: 1 } } } }))).toBe('a')
  expect(idsOf(things.query({ where: { place: { in: [undefined] } } }))).toBe('bcd')
  expect(idsOf(things.query({ where: { size: { gt: 1 }, name: { search: 'd' } } }))).toBe('d')
})

test('the order is total: by kind and value, then by id, and turned around as a whole', () => {
  const { things } = openThings()
  expect(idsOf(things.query({ orderBy: 'size' }))).toBe('cbda')
  expect(idsOf(things.query({ orderBy: 'size', descending: true }))).toBe('adbc')
  expect(idsOf(things.query({ orderBy: [['size', 'desc']] }))).toBe('adbc')
  expect(idsOf(things.query({ orderBy: 'name' }))).toBe('acbd')
  expect(idsOf(things.query({ orderBy: ['place', ['name', 'desc']] }))).toBe('dbca')
  expect(idsOf(things.query({ descending: true }))).toBe('dcba')
  expect(idsOf(things.query({ orderBy: 'size', limit: 2 }))).toBe('cb')
  expect(idsOf(things.query({ limit: 0 }))).toBe('')
})

test('a query that cannot be answered as meant throws', () => {
  const { things } = openThings()
  const loose = (options: object) => () => things.query(options)
  expect(codeOf(loose({ where: { colour: 1 } }))).toBe('value-unsupported')
  expect(codeOf(loose({ where: { size: { greater: 1 } } }))).toBe('value-unsupported')
  expect(codeOf(loose({ orderBy: 'colour' }))).toBe('value-unsupported')
  expect(codeOf(loose({ limit: -1 }))).toBe('value-unsupported')
  const wrong: readonly unknown[] = [
    null,
    'name',
    { order: 'name' },
    { orderBy: { name: 'asc' } },
    { orderBy: [undefined] },
    { orderBy: [['name', 'DESC']] },
    { where: () => true },
    { where: { name: () => true } },
    { where: { name: /a/ } },
    { where: { name: { in: 'Apple' } } },
    { where: { name: { search: 5 } } },
  ]
  for (const options of wrong)
    expect(codeOf(loose(options as object)), String(options)).toBe('value-unsupported')
})

test('a query asks what stood in its options when it was made', () => {
  const { core, things } = openThings()
  const sizes = [1]
  const place = { x: 1 }
  const few = things.query({ where: { size: { in: sizes } } })
  const there = things.query({ where: { place: { equals: place } } })
  const stops = [few, there].map(query => query.subscribe(() => {}))
  sizes.push(3)
  place.x = 2
  // One that was never in the list goes, and one that is stays.
  things.delete('a')
  core.tick()
  expect(idsOf(few)).toBe('b')
  expect(idsOf(there)).toBe('')
  for (const stop of stops) stop()
})

test('a subscriber is called at once, and then after a tick that changed what it sees', () => {
  const { collections, core } = openReplica()
  const told = vi.fn<(count: number) => void>()
  const stop = collections.notes.query({ where: { color: 'red' } }).subscribe(rows => told(rows.length))
  expect(told.mock.calls).toEqual([[0]])
  collections.notes.insert({ title: 'a', color: 'red' })
  collections.notes.insert({ title: 'b', color: 'red' })
  expect(told).toHaveBeenCalledTimes(1)
  core.tick()
  expect(told.mock.calls).toEqual([[0], [2]])
  collections.notes.insert({ title: 'c', color: 'blue' })
  core.acknowledge()
  core.tick()
  expect(told).toHaveBeenCalledTimes(2)
  stop()
})

test('what this tab wrote is in the list when the call returns, with and without subscribers', () => {
  const { collections } = openReplica()
  const [idle, watched] = [collections.notes.query(), collections.notes.query()]
  const stop = watched.subscribe(() => undefined)
  collections.notes.insert({ title: 'a' })
  expect(idle.get()).toHaveLength(1)
  expect(watched.get()).toEqual(idle.get())
  stop()
})

test('the list is the same object while nothing in it changed', () => {
  const { collections, core } = openReplica()
  collections.notes.insert({ title: 'a', color: 'red' })
  const query = collections.notes.query({ where: { color: 'red' } })
  const before = query.get()
  collections.notes.insert({ title: 'b', color: 'blue' })
  core.tick()
  expect(query.get()).toBe(before)
  const stop = query.subscribe(() => undefined)
  expect(query.get()).toBe(before)
  stop()
})

test('no listener sees one live value after a change and another before it', () => {
  const { collections, core } = openReplica()
  const red = collections.notes.query({ where: { color: 'red' } })
  const blue = collections.notes.query({ where: { color: 'blue' } })
  const sums: number[] = []
  const sum = () => sums.push(red.get().length + blue.get().length)
  const stops = [red.subscribe(sum), blue.subscribe(sum)]
  const { id } = collections.notes.insert({ title: 'a', color: 'red' })
  core.tick()
  collections.notes.update(id, { color: 'blue' })
  core.tick()
  expect(sums.slice(2).every(total => total === 1)).toBe(true)
  for (const stop of stops) stop()
})

test('[W2] what arrives in one batch is told in one step', () => {
  const [alice, bob] = [openReplica(), openReplica()]
  const told = vi.fn<(count: number) => void>()
  const stop = bob.collections.notes.query().subscribe(rows => told(rows.length))
  alice.transact(tx => {
    for (let i = 0; i < 50; i++) tx.notes.insert({ title: String(i) })
  })
  exchange(alice, bob)
  expect(told.mock.calls).toEqual([[0], [50]])
  stop()
})

test('a listener that throws does not keep others from hearing', () => {
  const { collections, core } = openReplica()
  const query = collections.notes.query()
  const heard = vi.fn<(rows: readonly unknown[]) => void>()
  const caught = vi.spyOn(globalThis, 'queueMicrotask').mockImplementation(() => undefined)
  const stops = [
    query.subscribe(rows => {
      if (rows.length > 0) throw new Error('mine')
    }),
    query.subscribe(heard),
  ]
  collections.notes.insert({ title: 'a' })
  core.tick()
  expect(heard).toHaveBeenCalledTimes(2)
  expect(caught).toHaveBeenCalledTimes(1)
  caught.mockRestore()
  for (const stop of stops) stop()
})

test('a listener may write, subscribe and stop while it is told', () => {
  const { collections, core } = openReplica()
  const query = collections.notes.query()
  const late = vi.fn<(rows: readonly unknown[]) => void>()
  const first = vi.fn<(rows: readonly unknown[]) => void>()
  const stops: (() => void)[] = []
  stops.push(
    query.subscribe(rows => {
      if (rows.length !== 1) return
      collections.notes.insert({ title: 'b' })
      stops.push(query.subscribe(late))
      stops[1]?.()
    }),
    query.subscribe(first),
  )
  collections.notes.insert({ title: 'a' })
  core.tick()
  expect(late.mock.calls.map(([rows]) => rows.length)).toEqual([2])
  expect(first).toHaveBeenCalledTimes(1)
  core.tick()
  expect(late).toHaveBeenCalledTimes(1)
  for (const stop of stops) stop()
})

test('a refused write leaves the list, and what it had replaced is back', () => {
  const { collections, core } = openReplica()
  const query = collections.notes.query({ orderBy: 'color' })
  const stop = query.subscribe(() => undefined)
  const { id } = collections.notes.insert({ title: 'a', color: 'red' })
  core.acknowledge()
  collections.notes.update(id, { color: 'blue' })
  collections.notes.insert({ title: 'b', color: 'green' })
  core.tick()
  expect(query.get().map(({ color }) => color)).toEqual(['blue', 'green'])
  const refused = core.transactions[1]
  if (refused !== undefined) core.refuse(refused.id, { code: 'refused-by-rule', details: { reason: 'no' } })
  core.tick()
  expect(query.get().map(({ color }) => color)).toEqual(['green', 'red'])
  stop()
})

test('a closed surface listens to nothing any more', async () => {
  const { collections, core, close } = openReplica()
  const stop = collections.notes.query().subscribe(() => undefined)
  expect(core.listeners).toBe(1)
  stop()
  await close()
  expect(core.listeners).toBe(0)
})
