// What is at quorum is told by the relay that judged it, and by its peers to who has come from there (SPEC A3).
import { decodeFrame } from '@rejoin/core'
import type { KernelSession, SessionLink } from '@rejoin/relay/kernel'
import { createCluster, type SimulatedDevice, type SimulatedRelay } from '@rejoin/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { bareLink } from './bare-kernel.ts'

test('[A3] who left the relay that took a write hears of its quorum from a peer', async () => {
  const { network, device, open, pass, urls } = await place('line')
  const [first, middle, last] = urls
  network.cut(first, middle, 'told')
  for (const other of [middle, last]) network.cut(device.name, other, 'told')
  await pass(1000)
  const replica = await open()
  await pass(5000)
  const written = replica?.notes.insert({ title: 'a', color: 'amber' })
  await pass(5000)
  await written?.reached('relay')
  let isTold = false
  written?.reached('quorum').then(
    () => (isTold = true),
    () => {},
  )
  // It goes to the relay at the other end, for good, before anybody there has the write.
  network.cut(device.name, first, 'told')
  network.heal(device.name, last)
  await pass(20_000)
  expect([isTold, replica?.status.get().relays[0]?.url]).toEqual([false, last])
  network.heal(first, middle)
  for (let i = 0; i < 6; i++) await pass(10_000)
  expect(isTold).toBe(true)
})

test('[A3] a relay that has dialled itself, as one of a list that all have, counts its disk once', async () => {
  const cluster = await createCluster({ seed: 7, relays: 1, devices: 1, ackReplicas: 1 })
  onTestFinished(cluster.close)
  const [relay] = cluster.relays as [SimulatedRelay]
  let heard = 0
  const link = (to: () => KernelSession): SessionLink => ({
    ...bareLink,
    send(bytes) {
      const decoded = decodeFrame(bytes)
      if (!decoded.ok) throw new Error(decoded.error.code)
      heard += 1
      cluster.clock.after(1, () => to().receive(decoded.value, bytes.length))
    },
  })
  const dialled: KernelSession = relay.kernel.attach(link(() => dialling))
  const dialling: KernelSession = relay.kernel.dial(
    'space',
    link(() => dialled),
  )
  await cluster.clock.advance(1000)
  expect(heard).toBeGreaterThan(4)
  const open = await cluster.openTab(cluster.devices[0] as SimulatedDevice)
  const written = open?.replica.notes.insert({ title: 'a', color: 'amber' })
  let isTold = false
  written?.reached('quorum').then(
    () => (isTold = true),
    () => {},
  )
  await cluster.clock.advance(60_000)
  await written?.reached('relay')
  expect(isTold).toBe(false)
})

test('[A3] a relay that dials another one hears of what was at quorum before that', async () => {
  const { network, device, open, pass, urls } = await place('followers')
  const [leader, follower, late] = urls
  for (const other of [follower, late]) {
    network.cut(other, leader, 'told')
    network.cut(device.name, other, 'told')
  }
  await pass(1000)
  const replica = await open()
  const written = replica?.notes.insert({ title: 'a', color: 'amber' })
  await pass(5000)
  await written?.reached('relay')
  let isTold = false
  written?.reached('quorum').then(
    () => (isTold = true),
    () => {},
  )
  network.cut(device.name, leader, 'told')
  network.heal(follower, leader)
  await pass(20_000)
  // All that it is greeted with comes before it is ready to take it in.
  network.latency(1, 1.001)
  network.heal(late, leader)
  await pass(1000)
  network.heal(device.name, late)
  for (let i = 0; i < 6; i++) await pass(10_000)
  expect([isTold, replica?.status.get().relays[0]?.url]).toEqual([true, late])
})

test('[A3] who has told what is at quorum is not told of it', async () => {
  const cluster = await createCluster({ seed: 7, relays: 2, links: 'followers', devices: 1, ackReplicas: 1 })
  onTestFinished(cluster.close)
  const [leader] = cluster.relays.map(({ url }) => url) as [string]
  const [device] = cluster.devices
  if (device === undefined) throw new Error('there is a device')
  cluster.network.cut(device.name, leader, 'told')
  cluster.linkPeers()
  const replica = (await cluster.openTab(device))?.replica
  await cluster.clock.advance(5000)
  const written = replica?.notes.insert({ title: 'a', color: 'amber' })
  await cluster.clock.advance(5000)
  await written?.reached('quorum')
  // The leader tells its follower, and that one the client.
  expect(cluster.paths.quorum).toBe(2)
})

/** Three relays, of which two make a quorum, and a device. */
async function place(links: 'line' | 'followers') {
  const cluster = await createCluster({ seed: 7, relays: 3, links, devices: 1, ackReplicas: 1 })
  onTestFinished(cluster.close)
  const { clock, network } = cluster
  const [device] = cluster.devices
  if (device === undefined) throw new Error('there is a device')
  return {
    network,
    device,
    urls: cluster.relays.map(({ url }) => url) as [string, string, string],
    open: async () => (await cluster.openTab(device))?.replica,
    async pass(ms: number): Promise<void> {
      cluster.linkPeers()
      await clock.advance(ms)
    },
  }
}
