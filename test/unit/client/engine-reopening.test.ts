/** A connection to the store that the browser closes by itself: it is opened again, and nothing is lost meanwhile. */
import { createMemoryDatabase, journalStores } from '@rejoin/client'
import { RejoinError, type OpenStorage, type Storage, type StorageLoss } from '@rejoin/core'
import type { SimulatedTab } from '@rejoin/testkit'
import { expect, it } from 'vitest'
import { createWorld, until, within, type World } from './engine-world.ts'

const name = 'rejoin//space'

interface Closing {
  readonly tab: SimulatedTab
  /** The browser closes all connections of the tab; what is in flight is told to be aborted. */
  close(): void
  /** Whether the browser opens databases. */
  mayOpen: boolean
  readonly openings: number
  /** What was in flight as it was closed came to the disk all the same. */
  landsAll: boolean
}

function closing(world: World): Closing {
  const tab = world.device.openTab()
  const open = new Set<() => void>()
  const refused = (): RejoinError => new RejoinError('storage-closed', { reason: 'closed' }, 'it is closed')

  const openStorage: OpenStorage = async (...of) => {
    if (of[0] === name) made.openings += 1
    if (!made.mayOpen) throw refused()
    const storage = await tab.ports.openStorage(...of)
    const listeners = new Set<(loss: StorageLoss) => void>()
    const flying = new Set<() => void>()
    let isClosed = false
    const close = (): void => {
      isClosed = true
      open.delete(close)
      for (const listener of [...listeners]) listener('closed')
      for (const abort of [...flying]) abort()
      if (!made.landsAll) storage.close()
    }
    open.add(close)
    const transact: Storage['transact'] = options =>
      new Promise((resolve, reject) => {
        if (isClosed) return reject(refused())
        const abort = (): void => reject(refused())
        flying.add(abort)
        storage
          .transact(options)
          .then(resolve, reject)
          .finally(() => flying.delete(abort))
      })
    return {
      ...storage,
      transact,
      onLost(listener) {
        listeners.add(listener)
        return () => void listeners.delete(listener)
      },
    }
  }
  const made = {
    tab: { ...tab, ports: { ...tab.ports, openStorage } },
    close: () => [...open].forEach(close => close()),
    mayOpen: true,
    openings: 0,
    landsAll: false,
  }
  return made
}

const titlesOf = (replica: Awaited<ReturnType<World['open']>>): readonly string[] =>
  replica.notes
    .query()
    .get()
    .map(({ title }) => title)
    .sort()

it('[W1] a connection that the browser closed is opened again at once, and nobody notices', async () => {
  const world = createWorld()
  await world.relay.start()
  const browser = closing(world)
  const alice = await world.open(browser.tab)
  await within(world.clock, alice.notes.insert({ title: 'before', color: 'amber' }).reached('relay'))
  browser.close()
  await within(world.clock, alice.notes.insert({ title: 'after', color: 'amber' }).reached('relay'), 5000)
  await until(world.clock, () => alice.status.get().synced, 5000)
  expect(alice.status.get().storage).toBeUndefined()
  expect(browser.openings).toBe(2)
  const bob = await world.open(world.another('bob').openTab())
  await within(world.clock, bob.settled())
  expect(titlesOf(bob)).toEqual(['after', 'before'])
})

it('[W1, A2] while it cannot be opened again that is said, what is written is not saved, and another tab has the connection', async () => {
  const world = createWorld()
  await world.relay.start()
  const browser = closing(world)
  const alice = await world.open(browser.tab)
  await within(world.clock, alice.settled())
  const other = await world.open(world.device.openTab())
  const unsaved: unknown[] = []
  alice.on('unsaved', told => unsaved.push(told))
  browser.mayOpen = false
  browser.close()
  const written = alice.notes.insert({ title: 'meanwhile', color: 'amber' })
  await world.clock.advance(1000)
  expect(alice.status.get()).toMatchObject({ connection: 'offline', storage: 'storage-closed', unsaved: 1 })
  await within(world.clock, other.notes.insert({ title: 'of the other tab', color: 'a' }).reached('relay'))
  await world.clock.advance(300_000)
  expect(browser.openings).toBeLessThan(60)
  expect(alice.status.get().unsaved).toBe(1)
  browser.mayOpen = true
  // Who looks at it again does not wait for the next try.
  browser.tab.happen('visible')
  await within(world.clock, written.reached('relay'), 5000)
  await until(world.clock, () => alice.status.get().synced, 5000)
  expect(alice.status.get()).toMatchObject({ unsaved: 0, storage: undefined })
  expect(titlesOf(alice)).toEqual(['meanwhile', 'of the other tab'])
  expect(unsaved).toEqual([])
})

it('a connection that is closed again and again is not opened as often', async () => {
  const world = createWorld()
  await world.relay.start()
  const browser = closing(world)
  const alice = await world.open(browser.tab)
  await within(world.clock, alice.settled())
  for (let at = 0; at < 60_000; at += 100) {
    browser.close()
    await world.clock.advance(100)
  }
  expect(browser.openings).toBeLessThan(30)
  await until(world.clock, () => alice.status.get().synced, 60_000)
})

it('[W1] what came to the disk although it was said to be aborted is there once', async () => {
  const world = createWorld()
  const browser = closing(world)
  const alice = await world.open(browser.tab, { relays: [] })
  await world.clock.advance(1000)
  const chunks = (): number => world.device.disk.image().get(name)?.stores.get('journal')?.keys.length ?? 0
  const before = chunks()
  browser.landsAll = true
  const written = alice.notes.insert({ title: 'landed', color: 'amber' })
  await Promise.resolve()
  await Promise.resolve()
  browser.close()
  await within(world.clock, written.reached('local'), 5000)
  await until(world.clock, () => alice.status.get().storage === undefined, 5000)
  expect(chunks()).toBe(before + 1)
  expect(alice.status.get()).toMatchObject({ unsaved: 0, pending: 1 })
})

it('[A2] of a database that is another one when it is opened again that is told, and how much was on this device alone', async () => {
  const world = createWorld()
  await world.relay.start()
  const browser = closing(world)
  const alice = await world.open(browser.tab)
  await within(world.clock, alice.settled())
  alice.pause()
  await within(world.clock, alice.notes.insert({ title: 'here alone', color: 'amber' }).reached('local'))
  const told: unknown[] = []
  alice.on('evicted', ({ details }) => told.push(details))
  world.device.disk.restore(new Map([[name, createMemoryDatabase(journalStores).image()]]))
  browser.close()
  const late = alice.notes.insert({ title: 'late', color: 'amber' })
  await expect(within(world.clock, late.reached('local'))).rejects.toMatchObject({ code: 'storage-evicted' })
  expect(told).toEqual([{ unsent: 2 }])
  expect(alice.status.get()).toMatchObject({ connection: 'offline', storage: 'storage-evicted' })
  expect(titlesOf(alice)).toEqual(['here alone', 'late'])
})
