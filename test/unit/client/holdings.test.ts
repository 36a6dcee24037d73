// Whether a browser went down while a replica of an origin was held: told to whoever opens the first one after it.
import {
  createMemoryStorage,
  createProcessLocks,
  openHoldings,
  type Marker,
  type MarkerRecord,
} from '@rejoin/client'
import type { Holdings } from '@rejoin/client'
import type { StoreId } from '@rejoin/core'
import { expect, test } from 'vitest'

interface Profile {
  /** What has reached the disk of what the markers say. */
  readonly left: Map<string, string | null>
  open(name: string): Promise<Holdings>
  /** The browser is gone, and its locks with it; what its databases hold stays. */
  crash(): void
}

function createProfile(): Profile {
  const openStorage = createMemoryStorage()
  const left = new Map<string, string | null>()
  let locks = createProcessLocks()
  function markerOf(own: string): Marker {
    return {
      read: (name = own): MarkerRecord | null => {
        const ended = left.get(name)
        return ended === undefined ? null : { replica: name as StoreId, left: ended, unsent: 0 }
      },
      write: () => {},
    }
  }
  return {
    left,
    open: name => openHoldings(openStorage, locks, name, markerOf(name)),
    crash() {
      locks = createProcessLocks()
    },
  }
}

test('an end in order is told of no replica', async () => {
  const profile = createProfile()
  const first = await profile.open('one')
  expect(first.unclean).toBe(false)
  await first.note('a')
  profile.left.set('one', 'a')
  first.close()
  expect((await profile.open('one')).unclean).toBe(false)
})

test('a browser that went down with one replica is told to whoever opens another, until that is settled', async () => {
  const profile = createProfile()
  await (await profile.open('one')).note('a')
  profile.crash()
  const other = await profile.open('two')
  expect(other.unclean).toBe(true)
  profile.crash()
  const again = await profile.open('two')
  expect(again.unclean).toBe(true)
  await again.settle()
  profile.crash()
  expect((await profile.open('two')).unclean).toBe(false)
})

test('a marker that tells of the holding before, since the last one came too late to the disk, is no order', async () => {
  const profile = createProfile()
  const first = await profile.open('one')
  await first.note('a')
  profile.left.set('one', 'a')
  await first.note('b')
  profile.crash()
  expect((await profile.open('two')).unclean).toBe(true)
})

test('a replica that is open beside it is no disorder, whoever of them was there first', async () => {
  const profile = createProfile()
  const one = await profile.open('one')
  await one.note('a')
  const two = await profile.open('two')
  expect(two.unclean).toBe(false)
  await two.note('b')
  profile.left.set('one', 'a')
  one.close()
  const three = await profile.open('three')
  expect(three.unclean).toBe(false)
  // A page that is put away has left, and is there again when it comes back.
  profile.left.set('two', 'b')
  two.leave()
  three.leave()
  expect((await profile.open('four')).unclean).toBe(false)
  two.back()
})
