/** The fence between tabs: who was taken over stores nothing any more, and who ends in order leaves nothing behind. */
import { createMemoryStorage, takeFence, type Fence } from '@rejoin/client'
import { StorageCollision, type Storage } from '@rejoin/core'
import { describe, expect, test } from 'vitest'
import { runtime } from './journal-tabs.ts'

const stores = [{ name: 'terms', autoIncrement: false }]
const take = (storage: Storage): Promise<Fence> => takeFence(storage, 'terms', runtime)
const write = (fence: Fence): Promise<unknown> =>
  fence.transact({ stores: [], durability: 'strict', early: true, requests: [] })

describe('a fence', () => {
  test('bars a holder that went on between the look at it and the taking', async () => {
    const storage = await open()
    const old = await take(storage)
    let looks = 0
    const next = await take({
      ...storage,
      async transact(options) {
        const answers = await storage.transact(options)
        if (options.mode === 'readonly' && ++looks === 1) for (let i = 0; i < 3; i++) await write(old)
        return answers
      },
    })
    expect(looks).toBe(2)
    await expect(write(old)).rejects.toThrow(StorageCollision)
    await write(next)
    expect(await next.check()).toBe(true)
  })

  test('is not got by who was frozen in the middle of taking it, while others took it and let it go', async () => {
    const storage = await open()
    for (const last of ['freed', 'held'] as const) {
      const first = await take(storage)
      if (last === 'freed') first.release()
      await first.settled()
      let isLate = false
      const late = await take({
        ...storage,
        async transact(options) {
          const answers = await storage.transact(options)
          if (options.mode !== 'readonly' || isLate) return answers
          isLate = true
          for (let i = 0; i < 3; i++) {
            const between = await take(storage)
            await write(between)
            await write(between)
            between.release()
            await between.settled()
          }
          return answers
        },
      })
      const newest = await take(storage)
      expect(newest.term).toBeGreaterThan(late.term)
      await expect(write(late)).rejects.toThrow(StorageCollision)
      await write(newest)
    }
  })

  test('that is let go a hundred times leaves no more than one that is let go once', async () => {
    const storage = await open()
    const counts: number[] = []
    for (let i = 0; i < 100; i++) {
      const fence = await take(storage)
      await write(fence)
      fence.release()
      await fence.settled()
      counts.push(await countKeys(storage))
    }
    expect(counts.at(-1)).toBe(counts[0])
  })

  test('whose holder meets its bar, be it as it lets go, leaves no more than one that was let go before', async () => {
    const storage = await open()
    let holder = await take(storage)
    for (let i = 0; i < 100; i++) {
      await write(holder)
      const next = await take(storage)
      if (i % 2 === 0) holder.release()
      else await expect(write(holder)).rejects.toThrow(StorageCollision)
      await holder.settled()
      holder = next
    }
    // Its own, and what the one before it had.
    expect(await countKeys(storage)).toBeLessThanOrEqual(3)
    expect(await holder.check()).toBe(true)
  })

  test('of a tab that froze holds it off, however many took it and let it go meanwhile', async () => {
    const storage = await open()
    const frozen = await take(storage)
    await write(frozen)
    for (let i = 0; i < 50; i++) {
      const fence = await take(storage)
      await write(fence)
      fence.release()
      await fence.settled()
    }
    await expect(write(frozen)).rejects.toThrow(StorageCollision)
  })

  test('of a tab that slept until its bar was pruned holds it off, and not one that slept alone', async () => {
    let now = 1_764_000_000_000
    const sleepy = { ...runtime, now: () => now }
    const storage = await open()
    const alone = await takeFence(storage, 'terms', sleepy)
    now += 40 * 24 * 3_600_000
    await write(alone)
    const next = await takeFence(storage, 'terms', sleepy)
    now += 40 * 24 * 3_600_000
    await write(next)
    next.release()
    await next.settled()
    await takeFence(storage, 'terms', sleepy)
    await expect(write(alone)).rejects.toThrow(StorageCollision)
  })

  test('guards what it was given before it was let go, and takes nothing after', async () => {
    const storage = await open()
    const fence = await take(storage)
    const before = [write(fence), write(fence)]
    fence.release()
    await expect(write(fence)).rejects.toThrow(StorageCollision)
    await Promise.all(before)
    expect(fence.lost).toBe(true)
    expect((await take(storage)).term).toBe(fence.term + 1)
  })
})

function open(): Promise<Storage> {
  return createMemoryStorage()('fences', 1, stores)
}

async function countKeys(storage: Storage): Promise<number> {
  const [keys] = await storage.transact({
    stores: ['terms'],
    mode: 'readonly',
    requests: [{ op: 'getAllKeys', store: 'terms' }],
  })
  return (keys as readonly unknown[]).length
}
