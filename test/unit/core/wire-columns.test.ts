// Contents and ids of one length, as a burst of changes and a page of alike rows bring them.
import {
  decodeFrame,
  documentKey,
  emptyRow,
  encodeFrame,
  encodeValue,
  nothingReplaced,
  noTexts,
  partName,
  writerFromBytes,
  type ChangesFrame,
  type LwwCell,
  type Row,
  type SubmitFrame,
} from '@rejoin/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const alice = writerFromBytes(new Uint8Array([0, 1, 2, 3, 4, 5, 6, 7]))
const mark = { ms: 1_764_000_000_000, tick: 0, writer: alice }
const part = partName('lww', 'n')

function rowOf(value: Uint8Array): Row {
  const cell: LwwCell = { strategy: 'lww', last: mark, value }
  return { ...emptyRow, cells: new Map([[part, cell]]) }
}

function changesOf(values: readonly Uint8Array[]): ChangesFrame {
  const rows = values.map((value, i) => ({
    key: documentKey('recs', `r${String(i).padStart(6, '0')}`),
    delta: rowOf(value),
    parts: 0,
    texts: new Map(),
  }))
  return { type: 'changes', rows, place: 7, head: 9, cut: null, answer: false, writers: [] }
}

function submitOf(values: readonly Uint8Array[]): SubmitFrame {
  const transactions = changesOf(values).rows.map(({ key, delta }) => ({
    writes: [{ key, mark, delta, texts: noTexts, replaced: nothingReplaced, whole: false }],
    preconditions: [],
  }))
  return { type: 'submit', round: 0, transactions }
}

function numbers(count: number): readonly Uint8Array[] {
  return Array.from({ length: count }, (_, i) => encodeValue(2_000_000 + i))
}

function expectSame(values: readonly Uint8Array[]): void {
  for (const frame of [changesOf(values), submitOf(values)])
    expect(decodeFrame(encodeFrame(frame))).toEqual({ ok: true, value: frame })
  const kept = decodeFrame(encodeFrame(changesOf(values)), undefined, 'encoded')
  if (!kept.ok || kept.value.type !== 'changes') throw new Error('these bytes are changes')
  const found = kept.value.rows.map(({ delta }) => delta.cells.get(part))
  expect(found).toEqual(values.map(value => rowOf(value).cells.get(part)))
}

describe('contents of many rows', () => {
  test('come out as they went in, whatever bytes of them are alike', () => {
    const values = fc
      .tuple(fc.integer({ min: 1, max: 18 }), fc.nat({ max: 40 }), fc.nat({ max: 20 }))
      .chain(([length, count, kinds]) =>
        fc.array(
          fc
            .array(fc.nat({ max: Math.min(255, kinds * 15) }), { minLength: length, maxLength: length })
            .map(bytes => Uint8Array.from(bytes)),
          { minLength: count, maxLength: count },
        ),
      )
    fc.assert(fc.property(values, expectSame), { numRuns: 400 })
  })

  test('that count on take three bytes a change with their ids, either way', () => {
    expect(encodeFrame(changesOf(numbers(200))).length / 200).toBeLessThan(3.1)
    expect(encodeFrame(submitOf(numbers(200))).length / 200).toBeLessThan(3.1)
  })

  test('that are all alike take a byte each, so that what rows cost goes with the bytes that come', () => {
    const alike = Array.from({ length: 1000 }, () => encodeValue('same'))
    expectSame(alike)
    expect(encodeFrame(submitOf(alike)).length).toBeGreaterThan(1000)
  })

  test('are refused if nothing is there as it is, and if a byte is none', () => {
    const eight = numbers(8)
    const bytes = encodeFrame(changesOf(eight))
    // The tag and the two high bytes are columns, the low byte is not.
    const at = bytes.findIndex((byte, i) => byte === 0b1101 && bytes[i + 1] === 9 && bytes[i + 2] === 6)
    const forged = (head: number, tag: readonly number[]): string => {
      const form = [...bytes.slice(0, at), head, ...tag, ...bytes.slice(at + 3)]
      const decoded = decodeFrame(Uint8Array.from(form))
      return decoded.ok ? 'taken' : decoded.error.code
    }
    expect(forged(0b1101, [9, 6])).toBe('taken')
    expect(forged(0b1111, [9, 6])).toBe('malformed-frame')
    expect(forged(0b11101, [9, 6])).toBe('malformed-frame')
    expect(forged(0b1101, [0x81, 0x04, 6])).toBe('malformed-frame')
  })

  test('a length of more than 32 bits is refused, and not taken for what is left of it', () => {
    const bytes = encodeFrame(changesOf(numbers(70)))
    // All are of one length: one more than that, doubled, and one more for a run of 70.
    const length = encodeValue(2_000_000).length
    const run = [(length + 1) * 2 + 1, 70 - 2]
    const at = bytes.findIndex((byte, i) => byte === run[0] && bytes[i + 1] === run[1])
    const forged = Uint8Array.from([
      ...bytes.subarray(0, at),
      // The same and 2^32, as a number of which seven bits are in a byte.
      ...[128 + (run[0] ?? 0), 128, 128, 128, 32],
      ...bytes.subarray(at + 1),
    ])
    expect(decodeFrame(bytes).ok).toBe(true)
    expect(decodeFrame(forged).ok).toBe(false)
  })
})
