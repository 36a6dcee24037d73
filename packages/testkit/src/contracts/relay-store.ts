/**
 * The contract of the `RelayStore` port: what a relay's kernel relies on, whatever keeps the rows. Each claim gets a
 * disk of its own, which outlives the stores that are opened over it.
 */
import {
  partName,
  RejoinError,
  writerFromBytes,
  type FeedPart,
  type FeedRow,
  type Generation,
  type GenerationId,
  type HeldRow,
  type PartName,
  type RelayStore,
  type SpaceCommit,
  type SpaceRecord,
  type StoreId,
  type StoredText,
  type TextFold,
  type WriterRecord,
} from '@rejoin/core'
import { alice, commitAt, held, key, row } from './feed-rows.ts'
import { withPlainMaps } from './plain-maps.ts'
import type { ContractRunner } from './storage.ts'

/** A place for a store, empty at first. */
export interface RelayDisk {
  /** Opens the store; the one before was closed. */
  readonly open: () => Promise<RelayStore>
  /** Takes the place away. */
  readonly remove: () => Promise<void>
}

const bob = writerFromBytes(Uint8Array.of(8, 7, 6, 5, 4, 3, 2, 1))
const other = writerFromBytes(Uint8Array.of(9, 9, 9, 9, 9, 9, 9, 9)) as string as StoreId
const body = partName('text', 'body')

/** `name` goes in front of each claim. */
export function relayStoreContract(
  name: string,
  createDisk: () => Promise<RelayDisk>,
  { test, equal: equalPlain }: ContractRunner,
): void {
  const equal = (actual: unknown, expected: unknown): void =>
    equalPlain(withPlainMaps(actual), withPlainMaps(expected))
  const claim = (text: string, run: (store: RelayStore, disk: RelayDisk) => Promise<void>): void => {
    test(`${name}: ${text}`, async () => {
      const disk = await createDisk()
      const store = await disk.open()
      try {
        await run(store, disk)
      } finally {
        await store.close()
        await disk.remove()
      }
    })
  }

  claim('it says whether it was made at this opening', async (store, disk) => {
    equal(store.isNew, true)
    await store.close()
    const again = await disk.open()
    equal(again.isNew, false)
    await again.close()
  })

  claim('a space that was never seen has no record, no rows and no facts', async store => {
    equal(await store.loadSpace('team'), { record: null, generations: [] })
    equal(await store.rows('team', [key('1')]), new Map())
    equal(await store.feed('team', 0, 10), [])
    equal(await collect(store, 'team'), [])
    equal(await store.writers('team', [alice]), [])
    equal(await store.textBody('team', key('1'), body), [])
  })

  claim('a record comes back as it was committed', async store => {
    const generation = store.generation
    const record: SpaceRecord = {
      position: 7,
      fingerprint: { count: 3, high: 4_294_967_295, low: 1 },
      frontier: new Map([[generation, 7]]),
      generation,
      peers: new Map([[other, { cursor: { generation, cut: 4, place: 6 }, wants: [key('1'), key('a/b')] }]]),
    }
    await store.commit({ ...commitAt(7, []), record })
    equal((await store.loadSpace('team')).record, record)
    const later = { ...record, position: 8, peers: new Map() }
    await store.commit({ ...commitAt(8, []), record: later })
    equal((await store.loadSpace('team')).record, later)
  })

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

  claim('[T4] writers come back by id and by the position of their change', async store => {
    const first = writerRecord(alice, 10)
    await store.commit(commitAt(1, [row('1', 1)], { writers: [first] }))
    await store.commit(commitAt(2, [row('2', 2)], { writers: [writerRecord(bob, 20)] }))
    equal(await store.writers('team', [alice, bob]), [first, writerRecord(bob, 20)])
    equal(await store.writersAfter('team', 1), [writerRecord(bob, 20)])
    const raised = writerRecord(alice, 30)
    await store.commit(commitAt(3, [row('1', 3)], { writers: [raised] }))
    equal(await store.writers('team', [alice]), [raised])
    equal(await store.writersAfter('team', 2), [raised])
    equal(await store.writersAfter('team', 3), [])
  })

  claim('[X6] a tail begins after a position and keeps its order', async store => {
    await store.commit(
      commitAt(1, [row('1', 1)], { texts: [text('1', 'a'), text('2', 'x'), text('1', 'b')] }),
    )
    await store.commit(commitAt(2, [row('1', 2)], { texts: [text('1', 'c')] }))
    await store.commit(commitAt(3, [row('1', 3)]))
    equal(strings((await store.textTail('team', key('1'), body, 0)) ?? []), ['a', 'b', 'c'])
    equal(strings((await store.textTail('team', key('1'), body, 1)) ?? []), ['c'])
    equal(await store.textTail('team', key('1'), body, 3), [])
    equal(strings(await store.textBody('team', key('1'), body)), ['a', 'b', 'c'])
    equal(strings(await store.textBody('team', key('2'), body)), ['x'])
    equal(await store.textBody('team', key('1'), partName('text', 'other')), [])
  })

  claim('[X2] a fold takes the place of what was read, and of the row with its new size', async store => {
    await store.commit(commitAt(1, [row('1', 1)], { texts: [text('1', 'aa'), text('1', 'bb')] }))
    await store.commit(commitAt(2, [row('1', 2)], { texts: [text('1', 'cc'), text('2', 'x')] }))
    equal(await store.textSize('team', key('1'), body), { snapshot: 0, tail: 6 })
    const read = await store.storedText('team', key('1'), body)
    equal([read.folded, read.end, strings(read.updates)], [0, 2, ['aa', 'bb', 'cc']])
    equal(await store.fold(fold('1', read, 'S', sized('1', 2, 1))), true)
    equal(strings(await store.textBody('team', key('1'), body)), ['S'])
    equal(strings(await store.textBody('team', key('2'), body)), ['x'])
    equal(await store.textSize('team', key('1'), body), { snapshot: 1, tail: 0 })
    equal(await store.rows('team', [key('1')]), new Map([held(sized('1', 2, 1))]))
    equal(await store.feed('team', 0, 10), [sized('1', 2, 1)])
    equal((await store.loadSpace('team')).record?.position, 2)
  })

  claim('[X2] what is appended while a fold is made stays in the tail', async store => {
    await store.commit(commitAt(1, [row('1', 1)], { texts: [text('1', 'a'), text('1', 'b')] }))
    const read = await store.storedText('team', key('1'), body)
    await store.commit(commitAt(2, [row('1', 2)], { texts: [text('1', 'c')] }))
    const commit = store.commit(commitAt(3, [row('2', 3)], { texts: [text('1', 'd')] }))
    const folded = store.fold(fold('1', read, 'S', sized('1', 2, 2)))
    await commit
    equal(await folded, true)
    equal(strings(await store.textBody('team', key('1'), body)), ['S', 'c', 'd'])
    equal(strings((await store.textTail('team', key('1'), body, 1)) ?? []), ['c', 'd'])
    const again = await store.storedText('team', key('1'), body)
    equal([again.folded, again.end, strings(again.updates)], [1, 3, ['S', 'c', 'd']])
    equal(await store.fold(fold('1', again, 'T', sized('1', 2, 1))), true)
    equal(strings(await store.textBody('team', key('1'), body)), ['T'])
  })

  claim('[X2] a fold of what is no longer there changes nothing', async store => {
    await store.commit(commitAt(1, [row('1', 1)], { texts: [text('1', 'a'), text('1', 'b')] }))
    const read = await store.storedText('team', key('1'), body)
    equal(await store.fold(fold('1', read, 'S', sized('1', 1, 1))), true)
    equal(await store.fold(fold('1', read, 'late', sized('1', 1, 9))), false)
    equal(await store.fold(fold('1', { ...read, folded: 1, end: 5 }, 'early', sized('1', 1, 9))), false)
    equal(await store.fold({ ...fold('1', read, 'astray', sized('1', 1, 9)), space: 'other' }), false)
    equal(strings(await store.textBody('team', key('1'), body)), ['S'])
    equal(await store.rows('team', [key('1')]), new Map([held(sized('1', 1, 1))]))
    equal(await store.rows('other', [key('1')]), new Map())
  })

  claim('[X6] a cursor inside the tail gets the tail, one from before the snapshot does not', async store => {
    for (let at = 1; at <= 4; at++)
      await store.commit(commitAt(at, [row('1', at)], { texts: [text('1', `${at}`)] }))
    const read = await store.storedText('team', key('1'), body)
    await store.commit(commitAt(5, [row('1', 5)], { texts: [text('1', '5')] }))
    await store.commit(commitAt(6, [row('1', 6)], { texts: [text('1', '6')] }))
    await store.fold(fold('1', read, 'S', row('1', 6)))
    equal(await store.textTail('team', key('1'), body, 0), null)
    equal(await store.textTail('team', key('1'), body, 3), null)
    equal(strings((await store.textTail('team', key('1'), body, 4)) ?? []), ['5', '6'])
    equal(strings((await store.textTail('team', key('1'), body, 5)) ?? []), ['6'])
    equal(await store.textTail('team', key('1'), body, 6), [])
  })

  claim(
    '[X2, A1] a fold that resolved is there after a reopening, one that was not made is not',
    async (store, disk) => {
      await store.commit(commitAt(1, [row('1', 1)], { texts: [text('1', 'a'), text('1', 'b')] }))
      const read = await store.storedText('team', key('1'), body)
      await store.close()
      const second = await disk.open()
      equal(strings(await second.textBody('team', key('1'), body)), ['a', 'b'])
      equal(await second.fold(fold('1', read, 'S', sized('1', 1, 1))), true)
      await second.close()
      const third = await disk.open()
      equal(strings(await third.textBody('team', key('1'), body)), ['S'])
      equal(await third.textTail('team', key('1'), body, 0), null)
      equal(await third.rows('team', [key('1')]), new Map([held(sized('1', 1, 1))]))
      await third.close()
    },
  )

  claim('facts about generations only grow, in the order in which they came', async store => {
    const facts = [fact('a', null, 0), fact('b', 'a', 4), fact('c', 'b', 9)]
    await store.commit(commitAt(1, [row('1', 1)], { generations: facts.slice(0, 2) }))
    await store.commit(commitAt(1, [], { generations: [fact('a', null, 0), ...facts.slice(2)] }))
    equal((await store.loadSpace('team')).generations, facts)
    equal((await store.loadSpace('team')).record?.position, 1)
  })

  claim('each opening is a new generation of one store', async (store, disk) => {
    const { id, generation } = store
    await store.close()
    const again = await disk.open()
    equal(again.id, id)
    equal(again.generation === generation, false)
    equal([again.id.length, again.generation.length], [11, 11])
    await again.close()
  })

  claim('[A1] what a commit resolved for is there after a reopening', async (store, disk) => {
    const texts = [text('1', 'a')]
    const writers = [writerRecord(alice, 10)]
    const generations = [fact('a', null, 0)]
    const commit = commitAt(1, [row('1', 1), row('2', 1)], { texts, writers, generations })
    await store.commit(commit)
    await store.close()
    const again = await disk.open()
    equal(await again.loadSpace('team'), { record: commit.record, generations })
    equal(await again.feed('team', 0, 10), [row('1', 1), row('2', 1)])
    equal(await again.writersAfter('team', 0), writers)
    equal(strings(await again.textBody('team', key('1'), body)), ['a'])
    await again.close()
  })

  claim('commits that are made in one go are all stored, in their order', async store => {
    const made: Promise<void>[] = []
    for (let at = 1; at <= 20; at++) {
      made.push(store.commit(commitAt(at, [row('1', at), row(`own ${at}`, at)])))
      made.push(store.commit({ ...commitAt(at, [row('1', at)]), space: `space ${at}` }))
    }
    await Promise.all(made)
    equal((await store.loadSpace('team')).record?.position, 20)
    equal(await store.rows('team', [key('1')]), new Map([held(row('1', 20))]))
    equal((await store.feed('team', 0, 100)).length, 21)
    equal((await store.loadSpace('space 7')).record?.position, 7)
  })

  claim(
    'what was handed over before a closing is stored or rejected, never forgotten',
    async (store, disk) => {
      const committed = outcome(store.commit(commitAt(1, [row('1', 1)])))
      await store.close()
      const stored = (await committed) === 'stored'
      const again = await disk.open()
      equal((await again.rows('team', [key('1')])).size, stored ? 1 : 0)
      await again.close()
    },
  )

  claim('a closed store takes nothing and says so', async store => {
    await store.close()
    await store.close()
    equal(await outcome(store.commit(commitAt(1, [row('1', 1)]))), 'storage-closed')
    equal(await outcome(store.loadSpace('team')), 'storage-closed')
    equal(await outcome(store.feed('team', 0, 1)), 'storage-closed')
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

function text(id: string, update: string): SpaceCommit['texts'][number] {
  return { key: key(id), part: body, update: new TextEncoder().encode(update) }
}

/** A row whose text has so many bytes. */
function sized(id: string, position: number, bytes: number): FeedRow {
  const { key: name, held: plain } = row(id, position)
  return { key: name, held: { ...plain, texts: new Map([[body, { stateVector: new Map(), bytes }]]) } }
}

function fold(id: string, read: StoredText, snapshot: string, { held: heldRow }: FeedRow): TextFold {
  const bytes = new TextEncoder().encode(snapshot)
  return { space: 'team', key: key(id), part: body, read, snapshot: bytes, held: heldRow }
}

function writerRecord(writer: typeof alice, ms: number): WriterRecord {
  return { writer, user: 'alice', device: 'laptop', highest: { ms, tick: 3, writer } }
}

function fact(id: string, parent: string | null, start: number): Generation {
  return { id: id as GenerationId, store: other, parent: parent as GenerationId | null, start }
}

function strings(updates: readonly Uint8Array[]): readonly string[] {
  return updates.map(update => new TextDecoder().decode(update))
}

function sorted(rows: readonly FeedRow[]): readonly FeedRow[] {
  return [...rows].sort((a, b) => (a.key < b.key ? -1 : 1))
}

async function collect(store: RelayStore, space: string): Promise<readonly FeedRow[]> {
  const rows: FeedRow[] = []
  for await (const slice of store.all(space)) rows.push(...slice)
  return rows
}

async function outcome(run: Promise<unknown>): Promise<string> {
  try {
    await run
    return 'stored'
  } catch (error) {
    return error instanceof RejoinError ? error.code : String(error)
  }
}
