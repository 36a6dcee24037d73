// A relay that dials its peers, and what it lets go of meanwhile.
import { createCluster, type OpenTab } from '@rejoin/testkit'
import { expect, onTestFinished, test } from 'vitest'

test('[A1] a space that nobody is attached to is not let go while a peer is being dialled', async () => {
  const cluster = await createCluster({ seed: 7, relays: 2, links: 'line', devices: 2 })
  onTestFinished(cluster.close)
  const { clock, network, relays, devices } = cluster
  const [from, to] = relays.map(({ url }) => url) as [string, string]
  const [near, far] = devices.map(({ name }) => name) as [string, string]
  network.cut(near, to, 'told')
  network.cut(far, from, 'told')
  cluster.linkPeers()
  await clock.advance(1000)
  network.cut(from, to, 'told')
  // Idle for half a minute it would be dropped: the peer is dialled before that, and answers after it.
  await clock.advance(29_000)
  network.latency(1000, 1001)
  network.heal(from, to)
  cluster.linkPeers()
  await clock.advance(6000)
  network.quicken()
  const [alice, bob] = (await Promise.all(devices.map(device => cluster.openTab(device)))) as [
    OpenTab,
    OpenTab,
  ]
  bob.replica.notes.insert({ title: 'a', color: 'amber' }, { id: 'a' })
  await clock.advance(5000)
  expect(alice.replica.notes.get('a')?.title).toBe('a')
})
