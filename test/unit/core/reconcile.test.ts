// Reconciling by ranges: what comes out is exactly the difference, in few messages, and cheaply.
import {
  answerRanges,
  compareRanges,
  createRowIndex,
  digestOfRow,
  documentKey,
  emptyRow,
  firstRanges,
  formatDigest,
  lastOfRow,
  formatMark,
} from '@rejoin/core'
import type { DocumentKey, Range, Row, RowIndex } from '@rejoin/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { color, bytesOf, writerOf } from './edits.ts'

type Rows = ReadonlyMap<DocumentKey, Row>

/** The bytes of a range on the wire, estimated from above: an end, and a sum or items. */
const bytesOfEnd = 20
const bytesOfEndsKey = 40
const bytesOfItem = 70
const bytesOfSum = 24

interface Exchange {
  readonly mine: readonly DocumentKey[]
  readonly theirs: readonly DocumentKey[]
  readonly messages: number
  /** How many ranges and items the largest message held. */
  readonly largest: number
  readonly bytes: number
}

function rowAt(ms: number, value = 'red', tick = 0): Row {
  const last = { ms, tick, writer: writerOf('alice') }
  return { ...emptyRow, cells: new Map([[color, { strategy: 'lww', last, value: bytesOf(value) }]]) }
}

function key(serial: number): DocumentKey {
  return documentKey('notes', String(serial))
}

function exchange(mine: RowIndex, theirs: RowIndex): Exchange {
  const [onlyMine, onlyTheirs]: DocumentKey[][] = [[], []]
  let messages = 0
  let bytes = 0
  let largest = 0
  const carry = (ranges: readonly Range[]): readonly Range[] => {
    messages += 1
    const items = ranges.map(({ content }) => (content.kind === 'items' ? content.items.length : 0))
    largest = Math.max(
      largest,
      items.reduce((sum, one) => sum + one + 1, 0),
    )
    for (const { end, content } of ranges) {
      bytes += bytesOfEnd + (end?.key === undefined || end.key === null ? 0 : bytesOfEndsKey)
      if (content.kind === 'sum') bytes += bytesOfSum
      if (content.kind === 'items') bytes += content.items.length * bytesOfItem
    }
    return ranges
  }
  for (let asked = firstRanges(mine); asked.length > 0; ) {
    if (messages > 200) expect.fail('it does not end')
    const { next, mine: has, theirs: lacks } = compareRanges(mine, carry(answerRanges(theirs, carry(asked))))
    onlyMine?.push(...has)
    onlyTheirs?.push(...lacks)
    asked = next
  }
  return { mine: onlyMine ?? [], theirs: onlyTheirs ?? [], messages, bytes, largest }
}

/** The keys of rows in `a` that `b` has not, or has otherwise. */
function difference(a: Rows, b: Rows): readonly DocumentKey[] {
  const form = (row: Row | undefined): string => {
    const last = lastOfRow(row)
    return row === undefined || last === null ? '' : `${formatMark(last)} ${formatDigest(digestOfRow(row))}`
  }
  return [...a].filter(([of, row]) => form(row) !== form(b.get(of))).map(([of]) => of)
}

function check(mine: Rows, theirs: Rows): Exchange {
  const found = exchange(createRowIndex(mine), createRowIndex(theirs))
  expect([...found.mine].sort()).toEqual([...difference(mine, theirs)].sort())
  expect([...found.theirs].sort()).toEqual([...difference(theirs, mine)].sort())
  return found
}

test('[R1] what is found is exactly what either side lacks or has otherwise', () => {
  // Every insert bears a mark of its own, so no two documents ever have equal rows.
  const entry = fc
    .tuple(fc.nat({ max: 200 }), fc.nat({ max: 40 }), fc.constantFrom('red', 'teal'), fc.nat({ max: 1 }))
    .map(([serial, ms, value, tick]) => [key(serial), rowAt(ms, value, 2 * serial + tick)] as const)
  const rows: fc.Arbitrary<Rows> = fc
    .array(entry, { maxLength: 150, size: 'max' })
    .map(entries => new Map(entries))
  fc.assert(
    fc.property(rows, rows, fc.boolean(), (mine, theirs, near) => {
      // Independent sets differ almost everywhere; near ones share most rows.
      check(mine, near ? new Map([...mine, ...[...theirs].slice(0, 5)]) : theirs)
    }),
    { numRuns: 200 },
  )
})

test('[R1] an empty side learns of everything, and gives everything', () => {
  const rows = new Map(Array.from({ length: 3000 }, (_, i) => [key(i), rowAt(i)]))
  expect(check(new Map(), rows).theirs.length).toBe(3000)
  expect(check(rows, new Map()).mine.length).toBe(3000)
  expect(check(new Map(), new Map()).messages).toBe(2)
})

test('[F4] an answer names a bounded number of rows, however many the asker lacks', () => {
  const rows = new Map(Array.from({ length: 30_000 }, (_, i) => [key(i), rowAt(i)]))
  const few = new Map([...rows].filter((_, i) => i % 7000 === 0))
  for (const mine of [new Map<DocumentKey, Row>(), few]) {
    const found = check(mine, rows)
    expect(found.theirs.length).toBe(30_000 - mine.size)
    expect(found.largest).toBeLessThan(2 * 8192)
    expect(found.messages).toBeLessThanOrEqual(14)
  }
})

test('[F4] no message is longer than a frame where two large sides have nothing in common and their rows alternate', () => {
  const rows = Array.from({ length: 120_000 }, (_, i) => [key(i), rowAt(i)] as const)
  const side = (remainder: number): Rows => new Map(rows.filter((_, i) => i % 2 === remainder))
  const found = check(side(0), side(1))
  expect([found.mine.length, found.theirs.length]).toEqual([60_000, 60_000])
  expect(found.largest).toBeLessThan(3 * 8192)
})

test('[R1] rows that are equal cost one question and one answer', () => {
  const rows = new Map(Array.from({ length: 10_000 }, (_, i) => [key(i), rowAt(i)]))
  const { messages, bytes } = check(rows, rows)
  expect(messages).toBe(2)
  expect(bytes).toBeLessThan(4096)
})

test('[R1] one difference in 100,000 rows costs a few kilobytes and half as many messages as splits, and their answers', () => {
  const rows: [DocumentKey, Row][] = Array.from({ length: 100_000 }, (_, i) => [key(i), rowAt(i)])
  const mine = createRowIndex(rows)
  for (const at of [54_321, 99_999]) {
    const changed = createRowIndex(rows.map(([of, row], i) => [of, i === at ? rowAt(i, 'teal') : row]))
    const found = exchange(mine, changed)
    expect([found.mine, found.theirs]).toEqual([[key(at)], [key(at)]])
    expect(found.messages).toBeLessThanOrEqual(4)
    expect(found.bytes).toBeLessThan(8 * 1024)
  }
})

test('[R1] recent differences lie together: five hundred of them cost no more messages than one', () => {
  const rows: [DocumentKey, Row][] = Array.from({ length: 20_000 }, (_, i) => [key(i), rowAt(i)])
  const found = exchange(createRowIndex(rows.slice(0, -500)), createRowIndex(rows))
  expect(found.theirs.length).toBe(500)
  expect(found.messages).toBeLessThanOrEqual(6)
})

test('[R1] an end has a key only among rows of one mark, and then no row is in two ranges', () => {
  const alike = new Map(Array.from({ length: 200 }, (_, i) => [key(i), rowAt(Math.floor(i / 50))]))
  const keys = firstRanges(createRowIndex(alike)).map(({ end }) => end?.key ?? null)
  expect(keys.filter(of => of !== null).length).toBeGreaterThan(10)
  const apart = new Map(Array.from({ length: 200 }, (_, i) => [key(i), rowAt(i)]))
  expect(firstRanges(createRowIndex(apart)).every(({ end }) => (end?.key ?? null) === null)).toBe(true)
  const fewer = new Map([...alike].filter((_, i) => i % 49 !== 0))
  expect(check(alike, fewer).mine.length).toBe(5)
  expect(check(fewer, alike).theirs.length).toBe(5)
})

test('[R1] a row without a mark is not counted', () => {
  expect(createRowIndex([[key(1), emptyRow]]).items).toEqual([])
})
