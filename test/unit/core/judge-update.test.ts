// Updates are judged in one go; what comes of that is what comes of judging them as any other write (SPEC Q1).
import {
  judgeTransaction,
  judgeUpdate,
  limits,
  noTexts,
  partName,
  type LwwCell,
  type Row,
} from '@rejoin/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { contextOf, note, now, type Relay } from './judge-scene.ts'
import { markOf, people } from './edits.ts'

const large = new Uint8Array(limits.valueBytesMax)
const values = [new Uint8Array([1]), new Uint8Array([2, 3]), large, new Uint8Array(large.length + 1)]
const fields = ['color', 'viewed', 'size', 'place'].map(name => partName('lww', name))

/** Null four times out of five. */
const seldom = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: one })

const arbitraryTime = fc.constantFrom(
  now - 1,
  now,
  now,
  now + 1,
  now + limits.skewMs,
  now + limits.skewMs + 1,
)
const arbitraryMark = fc
  .tuple(fc.constantFrom(...people), arbitraryTime)
  .map(([person, ms]) => markOf(person, ms))
const arbitraryCell = fc.record({
  strategy: fc.constant('lww'),
  last: arbitraryMark,
  value: fc.constantFrom(...values),
}) as fc.Arbitrary<LwwCell>
const arbitraryDeletion = seldom(
  arbitraryMark.map(mark => ({ mark, policy: 'edit-wins', seen: new Map() }) as const),
)

const arbitraryRow: fc.Arbitrary<Row> = fc.record({
  cells: fc
    .uniqueArray(fc.tuple(fc.constantFrom(...fields), arbitraryCell), {
      minLength: 3,
      selector: ([name]) => name,
    })
    .map(cells => new Map(cells)),
  deletion: arbitraryDeletion,
  revival: fc.option(arbitraryMark),
})

const arbitraryRelay: fc.Arbitrary<Relay> = fc
  .tuple(arbitraryRow, fc.array(arbitraryMark, { maxLength: 3 }), fc.constantFrom(...people))
  .map(([row, marks, user]) => ({
    rows: new Map([[note, { row, texts: new Map() }]]),
    writers: new Map(
      marks.map(highest => [highest.writer, { writer: highest.writer, user, device: 'laptop', highest }]),
    ),
    rule: () => null,
  }))

const arbitraryWrite = fc
  .record({
    mark: arbitraryMark,
    name: fc.constantFrom(...fields, partName('lww', 'a\nb')),
    last: seldom(arbitraryMark),
    value: fc.constantFrom(...values),
    whole: fc.constantFrom(false, false, false, true),
    revival: seldom(arbitraryMark),
    deletion: arbitraryDeletion,
    seen: fc.option(arbitraryMark, { freq: 2 }),
    elsewhere: fc.constantFrom(true, false, false),
  })
  .map(({ mark, name, last, value, whole, revival, deletion, seen, elsewhere }) => ({
    mark,
    key: note,
    delta: {
      cells: new Map([[name, { strategy: 'lww', last: last ?? mark, value } as const]]),
      deletion: deletion === null || whole ? null : deletion,
      revival: revival === null ? null : mark,
    },
    texts: noTexts,
    replaced: seen === null ? new Map() : new Map([[elsewhere && fields[0] ? fields[0] : name, seen]]),
    whole,
  }))

test('[Q1] an update that is judged in one go is taken as any other write, and makes the same row', () => {
  let taken = 0
  fc.assert(
    fc.property(arbitraryRelay, arbitraryWrite, (relay, write) => {
      const context = contextOf(relay, 'alice')
      const row = judgeUpdate(write, relay.rows.get(note)?.row ?? expect.fail(), context)
      if (row === null) return
      taken += 1
      const judgement = judgeTransaction({ writes: [write], preconditions: [] }, context)
      if (judgement.kind !== 'taken') return expect.fail(judgement.error.code)
      const [[key, { row: joined, updates }]] = [...judgement.rows] as [
        typeof judgement.rows extends Iterable<infer One> ? One : never,
      ]
      expect([key, updates, judgement.shows]).toEqual([note, [], ['yes']])
      expect({ ...row, cells: new Map(row.cells) }).toEqual({ ...joined, cells: new Map(joined.cells) })
    }),
    { numRuns: 20_000 },
  )
  expect(taken).toBeGreaterThan(100)
})
