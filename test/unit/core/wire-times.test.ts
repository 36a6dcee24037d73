// The times of rows that many wrote here and there: they come out as they went in, and take what they must.
import {
  decodeFrame,
  documentKey,
  emptyRow,
  encodeFrame,
  encodeValue,
  partName,
  writerFromBytes,
  type ChangesFrame,
  type LwwCell,
  type Mark,
  type PartName,
  type Row,
} from '@rejoin/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'

const writers = [1, 2].map(byte => writerFromBytes(new Uint8Array(8).fill(byte)))
const [title, note] = [partName('lww', 'title'), partName('lww', 'note')]
const now = 1_764_000_000_000
const days = 3 * 24 * 3_600_000

function at(ms: number, tick: number = 0, by: number = 0): Mark {
  return { ms, tick, writer: writers[by] ?? writers[0] ?? writerFromBytes(new Uint8Array(8)) }
}

function rowOf(marks: readonly [Mark, Mark], created: Mark | null): Row {
  const cell = (last: Mark): LwwCell => ({ strategy: 'lww', last, value: encodeValue('x') })
  const cells = new Map<PartName, LwwCell>([
    [note, cell(marks[0])],
    [title, cell(marks[1])],
  ])
  return { ...emptyRow, cells, revival: created }
}

function changesOf(rows: readonly Row[]): ChangesFrame {
  const changed = rows.map((delta, i) => ({
    key: documentKey('recs', `r${String(i).padStart(6, '0')}`),
    delta,
    parts: 0,
    texts: new Map(),
  }))
  return { type: 'changes', rows: changed, place: 7, head: 9, cut: null, answer: false, writers: [] }
}

function bytesARow(rows: readonly Row[]): number {
  return (
    (encodeFrame(changesOf(rows)).length - encodeFrame(changesOf(rows.slice(0, 100))).length) /
    (rows.length - 100)
  )
}

/** Spread evenly, and the same in every run. */
const scattered = Array.from({ length: 1100 }, (_, i) => now - ((i * 2_654_435_761) % days))

test('they come out as they went in, of few rows and of many, near one another and far apart', () => {
  const mark = (spread: number): fc.Arbitrary<Mark> =>
    fc
      .tuple(fc.nat({ max: spread }), fc.nat({ max: Math.min(spread, 3000) }), fc.nat({ max: 1 }))
      .map(([ago, tick, by]) => at(now - ago, tick, by))
  const rows = fc
    .tuple(fc.constantFrom(0, 2, 300, days, now), fc.constantFrom(5, 63, 64, 65, 150))
    .chain(([spread, count]) =>
      fc.array(
        fc
          .tuple(mark(spread), mark(spread), fc.option(mark(spread), { nil: null }))
          .map(([one, other, created]) => rowOf([one, other], created)),
        { minLength: count, maxLength: count },
      ),
    )
  fc.assert(
    fc.property(rows, list => {
      const frame = changesOf(list)
      const decoded = decodeFrame(encodeFrame(frame))
      expect(decoded).toEqual({ ok: true, value: frame })
    }),
    { numRuns: 150 },
  )
})

test('a field that was written by itself within days takes four bytes for its time', () => {
  const together = scattered.map(ms => rowOf([at(ms), at(ms)], null))
  const apart = scattered.map((ms, i) => rowOf([at(ms), at(ms - 1 - ((i * 40_503) % days))], null))
  expect(bytesARow(apart) - bytesARow(together)).toBeLessThan(4.2)
})

test('what came in one go and was written since says of its coming what it has to say: nothing', () => {
  const ago = now - 2 * days
  const never = scattered.map(ms => rowOf([at(ms), at(ms)], null))
  const once = scattered.map((ms, i) => rowOf([at(ms), at(ms)], at(ago, i)))
  expect(bytesARow(once) - bytesARow(never)).toBeLessThan(1.5)
})

test('a frame of them that was cut short is refused', () => {
  const bytes = encodeFrame(
    changesOf(scattered.slice(0, 80).map((ms, i) => rowOf([at(ms), at(ms, i)], at(now, i)))),
  )
  for (let length = 0; length < bytes.length; length++)
    expect(decodeFrame(bytes.subarray(0, length)).ok).toBe(false)
})
