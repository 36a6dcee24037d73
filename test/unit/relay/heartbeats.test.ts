// Heartbeats of a relay: one in ten seconds for each session, whatever came and went before.
import { createCluster, type SimulatedRelay, helloWith } from '@rejoin/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { attach } from './bare-kernel.ts'

const hello = helloWith()

test('a space that is let go and opened again within a heartbeat has one heartbeat, and not two', async () => {
  const cluster = await createCluster({ seed: 3, relays: 1, devices: 0 })
  onTestFinished(cluster.close)
  const [relay] = cluster.relays as [SimulatedRelay]
  let beats = 0
  const begin = () => {
    const session = attach(relay.kernel, ({ type }) => {
      if (type === 'heartbeat') beats += 1
    })
    session.receive(hello)
    return session
  }
  for (let i = 0; i < 4; i++) {
    const session = begin()
    await cluster.clock.advance(1000)
    session.closed()
    // It is let go after half a minute.
    await cluster.clock.advance(31_000)
  }
  const session = begin()
  await cluster.clock.advance(1000)
  beats = 0
  await cluster.clock.advance(30_000)
  expect(beats).toBe(3)
  session.closed()
})
