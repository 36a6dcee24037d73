/** What is stored of long texts: little more than the text, however it came to be; and a relay can have it back. */
import { expect, it } from 'vitest'
import { limits } from '@rejoin/core'
import { createWorld, until, within, type Notes, type World } from './engine-world.ts'

const name = 'rejoin//space'

interface Body {
  readonly updates: readonly Uint8Array[]
}

function storedBodies(world: World): readonly Body[] {
  return (world.device.disk.image().get(name)?.stores.get('texts')?.values ?? []) as readonly Body[]
}

async function online(world: World): Promise<Notes> {
  await world.relay.start()
  const alice = await world.open(world.device.openTab())
  await within(world.clock, alice.settled())
  return alice
}

/** Makes pages worth writing, and waits until they are written. */
async function compact(world: World, alice: Notes): Promise<void> {
  for (let i = 0; i < 24; i++) alice.notes.insert({ title: 'x'.repeat(50_000), color: `${i}` })
  await within(world.clock, alice.settled())
  const journal = (): number => world.device.disk.image().get(name)?.stores.get('journal')?.keys.length ?? 0
  await until(world.clock, () => storedBodies(world).length > 0 && journal() < 5)
}

it('[X8] what is stored of a text does not grow by an update with each edit', async () => {
  const world = createWorld()
  const alice = await online(world)
  const { id } = alice.notes.insert({ title: 'a', color: 'b' })
  const body = alice.notes.text(id, 'body')
  await within(world.clock, body.whenReady)
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 1000; i++) {
      body.text.insert((i * 7) % (body.text.length + 1), 'a')
      await Promise.resolve()
    }
    await within(world.clock, alice.settled())
    await compact(world, alice)
    const [stored] = storedBodies(world)
    expect(stored?.updates.length).toBeLessThan(4)
  }
  const text = body.text.toString()
  expect(text).toHaveLength(3000)
  await within(world.clock, alice.close())
  const again = await world.open(world.device.openTab(), { relays: [] })
  const reopened = again.notes.text(id, 'body')
  await within(world.clock, reopened.whenReady)
  expect(reopened.text.toString()).toBe(text)
})

it('[X8] a body of 1 MB is stored in updates that a relay takes, and is given back to an empty one', async () => {
  const world = createWorld()
  const nothing = world.relay.image()
  const alice = await online(world)
  const { id } = alice.notes.insert({ title: 'a', color: 'b' })
  const body = alice.notes.text(id, 'body')
  await within(world.clock, body.whenReady)
  for (let i = 0; i < 64; i++) {
    body.text.insert(body.text.length, `${i} `.padEnd(16_384, 'lorem '))
    await world.clock.advance(20)
  }
  await within(world.clock, alice.settled())
  await compact(world, alice)
  const [stored] = storedBodies(world)
  expect(stored?.updates.length).toBeLessThan(10)
  for (const update of stored?.updates ?? [])
    expect(update.length).toBeLessThanOrEqual(limits.textUpdateBytesMax)
  const text = body.text.toString()
  expect(text).toHaveLength(1024 * 1024)

  world.relay.crash()
  world.relay.restore(nothing)
  await world.relay.start()
  const repairs: unknown[] = []
  alice.on('repaired', repair => repairs.push(repair))
  await until(world.clock, () => repairs.length > 0)
  expect(repairs).toMatchObject([{ refused: [] }])
  const bob = await world.open(world.another('bob').openTab(), { token: () => 'bob' })
  await within(world.clock, bob.settled())
  const copy = bob.notes.text(id, 'body')
  await within(world.clock, copy.whenReady)
  expect(copy.text.toString()).toBe(text)
})
