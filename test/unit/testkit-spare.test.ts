// Which relays a simulation may lose for good.
import { createCluster } from '@rejoin/testkit'
import { expect, onTestFinished, test } from 'vitest'

test.each([
  [3, 2, 1],
  [4, 2, 1],
  [4, 3, 1],
  [3, 1, 0],
  [3, undefined, 2],
])(
  'of %i relays, on %s of which a write is to be, so many may be lost that writes and reads have enough: %i',
  async (relays, write, spare) => {
    const cluster = await createCluster({ seed: 1, relays, write, links: 'mesh' })
    onTestFinished(cluster.close)
    let lost = 0
    for (let next = cluster.relays[0]; next && cluster.isSpare(next); next = cluster.relays[0], lost++)
      cluster.lose(next)
    expect(lost).toBe(spare)
  },
)
