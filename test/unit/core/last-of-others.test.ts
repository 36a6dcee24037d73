// The greatest mark that others made is found in rows that lie in columns as in rows that do not (SPEC C3).
import {
  compareMarks,
  decodeFrame,
  documentKey,
  encodeFrame,
  encodeValue,
  lastOfOthers,
  lastOfRow,
  partName,
  writerFromBytes,
  type ChangesFrame,
  type Mark,
  type Row,
} from '@rejoin/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'

const writers = [1, 2, 3].map(byte => writerFromBytes(new Uint8Array([0, 0, 0, 0, 0, 0, 0, byte])))
const stranger = writerFromBytes(new Uint8Array(8))
const part = partName('lww', 'title')

const someStamp = fc.record({
  ms: fc.integer({ min: 1000, max: 1010 }),
  tick: fc.integer({ min: 0, max: 2 }),
})

/** Of one writer. Most came whole, by one mark; of some the revival bears another one, or there is none. */
const someRow: fc.Arbitrary<Row> = fc
  .tuple(fc.constantFrom(...writers), someStamp, fc.oneof(fc.constantFrom('same' as const, null), someStamp))
  .map(([writer, stamp, revival]) => {
    const last: Mark = { ...stamp, writer }
    return {
      cells: new Map([[part, { strategy: 'lww', last, value: encodeValue('a') }]]),
      deletion: null,
      revival: revival === 'same' ? last : revival && { ...revival, writer },
    }
  })

test('[C3] the greatest mark of others is that of each row, whether rows lie in columns or not', () => {
  fc.assert(
    fc.property(
      fc.array(someRow, { minLength: 1, maxLength: 20 }),
      fc.constantFrom(...writers),
      (deltas, own) => {
        const rows = deltas.map((delta, i) => ({
          key: documentKey('notes', `n${String(i).padStart(2, '0')}`),
          delta,
          parts: 0,
          texts: new Map(),
        }))
        const frame: ChangesFrame = {
          type: 'changes',
          rows,
          place: 7,
          head: 9,
          cut: null,
          answer: false,
          writers: [],
        }
        const decoded = decodeFrame(encodeFrame(frame), undefined, 'encoded')
        if (!decoded.ok || decoded.value.type !== 'changes') throw new Error('these bytes are changes')
        const marks = deltas.map(lastOfRow)
        const others = marks.filter((mark): mark is Mark => mark !== null && mark.writer !== own)
        const expected = others.toSorted(compareMarks).at(-1) ?? null
        expect(lastOfOthers(rows, own)).toEqual(expected)
        expect(lastOfOthers(decoded.value.rows, own)).toEqual(expected)
        // Brought back since by a mark that is in none of the columns.
        const later: Mark = { ms: 2000, tick: 0, writer: stranger }
        const revived = decoded.value.rows.map(({ delta }) => ({ delta: { ...delta, revival: later } }))
        expect(lastOfOthers(revived, own)).toEqual(later)
      },
    ),
    { numRuns: 300 },
  )
})
