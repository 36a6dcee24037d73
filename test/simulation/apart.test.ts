// Relays that know nothing of each other, and replicas that speak with all of them at once.
import { expect, test } from 'vitest'
import { begin, open } from './small-cluster.ts'

test('[S3] who writes upon what all relays told waits for nothing, and gives them nothing', async () => {
  const cluster = await begin({ relays: 3, devices: 2, links: 'none', write: 2 })
  const [mine, theirs] = [await open(cluster, 0), await open(cluster, 1)]
  mine.notes.insert({ title: 'a', color: 'amber' }, { id: 'a' })
  await cluster.clock.advance(10_000)
  const before = cluster.paths.ranges
  const waits: number[] = []
  for (let i = 0; i < 10; i++) {
    mine.notes.update('a', { title: `${i}` })
    await cluster.clock.advance(500)
    const at = cluster.clock.time
    const { reached } = theirs.notes.update('a', { views: { increment: 1 } })
    void reached('quorum').then(() => waits.push(cluster.clock.time - at))
    await cluster.clock.advance(3000)
  }
  expect(waits).toHaveLength(10)
  expect(Math.max(...waits)).toBeLessThan(500)
  expect(cluster.paths.ranges).toBe(before)
})
