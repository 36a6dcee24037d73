/** Whose replica it is, and what becomes of its outbox when somebody else signs in (SPEC Q4). */
import type { Frame } from '@rejoin/core'
import { expect, it } from 'vitest'
import { createWorld, until, within, type Notes, type World } from './engine-world.ts'

function note(replica: Notes, title: string): void {
  replica.notes.insert({ title, color: 'amber' })
}

async function signedIn(world: World): Promise<Notes> {
  await world.relay.start()
  const alice = await world.open(world.device.openTab())
  await within(world.clock, alice.settled())
  return alice
}

it('[Q4] what one user wrote is not sent in the name of another, and it is said', async () => {
  const world = createWorld()
  const alice = await signedIn(world)
  alice.pause()
  note(alice, 'of alice')
  await world.clock.advance(100)
  await within(world.clock, alice.close())

  let asked = 0
  const bob = await world.open(world.device.openTab(), {
    token: () => {
      asked += 1
      return 'bob'
    },
  })
  await until(world.clock, () => bob.status.get().reason === 'unauthenticated')
  await world.clock.advance(60_000)
  expect(bob.status.get()).toMatchObject({ connection: 'paused', pending: 1, synced: false, user: 'alice' })
  expect(bob.notes.query().get()).toHaveLength(1)
  expect(asked).toBeLessThan(15)
  const carol = await world.open(world.another('carol').openTab(), { token: () => 'carol' })
  await within(world.clock, carol.settled())
  expect(carol.notes.query().get()).toEqual([])
  await within(world.clock, bob.close())

  // Back in the first name it goes on by itself.
  const again = await world.open(world.device.openTab())
  await within(world.clock, again.settled())
  await within(world.clock, carol.settled())
  expect(carol.notes.query().get()).toMatchObject([{ title: 'of alice' }])
})

it('[Q4] nothing but the hello is sent in a name that is not the owner’s', async () => {
  const world = createWorld()
  const frames: Frame['type'][] = []
  world.play('ws://relay', {
    hello: end => end.welcome(),
    frame: (_end, frame) => void frames.push(frame.type),
  })
  const alice = await world.open(world.device.openTab())
  await within(world.clock, alice.settled())
  await within(world.clock, alice.close())
  world.play('ws://other', {
    hello: end => end.welcome('bob'),
    frame: (_end, frame) => void frames.push(frame.type),
  })
  frames.length = 0
  const bob = await world.open(world.device.openTab(), { token: () => 'bob', relays: ['ws://other'] })
  note(bob, 'typed meanwhile')
  await world.clock.advance(30_000)
  expect(frames).toEqual([])
  expect(bob.status.get()).toMatchObject({ reason: 'unauthenticated', user: 'alice' })
})

it('[Q4] another account is another replica', async () => {
  const world = createWorld()
  const alice = await signedIn(world)
  alice.pause()
  note(alice, 'of alice')
  await world.clock.advance(100)
  const bob = await world.open(world.device.openTab(), { token: () => 'bob', account: 'bob' })
  await within(world.clock, bob.settled())
  expect(bob.status.get()).toMatchObject({ synced: true, user: 'bob' })
  expect(bob.notes.query().get()).toEqual([])
})

it('a replica knows whose it is also offline, in every tab', async () => {
  const world = createWorld()
  const alice = await signedIn(world)
  const second = await world.open(world.device.openTab())
  await until(world.clock, () => second.status.get().user === 'alice')
  await within(world.clock, Promise.all([alice.close(), second.close()]))
  world.relay.crash()
  const again = await world.open(world.device.openTab())
  expect(again.status.get().user).toBe('alice')
})

it('of two tabs that sign in as two users at once, one is the owner for both', async () => {
  const world = createWorld()
  await world.relay.start()
  const first = await world.open(world.device.openTab())
  const second = await world.open(world.device.openTab(), { token: () => 'bob' })
  await within(world.clock, first.settled())
  await within(world.clock, first.close())
  await until(world.clock, () => second.status.get().reason === 'unauthenticated')
  expect(second.status.get().user).toBe('alice')
})
