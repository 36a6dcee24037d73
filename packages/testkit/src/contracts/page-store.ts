/** The contract of the pages of a `RelayStore`: they are what they were, and it is known how many of their rows have left. */
import type { RelayStore, StoredPage } from '@rejoin/core'
import { commitAt, row } from './feed-rows.ts'
import type { RelayDisk } from './relay-store-claim.ts'
import type { ContractRunner } from './storage.ts'

/** `name` goes in front of each claim. */
export function pageStoreContract(
  name: string,
  createDisk: () => Promise<RelayDisk>,
  { test, equal }: ContractRunner,
): void {
  /** Of a space of nine rows, one at each position. Twice over: as they are at once, and in a store that was opened again. */
  const claim = (text: string, write: (store: RelayStore) => Promise<void>, expected: Expected): void => {
    test(`${name}: ${text}`, async () => {
      const disk = await createDisk()
      const store = await disk.open()
      for (let at = 1; at <= 9; at++) await store.commit(commitAt(at, [row(`${at}`, at)]))
      await write(store)
      await store.close()
      const again = await disk.open()
      const found = expected.at.map(([from]) => again.pages.at('team', from))
      equal(
        await Promise.all(found),
        expected.at.map(([, one]) => one),
      )
      if (expected.next !== undefined) equal(await again.pages.next('team', 0), expected.next)
      await again.close()
      await disk.remove()
    })
  }

  claim('what was never stored is not there', async () => {}, { at: [[0, null]], next: Infinity })

  claim(
    'a page comes back as it was stored, its frames one by one, and those that have none',
    async store => {
      await store.pages.put('team', page(0, 5))
      await store.pages.put('team', { ...page(5, 9), frames: [] })
    },
    {
      at: [
        [0, { page: page(0, 5), left: 0 }],
        [5, { page: { ...page(5, 9), frames: [] }, left: 0 }],
        [1, null],
      ],
      next: 5,
    },
  )

  claim(
    'rows that changed since have left its stretch, and new ones are in none',
    async store => {
      await store.pages.put('team', page(0, 5))
      await store.pages.put('team', page(5, 9))
      await store.commit(commitAt(10, [row('2', 10), row('4', 10), row('new', 10)]))
      await store.commit(commitAt(11, [row('2', 11), row('9', 11)]))
    },
    {
      at: [
        [0, { page: page(0, 5), left: 2 }],
        [5, { page: page(5, 9), left: 1 }],
      ],
    },
  )

  claim(
    'a page takes the place of those that it overlaps, and of no other',
    async store => {
      for (const from of [0, 2, 4, 6]) await store.pages.put('team', page(from, from + 2))
      await store.pages.put('team', page(3, 6))
    },
    {
      at: [
        [0, { page: page(0, 2), left: 0 }],
        [2, null],
        [3, { page: page(3, 6), left: 0 }],
        [4, null],
        [6, { page: page(6, 8), left: 0 }],
      ],
      next: 3,
    },
  )

  claim(
    'spaces have pages of their own',
    async store => {
      await store.commit({ ...commitAt(3, [row('1', 3)]), space: 'other' })
      await store.pages.put('other', page(2, 3))
    },
    { at: [[2, null]], next: Infinity },
  )

  test(`${name}: of rows that changed just now it is known, or it cannot be told`, async () => {
    const disk = await createDisk()
    const store = await disk.open()
    for (let at = 1; at <= 9; at++) await store.commit(commitAt(at, [row(`${at}`, at)]))
    await store.pages.put('team', page(0, 5))
    await store.commit(commitAt(10, [row('2', 10)]))
    equal((await store.pages.at('team', 0))?.left ?? 1, 1)
    await store.close()
    await disk.remove()
  })
}

interface Expected {
  readonly at: readonly (readonly [from: number, Awaited<ReturnType<RelayStore['pages']['at']>>])[]
  readonly next?: number
}

/** Of a space with a row at each position. */
function page(from: number, to: number): StoredPage {
  const frames = [Uint8Array.of(from, to), new Uint8Array(0), new Uint8Array(300).fill(to)]
  return { from, to, rows: to - from, head: `"${from}" to '${to}'`, frames }
}
