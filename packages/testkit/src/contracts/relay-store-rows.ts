/** The contract of the rows of a `RelayStore`: by key, in the order of their positions, and all of them. */
import { partName, type FeedPart, type FeedRow, type HeldRow, type PartName } from '@rejoin/core'
import {
  alice,
  bob,
  body,
  collect,
  commitAt,
  held,
  key,
  row,
  strings,
  text,
  writerRecord,
} from './feed-rows.ts'
import type { Claiming } from './relay-store-claim.ts'

export function claimRows({ claim, equal }: Claiming): void {
  claim('rows come back by key, and those that are lacking are left out', async store => {
    await store.commit(commitAt(1, [row('1', 1), row('2', 1)]))
    await store.commit(commitAt(2, [row('2', 2)]))
    equal(
      await store.rows('team', [key('2'), key('3'), key('1')]),
      new Map([held(row('2', 2)), held(row('1', 1))]),
    )
  })

  claim('every part of a held row comes back, after a reopening too', async (store, disk) => {
    const rich = richRow(3)
    await store.commit(commitAt(3, [rich]))
    equal(await store.rows('team', [rich.key]), new Map([held(rich)]))
    await store.close()
    const again = await disk.open()
    equal(await again.rows('team', [rich.key]), new Map([held(rich)]))
    await again.close()
  })

  claim('names of any characters are kept apart', async store => {
    const odd = ['a/b', "';--", '%', 'ä', '\u0000x', '', '🙂'].map(id => row(id, 1))
    await store.commit(commitAt(1, odd))
    await store.commit({ ...commitAt(1, [row('elsewhere', 1)]), space: "team'; drop table rows;--" })
    equal(
      await store.rows(
        'team',
        odd.map(one => one.key),
      ),
      new Map(odd.map(held)),
    )
    equal(sorted(await collect(store, 'team')), sorted(odd))
  })

  claim('the feed is in the order of positions and begins after one', async store => {
    await store.commit(commitAt(1, [row('1', 1)]))
    await store.commit(commitAt(2, [row('2', 2)]))
    await store.commit(commitAt(3, [row('1', 3)]))
    await store.commit(commitAt(4, [row('3', 4)]))
    equal(await store.feed('team', 0, 10), [row('2', 2), row('1', 3), row('3', 4)])
    equal(await store.feed('team', 2, 10), [row('1', 3), row('3', 4)])
    equal(await store.feed('team', 4, 10), [])
  })

  claim('the feed keeps to its limit', async store => {
    for (let at = 1; at <= 5; at++) await store.commit(commitAt(at, [row(`${at}`, at)]))
    equal(await store.feed('team', 1, 3), [row('2', 2), row('3', 3), row('4', 4)])
    equal(await store.feed('team', 2, 3), [row('3', 3), row('4', 4), row('5', 5)])
  })

  claim('the feed never cuts a commit in two', async store => {
    await store.commit(commitAt(1, [row('1', 1)]))
    await store.commit(
      commitAt(
        2,
        ['a', 'b', 'c', 'd'].map(id => row(id, 2)),
      ),
    )
    await store.commit(commitAt(3, [row('2', 3)]))
    equal(await store.feed('team', 0, 3), [row('1', 1)])
    equal(
      sorted(await store.feed('team', 1, 3)),
      ['a', 'b', 'c', 'd'].map(id => row(id, 2)),
    )
    equal(await store.feed('team', 2, 3), [row('2', 3)])
  })

  claim('a row that was written again and again is in the feed once', async store => {
    for (let at = 1; at <= 300; at++) await store.commit(commitAt(at, [row(`${at % 3}`, at)]))
    equal(await store.feed('team', 0, 10), [row('1', 298), row('2', 299), row('0', 300)])
    equal(sorted(await collect(store, 'team')), [row('0', 300), row('1', 298), row('2', 299)])
  })

  claim('a walk over all rows gives each once, in slices', async store => {
    const rows = Array.from({ length: 1234 }, (_, at) => row(`${at}`.padStart(5, '0'), 1))
    await store.commit(commitAt(1, rows))
    const slices: (readonly FeedRow[])[] = []
    for await (const slice of store.all('team')) slices.push(slice)
    equal(slices.length > 1, true)
    equal(sorted(slices.flat()), rows)
  })

  claim('spaces are apart', async store => {
    const theirs = { ...commitAt(9, [row('1', 9)]), space: 'other', writers: [writerRecord(alice, 9)] }
    await store.commit(commitAt(1, [row('1', 1)], { texts: [text('1', 'mine')] }))
    await store.commit({ ...theirs, texts: [text('1', 'theirs')] })
    equal(await store.rows('team', [key('1')]), new Map([held(row('1', 1))]))
    equal(await store.rows('other', [key('1')]), new Map([held(row('1', 9))]))
    equal((await store.loadSpace('team')).record?.position, 1)
    equal(await store.feed('other', 0, 10), [row('1', 9)])
    equal(await store.writers('team', [alice]), [])
    equal(strings(await store.textBody('other', key('1'), body)), ['theirs'])
    equal(sorted(await collect(store, 'team')), [row('1', 1)])
  })
}

function richRow(position: number): FeedRow {
  const early = { ms: 2 ** 47, tick: 65_535, writer: alice }
  const late = { ms: 2 ** 47 + 1, tick: 0, writer: bob }
  const context = new Map([
    [alice, early],
    [bob, late],
  ])
  const title = partName('lww', 'title')
  return {
    key: key('rich'),
    held: {
      row: {
        cells: new Map<PartName, HeldRow['row']['cells'] extends ReadonlyMap<PartName, infer C> ? C : never>([
          [title, { strategy: 'lww', last: late, value: Uint8Array.of(0, 255) }],
          [body, { strategy: 'text', context }],
        ]),
        deletion: {
          mark: late,
          policy: 'ask',
          seen: new Map([[title, { kind: 'last', mark: early }]]),
        },
        revival: early,
      },
      position,
      positions: new Map<FeedPart, number>([
        [title, 1],
        [body, 2],
        ['deletion', position],
        ['revival', 1],
      ]),
      texts: new Map([[body, { stateVector: new Map([[4_294_967_295, 12]]), bytes: 300 }]]),
    },
  }
}

function sorted(rows: readonly FeedRow[]): readonly FeedRow[] {
  return [...rows].sort((a, b) => (a.key < b.key ? -1 : 1))
}
