// Pages that a relay keeps: new replicas come, between them people write, and each of them gets what is there then.
import { rowExists } from '@rejoin/core'
import { expect, test } from 'vitest'
import { chance, openRelay, upTo } from './paged-relay.ts'

test('a new replica is sent what one before it was sent, and nothing is read for it', async () => {
  const relay = await openRelay()
  for (let i = 0; i < 2000; i += 100) await relay.insert(upTo(2000).slice(i, i + 100))
  const read = await relay.readOf(async () => (await relay.join()).level())
  expect(read).toBe(2000)
  const second = await relay.join()
  await second.level()
  expect(second.rows.size).toBe(2000)
  expect(await relay.readOf(async () => (await relay.join()).level())).toBe(0)
  // A row of the first page changes: it comes once more, and all pages are kept.
  await relay.insert([3])
  expect(await relay.readOf(async () => (await relay.join()).level())).toBe(1)
  // Much of the first page changes: no other one is made anew.
  await relay.insert(upTo(200))
  const again = await relay.readOf(async () => (await relay.join()).level())
  expect([again > 500, again < 1000]).toEqual([true, true])
  expect(await relay.readOf(async () => (await relay.join()).level())).toBe(0)
})

test('[F3] a page that is longer than the credit of who comes first is sent to its end, and kept', async () => {
  const relay = await openRelay()
  // Two frames.
  await relay.insert(upTo(6000))
  const first = await relay.join(500)
  expect([first.pages, first.rows.size]).toEqual([2, 6000])
  await first.send({ type: 'credit', bytes: 1_000_000 })
  await first.level()
  expect(await relay.readOf(async () => (await relay.join()).level())).toBe(0)
})

test('[P2, P5] whatever is written between them, each new replica has what is there', async () => {
  const relay = await openRelay()
  await relay.insert(upTo(1500))
  let removed = 0
  for (let round = 0; round < 12; round++) {
    const replica = await relay.join()
    await replica.level()
    removed = [...replica.rows.values()].filter(row => !rowExists(row)).length
    const some = upTo(1 + chance.below(8)).map(() => chance.below(1700))
    const ids = [...new Set(some)]
    await (chance.chance(0.5) ? relay.insert(ids) : relay.remove(ids))
  }
  expect(removed).toBeGreaterThan(0)
})

test('[P4] who began before a deletion hears of it, whatever was kept for those who began later', async () => {
  const relay = await openRelay()
  for (let i = 0; i < 1500; i += 100) await relay.insert(upTo(1500).slice(i, i + 100))
  // They have credit for one page.
  const slow = await relay.join(500)
  const slower = await relay.join(500)
  expect(slow.pages).toBe(1)
  expect(slower.rows.size).toBeLessThan(1500)
  await relay.remove([0, 1400])
  await slow.send({ type: 'credit', bytes: 1_000_000 })
  await slow.level()
  const late = await relay.join()
  await late.level()
  expect([...late.rows.values()].filter(rowExists).length).toBe(1498)
  expect(await relay.readOf(async () => (await relay.join()).level())).toBe(0)
  await slower.send({ type: 'credit', bytes: 1_000_000 })
  await slower.level()
})

test('[P4] who began before a deletion is not sent pages in which those who began later are spared it', async () => {
  const relay = await openRelay()
  for (let i = 0; i < 1500; i += 100) await relay.insert(upTo(1500).slice(i, i + 100))
  const slow = await relay.join(500)
  expect(slow.pages).toBe(1)
  await relay.remove(upTo(1500).filter(id => id % 2 === 0))
  const late = await relay.join()
  await late.level()
  expect([late.rows.size, [...late.rows.values()].every(rowExists)]).toEqual([750, true])
  await slow.send({ type: 'credit', bytes: 1_000_000 })
  await slow.level()
})
