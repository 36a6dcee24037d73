// Pages that are made before anybody comes: where much came at once, or a space has grown by much and rests.
import { rowExists } from '@rejoin/core'
import { createMemoryDisk } from '@rejoin/relay/kernel'
import { expect, test } from 'vitest'
import { chance, openRelay, upTo } from './paged-relay.ts'

test('who comes new after much was written, and nothing for a while, is sent what was made before', async () => {
  const relay = await openRelay()
  for (let i = 0; i < 2000; i += 100) await relay.insert(upTo(2000).slice(i, i + 100))
  expect(await relay.readOf(() => relay.clock.advance(1500))).toBe(2000)
  const read = await relay.readOf(async () => {
    const replica = await relay.join()
    await replica.level()
    expect(replica.rows.size).toBe(2000)
  })
  expect(read).toBe(0)
  // What is little is made for who asks for it.
  await relay.insert(upTo(10))
  expect(await relay.readOf(() => relay.clock.advance(5000))).toBe(0)
  expect(await relay.readOf(async () => (await relay.join()).level())).toBe(10)
})

test('while a space grows without end nothing is made for seconds, and then what there is', async () => {
  const relay = await openRelay()
  const grow = (from: number, to: number): Promise<number> =>
    relay.readOf(async () => {
      for (let i = from; i < to; i += 100) {
        await relay.insert(upTo(to).slice(i, i + 100))
        await relay.clock.advance(300)
      }
    })
  expect(await grow(0, 2000)).toBe(0)
  const made = await grow(2000, 5000)
  expect([made > 3000, made < 5000]).toEqual([true, true])
  expect(await relay.readOf(async () => (await relay.join()).level())).toBe(5000 - made)
})

test('many documents that come at once are a page at once, also for who begins anew, and nothing is read for it', async () => {
  const relay = await openRelay()
  await relay.insert([0])
  await relay.insert(upTo(3000).slice(1))
  const replica = await relay.join()
  await replica.level()
  // What came before them is no page.
  expect([replica.rows.size, relay.read()]).toEqual([3000, 1])
  const again = await openRelay(relay.disk)
  const other = await again.join()
  await other.level()
  expect([other.rows.size, again.read()]).toEqual([3000, 1])
  // Of which many change: these are read.
  await again.insert(upTo(600).slice(1))
  expect(await again.readOf(async () => (await again.join()).level())).toBe(599)
})

test('a page that cannot be made of them costs nobody what was written', async () => {
  const deflate = (): never => {
    throw new Error('no page')
  }
  const relay = await openRelay(
    createMemoryDisk(length => chance.bytes(length)),
    { deflate },
  )
  await relay.insert(upTo(300))
  await relay.insert(upTo(600).slice(300))
  const again = await openRelay(relay.disk)
  const replica = await again.join()
  await replica.level()
  expect([replica.rows.size, again.read()]).toEqual([600, 600])
})

test('where all that was in front of a page has left, that page begins earlier', async () => {
  const relay = await openRelay()
  await relay.insert([0])
  await relay.insert(upTo(3000).slice(1))
  await relay.insert([0])
  const replica = await relay.join()
  await replica.level()
  expect(replica.rows.size).toBe(3000)
  expect(await relay.readOf(async () => (await relay.join()).level())).toBe(0)
  expect(replica.pages).toBe(2)
})

test('[P4, P5] a write that comes while pages are made comes behind them, and the rest is made when it rests again', async () => {
  const relay = await openRelay()
  for (let i = 0; i < 2000; i += 100) await relay.insert(upTo(2000).slice(i, i + 100))
  let written: Promise<void> | null = null
  relay.atNextRead(() => (written = relay.remove([0, 499, 500, 1999])))
  const read = await relay.readOf(() => relay.clock.advance(1200))
  expect(read).toBeLessThan(2000)
  await written
  await relay.clock.advance(1500)
  const replica = await relay.join()
  await replica.level()
  expect([...replica.rows.values()].filter(rowExists).length).toBe(1996)
  expect(await relay.readOf(async () => (await relay.join()).level())).toBe(0)
})

test('a relay that ends makes none any more, and leaves no timer', async () => {
  const relay = await openRelay()
  for (let i = 0; i < 2000; i += 100) await relay.insert(upTo(2000).slice(i, i + 100))
  await relay.drain()
  const { steps } = relay.clock
  expect(await relay.readOf(() => relay.clock.advance(60_000))).toBe(0)
  expect(relay.clock.steps).toBe(steps)
})
