/** What closing leaves behind: nothing, in every state of the network. */
import type { ClientPorts } from '@rejoin/client'
import { RejoinError, type Connect, type Storage } from '@rejoin/core'
import { expect, it } from 'vitest'
import { createWorld, until, within, type World } from './engine-world.ts'

interface Held {
  timers: number
  listeners: number
  channels: number
  links: number
  locks: number
  storages: number
}

/** The same ports, with a count of what is held by them. */
function counted(ports: ClientPorts): { readonly ports: ClientPorts; readonly held: Held } {
  const held: Held = { timers: 0, listeners: 0, channels: 0, links: 0, locks: 0, storages: 0 }
  function once(name: keyof Held, release: () => void): () => void {
    held[name] += 1
    let isHeld = true
    return () => {
      if (isHeld) held[name] -= 1
      isHeld = false
      release()
    }
  }
  const connect: Connect = (url, events) => {
    const end = once('links', () => {})
    const giveUp = ports.connect(url, {
      opened: link =>
        events.opened({
          ...link,
          close(code, reason) {
            end()
            link.close(code, reason)
          },
        }),
      frame: events.frame,
      closed(code, reason) {
        end()
        events.closed(code, reason)
      },
    })
    return () => {
      end()
      giveUp()
    }
  }
  const counting: ClientPorts = {
    ...ports,
    connect,
    runtime: {
      ...ports.runtime,
      after(delayMs, run) {
        const end = once('timers', () => cancel())
        const cancel = ports.runtime.after(delayMs, () => {
          end()
          run()
        })
        return end
      },
    },
    page: { ...ports.page, on: listener => once('listeners', ports.page.on(listener)) },
    openChannel(name, hear) {
      const channel = ports.openChannel(name, hear)
      return { post: channel.post, close: once('channels', channel.close) }
    },
    locks: {
      request(name, options, run) {
        return ports.locks.request(name, options, got => {
          const end = once('locks', () => {})
          return run(got).finally(end)
        })
      },
    },
    async openStorage(...args) {
      const storage = await ports.openStorage(...args)
      const end = once('storages', () => storage.close())
      return { transact: storage.transact, onLost: storage.onLost, close: end }
    },
  }
  return { ports: counting, held }
}

const nothing: Held = { timers: 0, listeners: 0, channels: 0, links: 0, locks: 0, storages: 0 }

const states: Readonly<Record<string, (world: World) => Promise<{ token?: () => Promise<string> }>>> = {
  'with nobody at the address': async () => ({}),
  'while it waits for an answer to its hello': async world => {
    world.play('ws://relay', {})
    return {}
  },
  'in a back-off': async world => {
    world.play('ws://relay', { hello: end => end.close(1011) })
    return {}
  },
  'after a relay said no': async world => {
    world.play('ws://relay', { hello: end => end.close(4403) })
    return {}
  },
  'while it waits for a token': async () => ({ token: () => new Promise<string>(() => {}) }),
  online: async world => {
    await world.relay.start()
    return {}
  },
}

it.each(Object.keys(states))('%s it leaves nothing behind', async name => {
  const world = createWorld()
  const options = (await states[name]?.(world)) ?? {}
  const { ports, held } = counted(world.device.openTab().ports)
  const alice = await world.open(world.device.openTab(), { ...options, ports })
  alice.notes.insert({ title: 'a', color: 'b' })
  void alice.notes.insert({ title: 'a', color: 'b' }).reached('relay', { timeoutMs: 100_000 })
  await world.clock.advance(4000)
  expect(held.timers).toBeGreaterThan(0)
  const begun = world.time
  await within(world.clock, alice.close())
  expect(world.time - begun).toBeLessThan(2000)
  await world.clock.advance(20)
  expect(held).toEqual(nothing)
})

it('a tab that dies as soon as it is closed has freed its term, so that nothing of it is kept', async () => {
  const world = createWorld()
  await world.relay.start()
  for (let i = 0; i < 10; i++) {
    const tab = world.device.openTab()
    const alice = await world.open(tab)
    await within(world.clock, alice.settled())
    await within(
      world.clock,
      alice.close().then(() => tab.scope.kill()),
    )
    await world.clock.advance(20)
  }
  // Beside it is what the origin keeps of all its replicas.
  const database = [...world.device.disk.image().values()].find(({ stores }) => stores.has('terms'))
  expect(database?.stores.get('terms')?.keys.length).toBeLessThan(4)
})

it('a tab that waits for the connection leaves nothing behind, and paused ones neither', async () => {
  const world = createWorld()
  await world.relay.start()
  const first = await world.open(world.device.openTab())
  const { ports, held } = counted(world.device.openTab().ports)
  const second = await world.open(world.device.openTab(), { ports })
  await until(world.clock, () => second.status.get().synced)
  second.pause()
  await world.clock.advance(3000)
  await within(world.clock, second.close())
  await world.clock.advance(20)
  expect(held).toEqual(nothing)
  first.resume()
  await within(world.clock, first.settled())
})

it('with a store that does not answer any more it closes within two seconds all the same', async () => {
  const world = createWorld()
  await world.relay.start()
  const tab = world.device.openTab()
  let isStuck = false
  const { ports, held } = counted({
    ...tab.ports,
    async openStorage(...args) {
      const storage = await tab.ports.openStorage(...args)
      const transact: typeof storage.transact = options =>
        isStuck ? new Promise(() => {}) : storage.transact(options)
      return { ...storage, transact }
    },
  })
  const alice = await world.open(tab, { ports })
  await within(world.clock, alice.settled())
  isStuck = true
  alice.notes.insert({ title: 'a', color: 'b' })
  await world.clock.advance(1000)
  const begun = world.time
  await within(world.clock, alice.close())
  expect(world.time - begun).toBeLessThan(2000)
  await world.clock.advance(20)
  expect(held).toEqual(nothing)
})

it('at every moment after opening it closes, asked twice, and leaves nothing behind', async () => {
  for (let ms = 0; ms <= 200; ms += 10) {
    const world = createWorld(ms + 1)
    await world.relay.start()
    const { ports, held } = counted(world.device.openTab().ports)
    const alice = await world.open(world.device.openTab(), { ports })
    alice.notes.insert({ title: 'a', color: 'b' })
    void alice.settled()
    await world.clock.advance(ms)
    const begun = world.time
    const closing = alice.close()
    await within(world.clock, Promise.all([closing, alice.close()]))
    expect(world.time - begun, `closed after ${ms} ms`).toBeLessThan(2000)
    await world.clock.advance(20)
    expect(held, `closed after ${ms} ms`).toEqual(nothing)
    await within(world.clock, alice.close())
  }
})

it('paused, put away and taken out again, it closes and leaves nothing behind', async () => {
  const world = createWorld()
  await world.relay.start()
  const tab = world.device.openTab()
  const { ports, held } = counted(tab.ports)
  const alice = await world.open(tab, { ports })
  await within(world.clock, alice.settled())
  alice.pause()
  tab.happen('leave')
  await world.clock.advance(1000)
  tab.happen('back')
  const closing = alice.close()
  tab.happen('leave')
  await within(world.clock, closing)
  await world.clock.advance(20)
  expect(held).toEqual(nothing)
})

it('a replica that cannot be opened leaves nothing behind', async () => {
  const world = createWorld()
  const tab = world.device.openTab()
  let isDamaged = false
  const { ports, held } = counted({
    ...tab.ports,
    async openStorage(...args) {
      const storage = await tab.ports.openStorage(...args)
      return {
        ...storage,
        transact: options =>
          isDamaged && options.stores.includes('journal')
            ? Promise.reject(new RejoinError('storage-closed', { reason: 'damaged' }, 'damaged'))
            : storage.transact(options),
      }
    },
  })
  isDamaged = true
  await expect(world.open(tab, { ports })).rejects.toMatchObject({ code: 'storage-closed' })
  await world.clock.advance(20)
  expect(held).toEqual(nothing)
})

it('[K1] while a slow disk keeps it from closing it goes on showing what comes, since a write replaces what it shows', async () => {
  const shown: string[] = []
  for (let seed = 1; seed <= 8; seed++) {
    const world = createWorld(seed)
    await world.relay.start()
    const alice = await world.open(world.device.openTab())
    const bob = await world.open(world.another('bob').openTab(), { token: () => 'bob' })
    const { id } = alice.notes.insert({ title: 'a', color: 'red' })
    await within(world.clock, alice.settled())
    await within(world.clock, bob.settled())
    expect(alice.notes.get(id)?.color).toBe('red')
    world.device.disk.slow(100)
    bob.notes.update(id, { color: 'blue' })
    await world.clock.advance(60)
    // Stored after what is on its way to the disk.
    alice.notes.insert({ title: 'keeps it from closing', color: 'red' })
    const closing = alice.close()
    const before = alice.notes.get(id)?.color
    await within(world.clock, closing)
    shown.push(`${before}, then ${alice.notes.get(id)?.color}`)
  }
  expect(shown).toContain('red, then blue')
})

it('[W1] what there is no room for until it is closed is told, and not as if it were stored', async () => {
  const world = createWorld()
  const alice = await world.open(world.device.openTab(), { relays: [] })
  const unsaved: unknown[] = []
  alice.on('unsaved', ({ error }) => unsaved.push(error.code))
  world.device.disk.fail('storage-full')
  const written = alice.notes.insert({ title: 'a', color: 'b' }).reached('local')
  await within(world.clock, alice.close())
  expect(unsaved).toEqual(['storage-full'])
  await expect(written).rejects.toMatchObject({ code: 'closed' })
})

it('[W1] what is written as the page goes away is handed over at once, also if it is closed for that first', async () => {
  const world = createWorld()
  const tab = world.device.openTab()
  let handedOver = 0
  const alice = await world.open(tab, {
    relays: [],
    ports: {
      ...tab.ports,
      async openStorage(...of) {
        const storage = await tab.ports.openStorage(...of)
        const transact: Storage['transact'] = options => {
          handedOver += options.requests.filter(({ op, store }) => op === 'add' && store === 'journal').length
          return storage.transact(options)
        }
        return { ...storage, transact }
      },
    },
  })
  alice.notes.insert({ title: 'under way', color: 'b' })
  await Promise.resolve().then(() => Promise.resolve())
  expect(handedOver).toBe(1)
  alice.notes.insert({ title: 'waits for that', color: 'b' })
  const closing = alice.close()
  tab.happen('leave')
  for (let i = 0; i < 5; i++) await Promise.resolve()
  expect(handedOver).toBe(2)
  await within(world.clock, closing)
})
