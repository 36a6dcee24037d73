// Pages in the store: who comes after a relay has begun anew is sent what others were sent before.
import { documentKey, rowExists } from '@rejoin/core'
import { expect, test } from 'vitest'
import { chance, openRelay, upTo } from './paged-relay.ts'

test('after a relay has begun anew, who comes is sent what was stored, and nothing is read for it', async () => {
  const relay = await openRelay()
  for (let i = 0; i < 2000; i += 100) await relay.insert(upTo(2000).slice(i, i + 100))
  await relay.clock.advance(1500)
  const { disk } = relay
  const again = await openRelay(disk)
  const replica = await again.join()
  await replica.level()
  expect([replica.rows.size, again.read()]).toEqual([2000, 0])
  // What changed is read, and what was stored is sent all the same.
  await again.insert([3])
  await again.remove([1200, 1999])
  const later = await openRelay(disk)
  const other = await later.join()
  await other.level()
  expect([...other.rows.values()].filter(rowExists).length).toBe(1998)
  expect(later.read()).toBe(3)
  // Links that are given fewer bytes, or no longer, are sent nothing that was made for others.
  const deflating = await openRelay(disk, { deflate: frame => frame })
  expect(deflating.read()).toBeGreaterThan(1500)
})

test('what was made for who came first is stored once the space rests', async () => {
  const { disk, insert } = await openRelay()
  for (let i = 0; i < 2000; i += 100) await insert(upTo(2000).slice(i, i + 100))
  const second = await openRelay(disk)
  expect(second.read()).toBe(2000)
  expect((await openRelay(disk)).read()).toBe(2000)
  const last = await openRelay(disk)
  await last.clock.advance(1500)
  expect((await openRelay(disk)).read()).toBe(0)
})

test('of a stored page of which much has left, and of none beside it, another one is made', async () => {
  const { disk, insert, clock } = await openRelay()
  for (let i = 0; i < 2000; i += 100) await insert(upTo(2000).slice(i, i + 100))
  await clock.advance(1500)
  const second = await openRelay(disk)
  await second.insert(upTo(200))
  const third = await openRelay(disk)
  expect([third.read() > 500, third.read() < 1000]).toEqual([true, true])
})

test('[P2, P4, P5] whatever is written, stored and begun anew, each new replica has what is there', async () => {
  let relay = await openRelay()
  await relay.insert(upTo(1500))
  const here = new Set(upTo(1500))
  let [spared, stored] = [0, 0]
  for (let round = 0; round < 40; round++) {
    const ids = [...new Set(upTo(1 + chance.below(40)).map(() => chance.below(1700)))]
    if (chance.chance(0.5)) {
      await relay.insert(ids)
      for (const id of ids) here.add(id)
    } else {
      const known = ids.filter(id => here.has(id))
      await relay.remove(known)
      for (const id of known) here.delete(id)
    }
    if (chance.chance(0.3)) await relay.clock.advance(1500)
    if (chance.chance(0.3)) {
      relay = await openRelay(relay.disk)
      if (relay.read() < 1000) stored += 1
    }
    const replica = await relay.join()
    await replica.level()
    const rows = [...replica.rows].filter(([, row]) => rowExists(row)).map(([key]) => key)
    expect(rows.toSorted()).toEqual(Array.from(here, id => documentKey('notes', `n${id}`)).toSorted())
    if (replica.rows.size === here.size) spared += 1
  }
  expect([spared > 0, stored > 0]).toEqual([true, true])
})
