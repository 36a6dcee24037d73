// Heartbeats of a relay: one in ten seconds for each session, whatever came and went before.
import { createDictionary, decodeFrame } from '@rejoin/core'
import { createCluster, type SimulatedRelay, helloWith } from '@rejoin/testkit'
import { expect, onTestFinished, test } from 'vitest'

const hello = helloWith()

test('a space that is let go and opened again within a heartbeat has one heartbeat, and not two', async () => {
  const cluster = await createCluster({ seed: 3, relays: 1, devices: 0 })
  onTestFinished(cluster.close)
  const [relay] = cluster.relays as [SimulatedRelay]
  let beats = 0
  const begin = () => {
    const names = createDictionary()
    const session = relay.kernel.attach({
      address: 'somewhere',
      buffered: () => 0,
      send(bytes) {
        const decoded = decodeFrame(bytes, names)
        if (decoded.ok && decoded.value.type === 'heartbeat') beats += 1
      },
      close: () => {},
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
