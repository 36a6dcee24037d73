// A relay that folds what was typed into a text's snapshot, while people go on and come back.
import { documentKey, partName } from '@rejoin/core'
import { createCluster, type Cluster, type OpenTab, type SimulatedRelay } from '@rejoin/testkit'
import { headOfBody } from '@rejoin/resolve/screen'
import { afterEach, expect, test } from 'vitest'

const space = 'space'
const key = documentKey('notes', 'page')
const part = partName('text', 'body')
let cluster: Cluster

afterEach(() => cluster.close())

/** Two people with a text before them, both online. */
async function writing(): Promise<{ relay: SimulatedRelay; alice: OpenTab; bob: OpenTab }> {
  cluster = await createCluster({ seed: 11, relays: 1, devices: 2 })
  const [relay] = cluster.relays as [SimulatedRelay]
  const tabs: OpenTab[] = []
  for (const device of cluster.devices) {
    const open = await cluster.openTab(device)
    if (open !== null) tabs.push(open)
  }
  const [alice, bob] = tabs as [OpenTab, OpenTab]
  alice.replica.notes.insert({ title: 'page', color: 'amber', log: ['page'] }, { id: 'page' })
  await cluster.clock.advance(3000)
  return { relay, alice, bob }
}

function textOf({ replica }: OpenTab) {
  return replica.notes.text('page', 'body')
}

/** Types so many words, each in a tick of its own. */
async function type(open: OpenTab, words: number, word: string): Promise<void> {
  const handle = textOf(open)
  await cluster.clock.advance(50)
  await handle.whenReady
  for (let i = 0; i < words; i++) {
    handle.text.insert(handle.text.length, `${word} ${i}. `)
    await cluster.clock.advance(10)
  }
  handle.close()
}

async function sizes({ store }: SimulatedRelay) {
  const text = (await store.rows(space, [key])).get(key)?.texts.get(part)
  return { ...(await store.textSize(space, key, part)), row: text?.bytes }
}

async function read(open: OpenTab): Promise<string> {
  const handle = textOf(open)
  await cluster.clock.advance(3000)
  await handle.whenReady
  const content = String(handle.text)
  handle.close()
  return content
}

test('[X2] a tail is folded a while after it was typed, and the row tells the new size', async () => {
  const { relay, alice } = await writing()
  await type(alice, 60, 'word')
  await cluster.clock.advance(200)
  const before = await relay.store.textBody(space, key, part)
  await cluster.clock.advance(3000)
  const after = await relay.store.textBody(space, key, part)
  expect(cluster.paths['text-folded']).toBeGreaterThan(0)
  const { snapshot, tail, row } = await sizes(relay)
  expect(tail).toBeLessThan(1024)
  expect(snapshot).toBeGreaterThan(0)
  expect(row).toBe(snapshot + tail)
  expect(after.length).toBeLessThan(before.length / 4)
  expect(headOfBody(after).digest).toBe(headOfBody(before).digest)
})

test('[X2] a text that is short stays as it is', async () => {
  const { relay, alice } = await writing()
  await type(alice, 5, 'word')
  await cluster.clock.advance(5000)
  expect(cluster.paths['text-folded']).toBe(0)
  expect((await sizes(relay)).snapshot).toBe(0)
})

test('[X2] people type on while it is folded, again and again', async () => {
  const { relay, alice, bob } = await writing()
  await Promise.all([type(alice, 300, 'alice'), type(bob, 300, 'bob')])
  await cluster.clock.advance(5000)
  expect(cluster.paths['text-folded']).toBeGreaterThan(2)
  const [hers, his] = [await read(alice), await read(bob)]
  expect(hers).toBe(his)
  expect(hers.match(/alice \d+\. /g)).toHaveLength(300)
  expect(hers.match(/bob \d+\. /g)).toHaveLength(300)
  const { snapshot, tail, row } = await sizes(relay)
  expect(row).toBe(snapshot + tail)
  expect(tail).toBeLessThanOrEqual(Math.max(1024, snapshot / 16))
  expect(relay.errors).toEqual([])
})

test('[X6] who was away while it was folded asks for the difference, and has all of it', async () => {
  const { relay, alice, bob } = await writing()
  await type(bob, 3, 'bob')
  cluster.network.cut(cluster.devices[1]?.name ?? '', relay.url, 'told')
  await type(alice, 100, 'alice')
  await type(bob, 3, 'offline')
  await cluster.clock.advance(5000)
  expect(cluster.paths['text-folded']).toBeGreaterThan(0)
  const differences = cluster.paths['text-difference']
  cluster.network.heal(cluster.devices[1]?.name ?? '', relay.url)
  await cluster.clock.advance(60_000)
  const [hers, his] = [await read(alice), await read(bob)]
  expect(cluster.paths['text-difference']).toBeGreaterThan(differences)
  expect(hers).toBe(his)
  expect(hers.match(/offline \d+\. /g)).toHaveLength(3)
  expect(hers.match(/alice \d+\. /g)).toHaveLength(100)
})

test.each(['before', 'after'] as const)(
  '[X2, A1] a relay that dies %s a swap is on disk loses nothing, and folds when somebody types on',
  async moment => {
    const { relay, alice, bob } = await writing()
    await type(alice, 60, 'word')
    await cluster.clock.advance(100)
    relay.crashAtCommit(moment)
    await cluster.clock.advance(60_000)
    expect(relay.commitCrashes).toBe(1)
    const stands = await sizes(relay)
    expect(stands.row).toBe(stands.snapshot + stands.tail)
    expect(stands.snapshot > 0).toBe(moment === 'after')
    await type(alice, 3, 'more')
    await cluster.clock.advance(5000)
    expect((await sizes(relay)).snapshot).toBeGreaterThan(0)
    expect((await read(bob)).match(/word \d+\. /g)).toHaveLength(60)
    expect(await read(bob)).toBe(await read(alice))
  },
)
