/** Which tab of a device has the connection, and what the others know of it. */
import type { Locks } from '@rejoin/core'
import { expect, it } from 'vitest'
import { createWorld, until, within, type Notes, type World } from './engine-world.ts'

async function openedWorld(): Promise<World> {
  const world = createWorld()
  await world.relay.start()
  return world
}

function note(replica: Notes, title: string) {
  return replica.notes.insert({ title, color: 'amber' })
}

/** How many links were opened so far: each is one tab's. */
function links(world: World): number {
  return world.network.counts.opened
}

it('of three tabs one has the connection, and all of them know how it is', async () => {
  const world = await openedWorld()
  const tabs: Notes[] = []
  for (let i = 0; i < 3; i++) tabs.push(await world.open(world.device.openTab()))
  await until(world.clock, () => tabs.every(tab => tab.status.get().synced))
  expect(links(world)).toBe(1)
  expect(tabs.map(tab => tab.status.get().user)).toEqual(['alice', 'alice', 'alice'])
  world.relay.crash()
  await until(world.clock, () => tabs.every(tab => tab.status.get().connection !== 'online'))
  await world.relay.start()
  await until(world.clock, () => tabs.every(tab => tab.status.get().synced))
})

it('a tab that is alone tells nobody what its connection does with each write, and whoever comes is told at once', async () => {
  const world = await openedWorld()
  const { ports } = world.device.openTab()
  let posts = 0
  const first = await world.open(world.device.openTab(), {
    ports: {
      ...ports,
      openChannel(name, hear) {
        const channel = ports.openChannel(name, hear)
        return {
          ...channel,
          post(message) {
            if (name.endsWith('tabs')) posts += 1
            channel.post(message)
          },
        }
      },
    },
  })
  await until(world.clock, () => first.status.get().synced)
  const bob = await world.open(world.another('bob').openTab())
  await within(world.clock, bob.settled())
  const before = posts
  for (let i = 1; i <= 10; i++) {
    note(bob, `note ${i}`)
    await until(world.clock, () => first.notes.query().get().length === i, 1000)
  }
  // It beats, for whoever may be there after all.
  expect(posts - before).toBeLessThan(5)
  const second = await world.open(world.device.openTab())
  await until(world.clock, () => second.status.get().synced, 1000)
  world.relay.crash()
  await until(world.clock, () => second.status.get().connection !== 'online', 1000)
})

it('a tab that dies hands over to the next in line', async () => {
  const world = await openedWorld()
  const first = world.device.openTab()
  await world.open(first)
  const second = await world.open(world.device.openTab())
  await until(world.clock, () => second.status.get().synced)
  first.scope.kill()
  const written = note(second, 'after')
  await within(world.clock, written.reached('relay'))
  expect(links(world)).toBe(2)
})

it('a tab that froze while it had the connection is taken over within ten seconds, and its fence holds it off', async () => {
  const world = await openedWorld()
  const first = world.device.openTab()
  const frozen = await world.open(first)
  const second = await world.open(world.device.openTab())
  await until(world.clock, () => second.status.get().synced)
  first.scope.freeze()
  const written = note(second, 'meanwhile')
  const waited = await until(world.clock, () => links(world) === 2, 20_000)
  expect(waited).toBeGreaterThan(6000)
  expect(waited).toBeLessThan(10_500)
  await within(world.clock, written.reached('relay'))
  first.scope.thaw()
  // What it says of itself until then is what was so before it froze.
  await until(world.clock, () => frozen.notes.query().get().length === 1)
  await until(world.clock, () => frozen.status.get().synced)
  // The one that woke waits in line: it has the connection again only when the other lets go.
  await world.clock.advance(30_000)
  expect(links(world)).toBe(2)
  await within(world.clock, second.close())
  await until(world.clock, () => links(world) === 3)
})

it('a tab that sleeps with its device does not take its own sleep for the silence of another', async () => {
  const world = await openedWorld()
  const first = world.device.openTab()
  await world.open(first)
  const second = world.device.openTab()
  const waiting = await world.open(second)
  await until(world.clock, () => waiting.status.get().synced)
  first.scope.freeze()
  second.scope.freeze()
  await world.clock.advance(20_000)
  second.scope.thaw()
  first.scope.thaw()
  await world.clock.advance(20_000)
  await until(world.clock, () => waiting.status.get().synced)
  await first.scope.kill()
  await until(world.clock, () => waiting.status.get().synced)
})

it('two that take each other for dead do not take turns more than once a minute', async () => {
  const world = await openedWorld()
  const tabs = [world.device.openTab(), world.device.openTab()]
  for (const tab of tabs) {
    // Neither hears the other.
    await world.open(tab, {
      ports: { ...tab.ports, openChannel: () => ({ post: () => {}, close: () => {} }) },
    })
  }
  await world.clock.advance(10 * 60_000)
  expect(links(world)).toBeLessThan(25)
})

it('[W6] a page that is put away lets another tab go on, and comes back with a writer of its own', async () => {
  const world = await openedWorld()
  const first = world.device.openTab()
  const away = await world.open(first)
  const second = await world.open(world.device.openTab())
  const before = note(away, 'before')
  await within(world.clock, before.reached('relay'))
  first.happen('leave')
  await within(world.clock, note(second, 'meanwhile').reached('relay'))
  expect(away.notes.query().get()).toHaveLength(1)
  first.happen('back')
  await until(world.clock, () => away.notes.query().get().length === 2)
  const after = note(away, 'after')
  await within(world.clock, after.reached('relay'))
  expect(writerOf(after.id)).not.toBe(writerOf(before.id))
  expect(links(world)).toBe(2)
})

it('a page that is put away while it opens takes no connection from another tab', async () => {
  const world = await openedWorld()
  const first = world.device.openTab()
  const { page } = first.ports
  const away = await world.open(first, {
    ports: {
      ...first.ports,
      page: {
        ...page,
        on(listener) {
          queueMicrotask(() => first.happen('leave'))
          return page.on(listener)
        },
      },
    },
  })
  expect(away.status.get().connection).toBe('offline')
  const second = await world.open(world.device.openTab())
  await until(world.clock, () => second.status.get().synced, 5000)
  first.happen('back')
  await until(world.clock, () => away.status.get().synced)
  expect(links(world)).toBe(1)
})

it('what a tab that is gone said late of being paused does not undo that the application went on since', async () => {
  const world = await openedWorld()
  const first = world.device.openTab()
  const paused = await world.open(first)
  const { ports } = world.device.openTab()
  const late: (() => void)[] = []
  const second = await world.open(world.device.openTab(), {
    ports: {
      ...ports,
      openChannel: (name, hear) =>
        ports.openChannel(name, message => {
          late.push(() => hear(message))
          hear(message)
        }),
    },
  })
  await until(world.clock, () => second.status.get().synced)
  paused.pause()
  await until(world.clock, () => second.status.get().connection === 'paused')
  await world.clock.advance(3000)
  first.scope.kill()
  second.resume()
  for (const again of [...late]) again()
  await until(world.clock, () => second.status.get().synced)
})

it('where the browser refuses its locks, the fence parts the tabs and all of them go on', async () => {
  const world = await openedWorld()
  const locks: Locks = {
    request: () => ({ done: Promise.reject(new Error('not for this page')), cancel: () => {} }),
  }
  const tabs: Notes[] = []
  for (let i = 0; i < 2; i++) {
    const tab = world.device.openTab()
    tabs.push(await world.open(tab, { ports: { ...tab.ports, locks } }))
  }
  for (const [i, tab] of tabs.entries()) await within(world.clock, note(tab, `tab ${i}`).reached('relay'))
  await world.clock.advance(60_000)
  expect(links(world)).toBeLessThan(10)
  await until(world.clock, () => tabs.every(tab => tab.notes.query().get().length === 2))
})

it('a write of a tab without the connection keeps its promise, whoever has it', async () => {
  const world = await openedWorld()
  await world.open(world.device.openTab())
  const second = await world.open(world.device.openTab())
  const written = Array.from({ length: 50 }, (_, i) => note(second, `note ${i}`))
  await within(world.clock, Promise.all(written.map(one => one.reached('relay'))))
  await within(world.clock, second.settled())
  const bob = await world.open(world.another('bob').openTab())
  await within(world.clock, bob.settled())
  expect(bob.notes.query().get()).toHaveLength(50)
})

function writerOf(id: string): string {
  return id.slice(0, 11)
}
