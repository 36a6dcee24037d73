/** A replica that speaks with three relays at once: what is at quorum, and what waits for whom (SPEC L2, A2). */
import { createMemoryDatabase, journalStores } from '@rejoin/client'
import { RejoinError } from '@rejoin/core'
import { expect, it } from 'vitest'
import { until, within } from './engine-world.ts'
import { holds, note, three } from './three-relays.ts'

it('[A2] a write is at quorum when two of three relays have it, and goes to all of them', async () => {
  const { world, relays, open } = await three()
  const alice = await open()
  const written = note(alice)
  await within(world.clock, written.reached('relay'))
  await within(world.clock, written.reached('quorum'))
  const counts = await Promise.all(relays.map(relay => holds(relay, written.id)))
  expect(counts.filter(Boolean).length).toBeGreaterThanOrEqual(2)
  await until(world.clock, () => alice.status.get().relays.every(({ waiting }) => waiting === 0))
  expect(await Promise.all(relays.map(relay => holds(relay, written.id)))).toEqual([true, true, true])
  await until(world.clock, () => alice.status.get().synced)
})

it('what a dropped database cost is what no relay had, however many were wanted', async () => {
  const { world, relays, open } = await three()
  const alice = await open()
  await until(world.clock, () => alice.status.get().synced)
  for (const relay of relays.slice(1)) relay.crash()
  await within(world.clock, note(alice).reached('relay'))
  expect(alice.status.get().pending).toBe(1)
  alice.pause()
  note(alice, 'on this device alone')
  await world.clock.advance(2000)
  world.device.crash()
  const database = 'rejoin//space'
  world.device.disk.restore(new Map([[database, createMemoryDatabase(journalStores).image()]]))
  const told: unknown[] = []
  const again = await open()
  again.on('evicted', error => told.push(error))
  await world.clock.advance(1000)
  expect(told).toMatchObject([{ code: 'storage-evicted', details: { unsent: 1 } }])
})

it('[A2] one relay down: all goes on; two down: a quorum times out with what was reached; all back: all have all', async () => {
  const { world, relays, open } = await three()
  const alice = await open()
  await within(world.clock, note(alice).reached('quorum'))
  relays[2].crash()
  const withTwo = note(alice, 'two')
  await within(world.clock, withTwo.reached('quorum'))
  await within(world.clock, alice.settled())
  expect(alice.status.get()).toMatchObject({ synced: true, pending: 0 })
  relays[1].crash()
  const withOne = note(alice, 'one')
  await within(world.clock, withOne.reached('relay'))
  await expect(within(world.clock, withOne.reached('quorum', { timeoutMs: 5000 }))).rejects.toMatchObject({
    code: 'ack-timeout',
    details: { reached: 'relay', wanted: 'quorum' },
  })
  expect(alice.notes.get(withOne.id)?.title).toBe('one')
  await until(world.clock, () => !alice.status.get().synced)
  expect(alice.status.get()).toMatchObject({ connection: 'online', pending: 1 })
  expect(alice.status.get().relays.map(({ url, connection }) => [url, connection === 'online'])).toEqual([
    ['ws://a', true],
    ['ws://b', false],
    ['ws://c', false],
  ])
  await relays[1].start()
  await relays[2].start()
  await within(world.clock, withOne.reached('quorum'))
  await until(world.clock, () => alice.status.get().relays.every(({ waiting }) => waiting === 0))
  for (const relay of relays)
    expect([await holds(relay, withTwo.id), await holds(relay, withOne.id)]).toEqual([true, true])
})

it('[L2] what waits for a relay waits through a reload', async () => {
  const { world, relays, open } = await three()
  const alice = await open()
  await within(world.clock, alice.settled())
  relays[2].crash()
  const written = note(alice)
  await within(world.clock, written.reached('quorum'))
  await within(world.clock, alice.close())
  await relays[2].start()
  const again = await open()
  await until(world.clock, () => again.status.get().relays.every(({ waiting }) => waiting === 0))
  expect(await holds(relays[2], written.id)).toBe(true)
})

it('[L2] a relay that is taken out of the list counts no more, and is not waited for', async () => {
  const { world, relays, open } = await three()
  const alice = await open()
  await within(world.clock, alice.settled())
  relays[1].crash()
  relays[2].crash()
  const written = note(alice)
  await within(world.clock, written.reached('relay'))
  await within(world.clock, alice.close())
  relays[0].crash()
  await relays[1].start()
  const again = await open({ relays: ['ws://b', 'ws://c'], read: 1 })
  await until(world.clock, () => again.status.get().relays[0]?.waiting === 0)
  expect(again.status.get()).toMatchObject({ synced: false, pending: 1 })
  await relays[2].start()
  await until(world.clock, () => again.status.get().synced)
  expect([await holds(relays[1], written.id), await holds(relays[2], written.id)]).toEqual([true, true])
})

it('[C4] a device that was an hour ahead writes the same thing once', async () => {
  const { world, relays, open } = await three()
  world.device.skewMs = 3_600_000
  for (const relay of relays) relay.crash()
  const alice = await open()
  const first = note(alice, 'first', 'first')
  const second = alice.notes.update('first', { views: { increment: 1 } })
  await within(world.clock, second.reached('local'))
  for (const relay of relays) await relay.start()
  await within(world.clock, Promise.all([first.reached('quorum'), second.reached('quorum')]))
  await until(world.clock, () => alice.status.get().relays.every(({ waiting }) => waiting === 0))
  const bob = await world.open(world.another('bob').openTab(), { relays: ['ws://b'] })
  await within(world.clock, bob.settled())
  expect(bob.notes.get('first')).toMatchObject({ title: 'first', views: 1 })
  expect(alice.quarantine.get()).toEqual([])
})

it('write and read are checked when it is opened', async () => {
  const { open } = await three()
  const refused = async (options: object): Promise<unknown> =>
    open(options as never).then(
      () => 'opened',
      (error: unknown) => (error instanceof RejoinError ? error.code : error),
    )
  expect(await refused({ write: 0 })).toBe('quorum-invalid')
  expect(await refused({ read: 4 })).toBe('quorum-invalid')
  expect(await refused({ write: 1.5 })).toBe('quorum-invalid')
  expect(await refused({ write: 1, read: 2 })).toBe('quorum-invalid')
  expect(await refused({ relays: ['ws://a', 'ws://a', 'ws://b'] })).toBe('quorum-invalid')
  expect(await refused({ mode: 'failover', unsafe: undefined })).toBeInstanceOf(TypeError)
  expect(await refused({ write: 1, read: 2, unsafe: true })).toBe('opened')
})
