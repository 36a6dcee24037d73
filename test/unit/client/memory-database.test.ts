/** Images of a database in memory, which share what they hold with it until it changes. */
import { createMemoryDatabase, type MemoryDatabase } from '@rejoin/client'
import { documentKey } from '@rejoin/core'
import { readDevice } from '@rejoin/testkit'
import { expect, it } from 'vitest'
import { createWorld, within } from './engine-world.ts'

const stores = [
  { name: 'one', autoIncrement: true },
  { name: 'two', autoIncrement: false },
]

function valuesIn(database: MemoryDatabase): unknown {
  const outcome = database.apply([{ op: 'getAll', store: 'one' }])
  return outcome.ok ? outcome.answers[0] : null
}

it('an image holds what there was, whatever is added, replaced, deleted or undone after it', () => {
  const database = createMemoryDatabase(stores)
  database.apply(['a', 'b', 'c'].map(value => ({ op: 'add', store: 'one', value })))
  const image = database.image()
  database.apply([{ op: 'put', store: 'one', key: 2, value: 'B' }])
  database.apply([{ op: 'delete', store: 'one', range: 1 }])
  const collided = database.apply([
    { op: 'add', store: 'one', value: 'd' },
    { op: 'add', store: 'one', key: 3, value: 'there is one already' },
  ])
  expect(collided.ok).toBe(false)
  expect(valuesIn(database)).toEqual(['B', 'c'])
  database.restore(image)
  expect(valuesIn(database)).toEqual(['a', 'b', 'c'])
  database.apply([{ op: 'add', store: 'one', value: 'd' }])
  database.restore(image)
  expect(valuesIn(database)).toEqual(['a', 'b', 'c'])
})

it('a store that has not changed is the same in the next image, and one that has is not', () => {
  const database = createMemoryDatabase(stores)
  const before = database.image()
  database.apply([{ op: 'add', store: 'one', value: 'a' }])
  const after = database.image()
  expect(after.stores.get('two')).toBe(before.stores.get('two'))
  expect(after.stores.get('one')).not.toBe(before.stores.get('one'))
})

it('a device whose disk was read before is read as it is now: with what came, and without what is gone', async () => {
  const world = createWorld()
  const name = 'rejoin//space'
  const alice = await world.open(world.device.openTab(), { relays: [] })
  const write = async (title: string): Promise<string> => {
    const { id, reached } = alice.notes.insert({ title, color: 'amber' })
    await within(world.clock, reached('local'))
    return id
  }
  const held = async (): Promise<readonly string[]> => {
    const found = await readDevice(world.device.disk, name)
    return [...(found?.state.keys() ?? [])]
  }
  const keyOf = (id: string): string => documentKey('notes', id)

  const first = keyOf(await write('first'))
  expect(await held()).toEqual([first])
  const image = world.device.image()
  const second = keyOf(await write('second'))
  const third = keyOf(await write('third'))
  expect(await held()).toEqual([first, second, third])

  const { disk, markers } = world.device.image()
  const database = disk.get(name)
  const journal = database?.stores.get('journal')
  if (database === undefined || journal === undefined) throw new Error('there is no journal')
  const keep = (_: unknown, i: number): boolean => i !== journal.keys.length - 2
  const holed = { ...journal, keys: journal.keys.filter(keep), values: journal.values.filter(keep) }
  world.device.restore({
    disk: new Map([[name, { stores: new Map(database.stores).set('journal', holed) }]]),
    markers,
  })
  expect(await held()).toEqual([first, third])
  world.device.restore(image)
  expect(await held()).toEqual([first])
})
