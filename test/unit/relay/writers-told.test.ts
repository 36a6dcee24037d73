// What a relay remembers of writers, its peers are told (SPEC T4).
import { writerFromBytes } from '@rejoin/core'
import { createCluster, type SimulatedRelay } from '@rejoin/testkit'
import { expect, onTestFinished, test } from 'vitest'

const space = 'space'
const writer = writerFromBytes(new Uint8Array(8).fill(7))

test('[T4] a peer that was away is told of a writer of whom a relay learned without a row that changed', async () => {
  const cluster = await createCluster({ seed: 5, relays: 2, devices: 1 })
  onTestFinished(cluster.close)
  const [relay, peer] = cluster.relays as [SimulatedRelay, SimulatedRelay]
  const [device] = cluster.devices
  const pass = async (): Promise<void> => {
    cluster.linkPeers()
    await cluster.clock.advance(5000)
  }
  const open = device === undefined ? null : await cluster.openTab(device)
  open?.replica.notes.insert({ title: 'a', color: 'amber' }, { id: 'a' })
  await pass()
  await pass()

  cluster.network.cut(relay.url, peer.url, 'told')
  const { record } = await relay.store.loadSpace(space)
  if (record === null) throw new Error('there is no commit')
  const learned = { writer, user: 'alice', device: 'd', highest: { ms: 1, tick: 0, writer } }
  await relay.store.commit({
    space,
    record,
    rows: new Map(),
    texts: [],
    writers: [learned],
    generations: [],
  })
  await pass()
  cluster.network.heal(relay.url, peer.url)
  await pass()
  expect(await peer.store.writers(space, [writer])).toEqual([learned])
})
