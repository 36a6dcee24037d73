/** What a replica does for its own store: pages, forgetting, and a store that is gone or was left in disorder. */
import { createMemoryDatabase, journalStores } from '@rejoin/client'
import { documentKey, limits } from '@rejoin/core'
import { readDevice } from '@rejoin/testkit'
import { expect, it } from 'vitest'
import { createWorld, until, within, type Notes, type World } from './engine-world.ts'

const name = 'rejoin//space'

function recordsIn(world: World, store: string): number {
  return world.device.disk.image().get(name)?.stores.get(store)?.keys.length ?? 0
}

async function online(): Promise<{ world: World; alice: Notes }> {
  const world = createWorld()
  await world.relay.start()
  const alice = await world.open(world.device.openTab())
  await within(world.clock, alice.settled())
  return { world, alice }
}

/** More than what makes pages worth writing. */
async function writeMuch(world: World, alice: Notes): Promise<void> {
  for (let i = 0; i < 24; i++) alice.notes.insert({ title: 'x'.repeat(50_000), color: `${i}` })
  await within(world.clock, alice.settled())
}

it('a journal of many small chunks is folded when nothing else is to be done', async () => {
  const { world, alice } = await online()
  for (let i = 0; i < 300; i++) {
    alice.notes.insert({ title: 'a', color: `${i}` })
    await world.clock.advance(20)
  }
  await within(world.clock, alice.settled())
  expect(recordsIn(world, 'journal')).toBeGreaterThan(500)
  await until(world.clock, () => recordsIn(world, 'journal') < 100)
  const again = await world.open(world.device.openTab())
  expect(again.notes.query().get()).toHaveLength(300)
})

it('a journal that has grown is written into pages, and a tab that opens reads these', async () => {
  const { world, alice } = await online()
  await writeMuch(world, alice)
  await until(world.clock, () => recordsIn(world, 'pages') > 0)
  await until(world.clock, () => recordsIn(world, 'journal') < 5)
  const again = await world.open(world.device.openTab(), { relays: [] })
  expect(again.notes.query().get()).toHaveLength(24)
  expect(again.status.get().pending).toBe(0)
})

it('[D2] a tombstone is forgotten when nothing of it changed for T, and not a day before', async () => {
  const { world, alice } = await online()
  const gone = alice.notes.insert({ title: 'gone', color: 'amber' })
  const kept = alice.notes.insert({ title: 'kept', color: 'amber' })
  await within(world.clock, alice.settled())
  alice.notes.delete(gone.id)
  await within(world.clock, alice.settled())
  await writeMuch(world, alice)
  await until(world.clock, () => recordsIn(world, 'pages') > 0 && recordsIn(world, 'journal') < 5)
  await within(world.clock, alice.close())

  const holds = async (id: string): Promise<boolean> =>
    (await readDevice(world.device.disk, name))?.state.confirmed(documentKey('notes', id)) !== undefined
  const comeBackAfter = async (ms: number): Promise<Notes> => {
    world.shiftRelay(ms)
    world.device.skewMs += ms
    const replica = await world.open(world.device.openTab())
    await within(world.clock, replica.settled())
    await world.clock.advance(150_000)
    return replica
  }
  const day = 24 * 3_600_000
  // What was stored two days later tells that the tombstone is older than that.
  await within(world.clock, (await comeBackAfter(2 * day)).close())
  const early = await comeBackAfter(limits.tombstoneMs - day)
  expect(await holds(gone.id)).toBe(true)
  await within(world.clock, early.close())
  const late = await comeBackAfter(2 * day)
  expect(await holds(gone.id)).toBe(false)
  expect(await holds(kept.id)).toBe(true)
  // It may be written again: by another writer than the one that had written it.
  await within(world.clock, late.notes.insert({ title: 'new', color: 'b' }, { id: gone.id }).reached('relay'))
  expect(late.notes.get(gone.id)?.title).toBe('new')
  expect(late.status.get().quarantined).toBe(0)
})

it('a database that the browser dropped is told, with what it cost, and is pulled again', async () => {
  const { world, alice } = await online()
  alice.notes.insert({ title: 'on the relay', color: 'amber' })
  await within(world.clock, alice.settled())
  alice.pause()
  alice.notes.insert({ title: 'on this device alone', color: 'amber' })
  await world.clock.advance(2000)
  world.device.crash()
  world.device.disk.restore(new Map([[name, createMemoryDatabase(journalStores).image()]]))
  const again = await world.open(world.device.openTab())
  const told: unknown[] = []
  again.on('evicted', error => told.push(error))
  await within(world.clock, again.settled())
  expect(told).toMatchObject([{ code: 'storage-evicted', details: { unsent: 1 } }])
  expect(again.notes.query().get()).toHaveLength(1)
})

it('a store that was left in disorder is scrubbed once, and one that was closed is not', async () => {
  const { world, alice } = await online()
  alice.notes.insert({ title: 'a', color: 'b' })
  await within(world.clock, alice.settled())
  world.device.crash()
  const transactions = (): number => world.device.disk.counts.transactions
  const costOfOpening = async (): Promise<number> => {
    const before = transactions()
    const replica = await world.open(world.device.openTab())
    await within(world.clock, replica.settled())
    const cost = transactions() - before
    await within(world.clock, replica.close())
    return cost
  }
  const unclean = await costOfOpening()
  const clean = await costOfOpening()
  expect(unclean - clean).toBe(2)
})

it('a replica whose store does not answer opens in memory, and goes on from there', async () => {
  const world = createWorld()
  await world.relay.start()
  const tab = world.device.openTab()
  const { RejoinError } = await import('@rejoin/core')
  const alice = await world.open(tab, {
    name: 'blocked',
    ports: {
      ...tab.ports,
      openStorage: () => Promise.reject(new RejoinError('storage-blocked', { reason: 'test' }, 'blocked')),
    },
  })
  expect(alice.status.get()).toMatchObject({ persistence: 'memory', storage: 'storage-blocked' })
  await within(world.clock, alice.notes.insert({ title: 'a', color: 'b' }).reached('relay'))
  await within(world.clock, alice.close())
})
