// What comes in at a relay faster than it is dealt with waits at whoever sends it, and they are the only ones who wait.
import { createDictionary, decodeFrame, writerFromBytes, type Frame, type StoreId } from '@rejoin/core'
import type { Kernel, KernelOptions, KernelSession } from '@rejoin/relay/kernel'
import { helloWith, type SimulatedClock } from '@rejoin/testkit'
import { expect, test } from 'vitest'
import { insertOf } from '../core/relay-scene.ts'
import { welcomeFrom } from '../core/welcomes.ts'
import { attach, bareLink, openKernel, openStore, settle, simulatedRuntime } from './bare-kernel.ts'
import { peer, peersChange, peersGeneration, peersRow } from './peer-links.ts'

const mebibyte = 1024 * 1024

/** A link of which is known whether it is held back. */
function heldBack() {
  const link = {
    ...bareLink,
    isPaused: false,
    pause: () => (link.isPaused = true),
    resume: () => void (link.isPaused = false),
  }
  return link
}

/** A disk that commits nothing until it is told to. */
async function openStuckStore() {
  const store = await openStore()
  let isStuck = false
  let release = (): void => {}
  let freed = Promise.resolve()
  return {
    store: {
      ...store,
      async commit(commit) {
        if (isStuck) await freed
        await store.commit(commit)
      },
    } satisfies KernelOptions['store'],
    stick() {
      isStuck = true
      freed = new Promise(resolve => (release = resolve))
    },
    free() {
      isStuck = false
      release()
    },
  }
}

const submitOf = (i: number, value = 'red'): Frame => ({
  type: 'submit',
  round: 0,
  transactions: [insertOf(`n${i}`, i + 1, value)],
})

/** Of about a sixteenth of a mebibyte. */
const longSubmitOf = (i: number): Frame => submitOf(i, 'x'.repeat(mebibyte / 16))

/** Sends as long as the link is read, and no more than a flood. What it sent. */
function flood(session: KernelSession, link: { readonly isPaused: boolean }, frame: (i: number) => Frame) {
  let sent = 0
  while (!link.isPaused && sent < 256) session.receive(frame(sent++), mebibyte / 16)
  return sent
}

test('[F5] a client that waits for no verdict is not read while the disk is slow, and is answered in order', async () => {
  const disk = await openStuckStore()
  const kernel = await openKernel({ store: disk.store })
  const { session, link, last } = client(kernel, 'alice')
  await settle()
  disk.stick()
  const sent = flood(session, link, submitOf)
  expect([sent, link.isPaused]).toEqual([64, true])
  await settle()
  expect([last().type, link.isPaused]).toEqual(['changes', true])
  disk.free()
  await settle()
  expect([last(), link.isPaused]).toMatchObject([{ type: 'verdict', count: sent, exceptions: [] }, false])
})

test('[F5] frames of no length are too many, too', async () => {
  const disk = await openStuckStore()
  const kernel = await openKernel({ store: disk.store })
  const link = heldBack()
  const session = kernel.attach(link)
  session.receive(helloWith(), 0)
  await settle()
  disk.stick()
  session.receive(submitOf(0), 100)
  let sent = 0
  while (!link.isPaused && sent < 50_000) session.receive({ type: 'heartbeat', position: sent++, time: 0 }, 3)
  expect(sent).toBeLessThan(20_000)
  disk.free()
  await settle()
  expect(link.isPaused).toBe(false)
})

test('[F5] who sends too much over a link that cannot be held back is sent away, and comes again', async () => {
  const disk = await openStuckStore()
  const kernel = await openKernel({ store: disk.store })
  const heard: Frame[] = []
  const session = attach(kernel, frame => void heard.push(frame))
  session.receive(helloWith())
  await settle()
  disk.stick()
  for (let i = 0; i < 20_000; i++) session.receive({ type: 'heartbeat', position: i, time: 0 })
  expect(heard.at(-1)).toMatchObject({ type: 'refuse', error: { code: 'overloaded' } })
})

test('[F5] a peer whose feed comes faster than the disk takes it is not read, on either end of a link', async () => {
  for (const isDialled of [false, true]) {
    const disk = await openStuckStore()
    const kernel = await openKernel({ store: disk.store, peerToken: 'peers' })
    const link = heldBack()
    const session = isDialled ? kernel.dial('space', link) : kernel.attach(link)
    const hello = helloWith({ token: 'peers', replica: peer, role: 'peer' })
    const welcome = welcomeFrom(peer, peersGeneration, { begin: 'resume' })
    for (const frame of isDialled ? [welcome, hello] : [hello]) session.receive(frame, 0)
    await settle()
    if (!isDialled) session.receive(welcome, 0)
    await settle()
    disk.stick()
    const sent = flood(session, link, i => {
      const { writes } = insertOf(`n${i}`, i + 1)
      const [delta] = writes.map(write => write.delta)
      if (delta === undefined) throw new Error('a write')
      return peersChange(i + 1, peersRow(`n${i}`, { delta, parts: 2 }))
    })
    expect([sent, link.isPaused]).toEqual([64, true])
    disk.free()
    await settle()
    expect(link.isPaused).toBe(false)
    expect((await disk.store.loadSpace('space')).record?.position).toBeGreaterThan(0)
  }
})

test('[F5] where all links together brought too much each has one frame after the other dealt with', async () => {
  const disk = await openStuckStore()
  const kernel = await openKernel({ store: disk.store })
  const links = Array.from({ length: 100 }, (_, i) => {
    const link = heldBack()
    const session = kernel.attach(link)
    return { link, session, hello: helloWith({ space: `space ${i}`, token: `user ${i}` }) }
  })
  for (const { session, hello } of links) session.receive(hello, 0)
  await settle()
  disk.stick()
  const own = 0.9 * mebibyte
  for (const { session } of links) session.receive(submitOf(0), own)
  const read = links.filter(({ link }) => !link.isPaused).length
  expect([read, read * own < 64 * mebibyte, (read + 1) * own > 64 * mebibyte]).toEqual([71, true, true])
  disk.free()
  await settle()
  expect(links.filter(({ link }) => link.isPaused)).toEqual([])
})

test('[F5] of hellos that an application does not answer no more are kept than a bound', async () => {
  const { clock, runtime } = simulatedRuntime()
  let isHanging = true
  const access = async (): Promise<'write'> => (isHanging ? new Promise(() => {}) : 'write')
  const kernel = await openKernel({ runtime, access })
  const heard: unknown[] = []
  const greet = (): void => {
    const send = (bytes: Uint8Array): void => {
      const decoded = decodeFrame(bytes)
      if (decoded.ok) heard.push(decoded.value.type === 'refuse' ? decoded.value.error.code : 'welcome')
    }
    kernel.attach({ ...bareLink, send }).receive(helloWith(), 64 * 1024)
  }
  for (let i = 0; i < 300; i++) greet()
  expect(heard).toEqual(Array.from({ length: 300 - 256 }, () => 'overloaded'))
  await clock.advance(10_000)
  expect(heard).toEqual(Array.from({ length: 300 }, () => 'overloaded'))
  isHanging = false
  greet()
  await clock.advance(100)
  expect(heard.at(-1)).toBe('welcome')
})

test('[F5] whose session the leader has not begun is held back at the follower, and nobody else', async () => {
  const { clock, runtime } = simulatedRuntime()
  const leader = await openKernel({
    runtime,
    peerToken: 'peers',
    access: async user => (user === 'mallory' ? new Promise(() => {}) : 'write'),
  })
  const follower = await openKernel({ runtime, peerToken: 'peers', follows: true })
  join(follower, leader, clock)
  await clock.advance(1000)
  const [mallory, alice] = ['mallory', 'alice'].map(user => client(follower, user))
  if (mallory === undefined || alice === undefined) throw new Error('two clients')
  await clock.advance(1000)
  expect(flood(mallory.session, mallory.link, longSubmitOf)).toBeLessThan(256)
  alice.session.receive(submitOf(100), 100)
  await clock.advance(1000)
  expect([alice.last(), mallory.last(), mallory.link.isPaused]).toMatchObject([
    { type: 'verdict', count: 1 },
    { type: 'changes' },
    true,
  ])
  await clock.advance(10_000)
  expect(mallory.last()).toMatchObject({ type: 'refuse', error: { code: 'overloaded' } })
  expect(alice.last().type).not.toBe('refuse')
})

test('[F5] what was held until the leader began a session is judged in its order', async () => {
  const { clock, runtime } = simulatedRuntime()
  const leader = await openKernel({
    runtime,
    peerToken: 'peers',
    access: () => new Promise(resolve => runtime.after(5000, () => resolve('write'))),
  })
  const follower = await openKernel({ runtime, peerToken: 'peers', follows: true })
  join(follower, leader, clock)
  await clock.advance(1000)
  const alice = client(follower, 'alice')
  await clock.advance(1000)
  const sent = flood(alice.session, alice.link, longSubmitOf)
  await clock.advance(4000)
  expect([alice.last().type, alice.link.isPaused]).toEqual(['changes', true])
  await clock.advance(2000)
  expect([alice.last(), alice.link.isPaused]).toMatchObject([
    { type: 'verdict', count: sent, exceptions: [] },
    false,
  ])
})

function client(kernel: Kernel, user: string) {
  const link = heldBack()
  const heard: Frame[] = []
  const names = createDictionary()
  const session = kernel.attach({
    ...link,
    send(bytes) {
      const decoded = decodeFrame(bytes, names)
      if (decoded.ok && decoded.value.type !== 'heartbeat') heard.push(decoded.value)
    },
  })
  const replica = writerFromBytes(new Uint8Array(8).fill(user.length)) as string as StoreId
  session.receive(helloWith({ token: user, replica }), 0)
  return {
    link,
    session,
    last(): Frame {
      const last = heard.at(-1)
      if (last === undefined) throw new Error(`${user} heard nothing`)
      return last
    },
  }
}

/** One relay dials another one; what either says takes a millisecond. */
function join(from: Kernel, to: Kernel, clock: SimulatedClock): void {
  const link = (other: () => KernelSession) => ({
    ...heldBack(),
    send(bytes: Uint8Array) {
      const decoded = decodeFrame(bytes)
      if (!decoded.ok) throw new Error(decoded.error.code)
      clock.after(1, () => other().receive(decoded.value, bytes.length))
    },
  })
  const dialled: KernelSession = to.attach(link(() => dialling))
  const dialling: KernelSession = from.dial(
    'space',
    link(() => dialled),
  )
}
