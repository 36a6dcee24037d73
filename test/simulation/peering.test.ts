// Whom a relay has reached that dialled another one, when a copy of that one takes its place.
import { expect, test } from 'vitest'
import { begin, pass } from './small-cluster.ts'

test('who has reached the copy of a relay keeps that link, and dials no second one, when the relay before it dies', async () => {
  const leader = 'ws://relay-0'
  const cluster = await begin({ relays: 2, links: 'followers', devices: 0 })
  await pass(cluster, 1000)
  expect(cluster.network.openLinks(leader)).toBe(1)
  cluster.network.cut('ws://relay-1', leader, 'told')
  await pass(cluster, 1000)
  cluster.network.heal('ws://relay-1', leader)
  cluster.network.latency(500, 500)
  cluster.linkPeers()
  const [relay] = cluster.relays
  const before = await relay?.replaceByCopy(relay.image())
  // The copy is reached, and has not answered yet.
  await cluster.clock.advance(600)
  before?.kill()
  await pass(cluster, 10_000)
  await pass(cluster, 10_000)
  expect(cluster.network.openLinks(leader)).toBe(1)
})
