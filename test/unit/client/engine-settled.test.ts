/** What `settled` promises: as of the call, not as of the last time that somebody heard of the relay. */
import { expect, it } from 'vitest'
import { emptyFingerprint } from '@rejoin/core'
import { createWorld, until, within, type Notes, type World } from './engine-world.ts'

async function pair(): Promise<{ world: World; alice: Notes; bob: Notes }> {
  const world = createWorld()
  await world.relay.start()
  const alice = await world.open(world.device.openTab())
  const bob = await world.open(world.another('bob').openTab(), { token: () => 'bob' })
  await within(world.clock, Promise.all([alice.settled(), bob.settled()]))
  return { world, alice, bob }
}

function note(replica: Notes, title: string): string {
  return replica.notes.insert({ title, color: 'amber' }).id
}

it('who settles after another one has settled shows what that one wrote', async () => {
  const { world, alice, bob } = await pair()
  for (let i = 0; i < 50; i++) {
    const [writer, reader] = i % 2 === 0 ? [alice, bob] : [bob, alice]
    const id = note(writer, `${i}`)
    await within(world.clock, writer.settled())
    await within(world.clock, reader.settled())
    expect(reader.notes.get(id)?.title).toBe(`${i}`)
  }
})

it('it takes a round trip and no longer', async () => {
  const { world, alice } = await pair()
  await world.clock.advance(5000)
  const begun = world.time
  await within(world.clock, alice.settled())
  expect(world.time - begun).toBeLessThan(150)
})

it('calls of one tick ask the relay once, and so does a call before the first session not at all', async () => {
  const world = createWorld()
  let asked = 0
  world.play('ws://relay', {
    hello: end => end.welcome(),
    frame: (_end, frame) => void (frame.type === 'heartbeat' && asked++),
  })
  const alice = await world.open(world.device.openTab())
  await within(world.clock, alice.settled())
  expect(asked).toBe(0)
  let isSettled = false
  void Promise.all([alice.settled(), alice.settled()]).then(() => (isSettled = true))
  await world.clock.advance(1000)
  expect([asked, isSettled]).toEqual([1, false])
})

it('a cut that was under way at the call does not count', async () => {
  const world = createWorld()
  let answers = 0
  const double = world.play('ws://relay', {
    hello: end => end.welcome(),
    frame(end, frame) {
      if (frame.type !== 'heartbeat') return
      answers += 1
      end.cut()
    },
  })
  const alice = await world.open(world.device.openTab())
  await within(world.clock, alice.settled())
  double.script = { ...double.script, frame: (_end, frame) => void (frame.type === 'heartbeat' && answers++) }
  let isSettled = false
  void alice.settled().then(() => (isSettled = true))
  // What others brought comes with cuts of its own.
  double.end?.cut({ fingerprint: null })
  await world.clock.advance(1000)
  expect([answers, isSettled]).toEqual([1, false])
  double.end?.cut()
  await until(world.clock, () => isSettled)
})

it('nor does one that the session had asked for', async () => {
  const world = createWorld()
  let asked = 0
  const double = world.play('ws://relay', {
    hello: end => end.welcome(),
    frame: (_end, frame) => void (frame.type === 'heartbeat' && asked++),
  })
  const alice = await world.open(world.device.openTab())
  await within(world.clock, alice.settled())
  // P5: what differs is asked for once more.
  double.end?.cut({ fingerprint: { ...emptyFingerprint, count: 1 } })
  await until(world.clock, () => asked === 1)
  let isSettled = false
  void alice.settled().then(() => (isSettled = true))
  await until(world.clock, () => asked === 2)
  double.end?.cut()
  await world.clock.advance(1000)
  expect(isSettled).toBe(false)
  double.end?.cut()
  await until(world.clock, () => isSettled)
})

it('an answer that does not come is asked for until another one is there, and not any more then', async () => {
  const world = createWorld()
  let asked = 0
  const double = world.play('ws://relay', {
    hello: end => end.welcome(),
    frame: (_end, frame) => void (frame.type === 'heartbeat' && asked++),
  })
  const alice = await world.open(world.device.openTab())
  await within(world.clock, alice.settled())
  let settled = 0
  void alice.settled().then(() => settled++)
  await until(world.clock, () => asked === 1)
  void alice.settled().then(() => settled++)
  await until(world.clock, () => asked === 2)
  // Who is behind is told where the feed ends once.
  double.end?.cut()
  await until(world.clock, () => asked === 3)
  double.end?.cut()
  await until(world.clock, () => settled === 2)
  await world.clock.advance(20_000)
  expect(asked).toBe(3)
})

it('in a tab without the connection it means the same', async () => {
  const { world, alice, bob } = await pair()
  const second = await world.open(world.device.openTab())
  await within(world.clock, second.settled())
  for (let i = 0; i < 20; i++) {
    const id = note(bob, `${i}`)
    await within(world.clock, bob.settled())
    const begun = world.time
    await within(world.clock, second.settled())
    expect(world.time - begun).toBeLessThan(300)
    expect(second.notes.get(id)?.title).toBe(`${i}`)
  }
  // Its question outlives the tab that it asked.
  const id = note(bob, 'last')
  await within(world.clock, bob.settled())
  const settled = second.settled()
  await within(world.clock, alice.close())
  await within(world.clock, settled)
  expect(second.notes.get(id)?.title).toBe('last')
})

it('it outlives the session in which it was asked, and a pause', async () => {
  const { world, alice, bob } = await pair()
  const settled = alice.settled()
  alice.pause()
  const id = note(bob, 'meanwhile')
  await within(world.clock, bob.settled())
  alice.resume()
  await within(world.clock, settled)
  expect(alice.notes.get(id)?.title).toBe('meanwhile')
})

it('[A2] where there are no relays nothing can settle, which is said at once', async () => {
  const world = createWorld()
  const alice = await world.open(world.device.openTab(), { relays: [] })
  await expect(within(world.clock, alice.settled())).rejects.toMatchObject({
    code: 'ack-unavailable',
    details: { wanted: 'relay', available: ['local'] },
  })
})
