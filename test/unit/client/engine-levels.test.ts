/** How far writes come, and what becomes of the promises about it (SPEC A2, L3, W6). */
import { failure, RejoinError, type Write } from '@rejoin/core'
import { createSimulatedRelay, createChance } from '@rejoin/testkit'
import { expect, it } from 'vitest'
import { createWorld, epoch, until, within, type Notes, type World } from './engine-world.ts'

function note(replica: Notes, title = 'a') {
  return replica.notes.insert({ title, color: 'amber' })
}

async function online(): Promise<{ world: World; alice: Notes }> {
  const world = createWorld()
  await world.relay.start()
  const alice = await world.open(world.device.openTab())
  await within(world.clock, alice.settled())
  return { world, alice }
}

it('[W1] a write is visible when the call returns, and durable only when the disk said so', async () => {
  const { world, alice } = await online()
  const strict = world.device.disk.counts.strict
  const written = note(alice)
  expect(alice.notes.get(written.id)?.title).toBe('a')
  let isDurable = false
  void written.reached('local').then(() => (isDurable = true))
  await Promise.resolve()
  expect(isDurable).toBe(false)
  await until(world.clock, () => isDurable)
  expect(world.device.disk.counts.strict).toBeGreaterThan(strict)
})

it('[W1] what one tick wrote is one transaction of the disk', async () => {
  const { world, alice } = await online()
  alice.pause()
  await world.clock.advance(1000)
  const strict = world.device.disk.counts.strict
  const written = Array.from({ length: 100 }, () => note(alice))
  await within(world.clock, Promise.all(written.map(one => one.reached('local'))))
  expect(world.device.disk.counts.strict - strict).toBe(1)
})

it('[A2] a level that was reached is told at once, also long after', async () => {
  const { world, alice } = await online()
  const written = note(alice)
  await within(world.clock, alice.settled())
  await written.reached('relay')
  await written.reached('local')
})

it('a time-out says how far it came, and undoes nothing', async () => {
  const { world, alice } = await online()
  alice.pause()
  const written = note(alice)
  await within(world.clock, written.reached('local'))
  const begun = world.time
  await expect(within(world.clock, written.reached('relay', { timeoutMs: 300 }))).rejects.toMatchObject({
    code: 'ack-timeout',
    details: { reached: 'local', wanted: 'relay' },
  })
  expect(world.time - begun).toBeLessThan(400)
  alice.resume()
  await within(world.clock, written.reached('relay'))
})

it('a level that nothing here gives is refused, never silently less', async () => {
  const { alice } = await online()
  await expect(note(alice).reached('quorum')).rejects.toMatchObject({
    code: 'ack-unavailable',
    details: { wanted: 'quorum', available: ['local', 'relay'] },
  })
})

it('[A2, Q4] what is on a relay is there also when the token may not write any more, and what is not says so', async () => {
  const world = createWorld()
  let grant: 'write' | 'read' = 'write'
  const relay = createSimulatedRelay({
    url: 'ws://relay',
    clock: world.clock,
    chance: createChance(7),
    network: world.network,
    epoch: () => epoch,
    access: () => Promise.resolve(grant),
  })
  await relay.start()
  const alice = await world.open(world.device.openTab())
  const written = note(alice)
  await within(world.clock, written.reached('relay'))
  grant = 'read'
  relay.crash()
  await relay.start()
  await until(world.clock, () => alice.status.get().reason === 'not-permitted')
  await within(world.clock, written.reached('relay'))
  await expect(note(alice).reached('relay')).rejects.toMatchObject({ code: 'ack-unavailable' })
})

it('[L3] what a rule refuses rejects with its reason; what stood on it goes with it; the rest goes on', async () => {
  const world = createWorld()
  const refusing = createSimulatedRelay({
    url: 'ws://relay',
    clock: world.clock,
    chance: createChance(7),
    network: world.network,
    epoch: () => epoch,
    accept: (write: Write) => !write.key.endsWith('/bad') || write.delta.revival === null || 'not this one',
    peerToken: '',
  })
  await refusing.start()
  const alice = await world.open(world.device.openTab())
  await within(world.clock, alice.settled())
  alice.pause()
  const bad = alice.notes.insert({ title: 'bad', color: 'amber' }, { id: 'bad' })
  const onBad = alice.notes.update('bad', { color: 'teal' })
  const good = note(alice, 'good')
  alice.resume()
  await within(world.clock, good.reached('relay'))
  await expect(bad.reached('relay')).rejects.toMatchObject({
    code: 'refused-by-rule',
    details: { reason: 'not this one' },
  })
  await expect(onBad.reached('relay')).rejects.toMatchObject({ code: 'built-on-refused' })
  // It was on this disk, and still is.
  await bad.reached('local')
  expect(alice.notes.get('bad')).toBeUndefined()
  expect(alice.quarantine.get().map(({ error }) => error.code)).toEqual([
    'refused-by-rule',
    'built-on-refused',
  ])
  await within(world.clock, alice.quarantine.discard(alice.quarantine.get()[0]?.id as never))
  await expect(bad.reached('relay')).rejects.toBeInstanceOf(RejoinError)
})

it('[W6] a write that is made anew keeps its promise', async () => {
  const world = createWorld()
  world.device.skewMs = 3_600_000
  const alice = await world.open(world.device.openTab())
  const first = note(alice, 'first')
  const second = alice.notes.update(first.id, { color: 'teal' })
  await within(world.clock, second.reached('local'))
  await world.relay.start()
  await within(world.clock, Promise.all([first.reached('relay'), second.reached('relay')]))
  expect(alice.notes.get(first.id)).toMatchObject({ title: 'first', color: 'teal' })
  expect(alice.quarantine.get()).toEqual([])
})

it('closing refuses what waits, and what is asked afterwards, and nobody has to listen', async () => {
  const { world, alice } = await online()
  alice.pause()
  const written = note(alice)
  const waiting = written.reached('relay')
  void written.reached('relay', { timeoutMs: 60_000 })
  void alice.settled()
  const closing = alice.close()
  await within(world.clock, closing)
  await expect(waiting).rejects.toMatchObject({ code: 'closed' })
  await expect(written.reached('local')).rejects.toMatchObject({ code: 'closed' })
  await expect(alice.settled()).rejects.toMatchObject({ code: 'closed' })
  expect(() => note(alice)).toThrow(RejoinError)
  await alice.close()
})

it('closing stores what was written in the same tick', async () => {
  const { world, alice } = await online()
  alice.pause()
  await world.clock.advance(100)
  const written = note(alice, 'last')
  await within(world.clock, alice.close())
  const again = await world.open(world.device.openTab(), { relays: [] })
  expect(again.notes.get(written.id)?.title).toBe('last')
})

it('without room writes stay queued and visible, the status says so, and they are stored when there is room', async () => {
  const { world, alice } = await online()
  world.device.disk.fail('storage-full')
  const written = note(alice)
  let isStored = false
  void written.reached('local').then(() => (isStored = true))
  await until(world.clock, () => alice.status.get().storage === 'storage-full')
  await world.clock.advance(60_000)
  expect(isStored).toBe(false)
  expect(alice.notes.get(written.id)?.title).toBe('a')
  expect(alice.status.get()).toMatchObject({ pending: 1, synced: false })
  world.device.disk.fail(null)
  await until(world.clock, () => isStored)
  expect(alice.status.get().storage).toBeUndefined()
  await within(world.clock, written.reached('relay'))
})

it('a status is told only when it is another one, and is the same object until then', async () => {
  const { world, alice } = await online()
  const told: unknown[] = []
  alice.status.subscribe(status => told.push(status))
  const known = alice.status.get()
  await world.clock.advance(30_000)
  expect(alice.status.get()).toBe(known)
  expect(told).toEqual([known])
})

it('settled waits while offline, and until what was written is acknowledged', async () => {
  const { world, alice } = await online()
  alice.pause()
  note(alice)
  let isSettled = false
  void alice.settled().then(() => (isSettled = true))
  await world.clock.advance(60_000)
  expect(isSettled).toBe(false)
  alice.resume()
  await until(world.clock, () => isSettled)
  expect(alice.status.get()).toMatchObject({ pending: 0, synced: true })
})

it('[C2] the clock is the relay’s as far as it is known, and does not move with the device’s', async () => {
  const world = createWorld()
  await world.relay.start()
  world.device.skewMs = -7_200_000
  const alice = await world.open(world.device.openTab())
  await within(world.clock, alice.settled())
  expect(Math.abs(alice.status.get().clockOffsetMs - 7_200_000)).toBeLessThan(100)
  world.device.skewMs = 120_000
  await world.clock.advance(15_000)
  expect(Math.abs(alice.status.get().clockOffsetMs + 120_000)).toBeLessThan(100)
  const written = note(alice)
  await within(world.clock, written.reached('relay'))
  expect(alice.quarantine.get()).toEqual([])
})

it('[C2] the relay told its time when its frame came, however long that waits for a slow disk', async () => {
  const world = createWorld()
  await world.relay.start()
  const tab = world.device.openTab()
  const alice = await world.open(tab)
  alice.pause()
  await world.clock.advance(1000)
  world.device.disk.slow(300)
  alice.resume()
  await until(world.clock, () => alice.status.get().synced)
  expect(Math.abs(alice.status.get().clockOffsetMs)).toBeLessThan(100)
})

it('[C2] a tab that froze on the way from hello to welcome does not take that for its clock being wrong', async () => {
  const world = createWorld()
  await world.relay.start()
  const tab = world.device.openTab()
  const alice = await world.open(tab)
  alice.pause()
  await world.clock.advance(1000)
  alice.resume()
  await world.clock.advance(20)
  expect(alice.status.get().connection).toBe('connecting')
  tab.scope.freeze()
  await world.clock.advance(8000)
  tab.scope.thaw()
  await until(world.clock, () => alice.status.get().synced)
  expect(Math.abs(alice.status.get().clockOffsetMs)).toBeLessThan(100)
})

it('a collection that is named like a member of the replica is refused by name', async () => {
  const world = createWorld()
  const tab = world.device.openTab()
  await expect(
    world.open(tab, {
      collections: { status: (await import('@rejoin/testkit')).simulatedCollections.notes } as never,
    }),
  ).rejects.toMatchObject({ code: 'key-forbidden', details: { key: 'status' } })
  expect(failure('closed', { what: '' }).code).toBe('closed')
})
