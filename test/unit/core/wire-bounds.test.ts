// What comes from outside is held to its bounds before it is taken, whatever it claims.
import {
  decodeFrame,
  documentKey,
  emptyRow,
  encodeFrame,
  limits,
  mintedId,
  noTexts,
  nothingReplaced,
  partName,
} from '@rejoin/core'
import type { ChangesFrame, GiveFrame, Row, Sibling, SubmitFrame } from '@rejoin/core'
import { describe, expect, test } from 'vitest'
import { alice, markAt, rowOf, live, refusalOf } from './plain-frames.ts'

function submitOf(delta: Row, id = mintedId(alice, 1)): SubmitFrame {
  const write = {
    mark: markAt(1_764_000_000_000),
    key: documentKey('notes', id),
    delta,
    texts: noTexts,
    replaced: nothingReplaced,
    whole: false,
  }
  return { type: 'submit', round: 0, transactions: [{ writes: [write], preconditions: [] }] }
}

describe('the bounds', () => {
  test('of a frame are checked before it is read', () => {
    expect(refusalOf(new Uint8Array(limits.frameBytesMax + 1).fill(5))).toBe('frame-too-large')
  })

  test('hold for lengths of 2^31 and for runs that claim more than they bring', () => {
    const huge = [0x80, 0x80, 0x80, 0x80, 0x08]
    // A presence's sender and state, a want's keys, ranges, a verdict's exceptions, definitions of writers.
    expect(refusalOf(new Uint8Array([15, ...huge]))).toBe('limit-exceeded')
    expect(refusalOf(new Uint8Array([15, 0, ...huge]))).toBe('limit-exceeded')
    expect(refusalOf(new Uint8Array([6, ...huge]))).toBe('limit-exceeded')
    expect(refusalOf(new Uint8Array([11, ...huge]))).toBe('limit-exceeded')
    expect(refusalOf(new Uint8Array([10, ...huge, 0, 0, 0]))).toBe('malformed-frame')
    expect(refusalOf(new Uint8Array([0x45, ...huge]))).toBe('limit-exceeded')
    // A submit of 2^30 transactions; changes of 2^30 rows.
    expect(refusalOf(new Uint8Array([8, ...huge]))).toBe('limit-exceeded')
    expect(refusalOf(new Uint8Array([5, 0, 0, 0, ...huge]))).toBe('limit-exceeded')
  })

  test('hold for 16,384 rows of nine parts in a few bytes', () => {
    const names = [0, 9, 1, 97, 0, 1, 97]
    for (let i = 1; i < 9; i++) names.push(0, 0, 1, 97 + i)
    const shape = [1, 9, 0, 1, 2, 3, 4, 5, 6, 7, 8]
    const bytes = new Uint8Array([0x45, ...names, 0, 0, 0, 0x80, 0x80, 0x02, ...shape])
    expect(decodeFrame(bytes)).toMatchObject({ ok: false, error: { details: { what: 'parts' } } })
  })

  test('of parts from clients go with the bytes that come: a burst of equal changes passes, one that is made up does not', () => {
    const burst = (value: Uint8Array): SubmitFrame => ({
      type: 'submit',
      round: 0,
      transactions: Array.from({ length: 1000 }, (_, i) => ({
        writes: submitOf(rowOf(value), mintedId(alice, i)).transactions.flatMap(({ writes }) => writes),
        preconditions: [],
      })),
    })
    expect(encodeFrame(burst(new Uint8Array([3]))).length).toBeLessThan(1100)
    expect(refusalOf(encodeFrame(burst(new Uint8Array([3]))))).toBe('nothing')
    expect(encodeFrame(burst(new Uint8Array())).length).toBeLessThan(100)
    expect(refusalOf(encodeFrame(burst(new Uint8Array())))).toBe('malformed-frame')
  })

  test('of rows, values, names and ids refuse by the limit', () => {
    const rows = Array.from({ length: limits.rowsPerFrameMax + 1 }, (_, i) => ({
      key: documentKey('notes', mintedId(alice, i)),
      row: emptyRow,
      texts: noTexts,
    }))
    expect(refusalOf(encodeFrame({ type: 'give', rows: rows.slice(1), last: false }))).toBe('nothing')
    expect(refusalOf(encodeFrame({ type: 'give', rows, last: false }))).toBe('limit-exceeded')
    const changing = (bytes: number): ChangesFrame => ({
      ...live(1, 1, 1_764_000_000_000),
      rows: [
        { key: documentKey('notes', 'n'), delta: rowOf(new Uint8Array(bytes)), parts: 0, texts: new Map() },
      ],
    })
    expect(refusalOf(encodeFrame(changing(limits.valueBytesMax)))).toBe('nothing')
    expect(refusalOf(encodeFrame(changing(limits.valueBytesMax + 1)))).toBe('limit-exceeded')
    expect(refusalOf(encodeFrame(submitOf(rowOf(new Uint8Array([3])), 'x'.repeat(257))))).toBe(
      'limit-exceeded',
    )
    const long = {
      type: 'give',
      rows: [{ key: documentKey('n'.repeat(257), '1'), row: emptyRow, texts: noTexts }],
      last: false,
    }
    expect(refusalOf(encodeFrame(long as GiveFrame))).toBe('limit-exceeded')
    const twoLong = ['é'.repeat(100), `${'é'.repeat(100)}${'é'.repeat(29)}`].map(id => ({
      key: documentKey('notes', id),
      row: emptyRow,
      texts: noTexts,
    }))
    expect(refusalOf(encodeFrame({ type: 'give', rows: twoLong, last: false }))).toBe('limit-exceeded')
  })

  test('[F4] of values do not end the session of who submits or gives: these are judged one by one', () => {
    const row = rowOf(new Uint8Array(limits.valueBytesMax + 1))
    const rows = [{ key: documentKey('notes', 'n'), row, texts: noTexts }]
    expect(refusalOf(encodeFrame(submitOf(row)))).toBe('nothing')
    expect(refusalOf(encodeFrame({ type: 'give', rows, last: false }))).toBe('nothing')
  })

  test('[F4] are none of siblings and fields: who deletes a row that was joined beyond them names them all', () => {
    const siblings: Sibling[] = Array.from({ length: limits.siblingsMax + 1 }, (_, i) => ({
      mark: markAt(1000 + i),
      value: new Uint8Array([i]),
      base: null,
      answers: null,
    }))
    const context = new Map([[alice, markAt(1000 + limits.siblingsMax)]])
    const row: Row = {
      ...emptyRow,
      cells: new Map([[partName('ask', 'title'), { strategy: 'ask', siblings, context }]]),
    }
    const wide: Row = {
      ...emptyRow,
      cells: new Map(
        Array.from({ length: limits.fieldsPerRowMax + 3 }, (_, i) => [
          partName('lww', `${i}`),
          { strategy: 'lww', last: markAt(5), value: new Uint8Array([3]) },
        ]),
      ),
    }
    for (const given of [row, wide]) {
      const submit = submitOf(given)
      expect(decodeFrame(encodeFrame(submit))).toEqual({ ok: true, value: submit })
      const give: GiveFrame = {
        type: 'give',
        rows: [{ key: documentKey('notes', '1'), row: given, texts: noTexts }],
        last: true,
      }
      expect(decodeFrame(encodeFrame(give))).toEqual({ ok: true, value: give })
    }
  })

  test('of marks hold', () => {
    for (const mark of [
      { ms: 2 ** 48, tick: 0, writer: alice },
      { ms: 0, tick: 65_536, writer: alice },
    ]) {
      const delta: Row = { ...emptyRow, revival: mark }
      const frame = submitOf(delta)
      const writes = frame.transactions[0]?.writes.map(write => ({ ...write, mark })) ?? []
      const bytes = encodeFrame({ ...frame, transactions: [{ writes, preconditions: [] }] })
      expect(refusalOf(bytes)).toBe('malformed-frame')
      expect(refusalOf(encodeFrame(frame))).toBe('malformed-frame')
    }
  })

  test('keep names that mean something to every object out', () => {
    for (const name of ['__proto__', 'constructor', 'prototype']) {
      const value = new Uint8Array([1])
      const cells = new Map([[partName('lww', name), { strategy: 'lww', last: markAt(1), value } as const]])
      expect(refusalOf(encodeFrame(submitOf({ ...emptyRow, cells })))).toBe('key-forbidden')
      expect(refusalOf(encodeFrame(submitOf(rowOf(value), name)))).toBe('key-forbidden')
      const keys = [documentKey(name, '1')]
      expect(refusalOf(encodeFrame({ type: 'want', keys, texts: [], writers: [] }))).toBe('key-forbidden')
      const rows = ['a', name].map(id => ({ key: documentKey('notes', id), row: emptyRow, texts: noTexts }))
      expect(refusalOf(encodeFrame({ type: 'give', rows, last: false }))).toBe('key-forbidden')
    }
  })

  test('let no error in whose details are not those of its code', () => {
    const bytes = encodeFrame({ type: 'refuse', error: { code: 'stale', details: { lagMs: 1, limitMs: 2 } } })
    expect(refusalOf(bytes)).toBe('nothing')
    bytes[bytes.length - 1] = 0
    expect(refusalOf(bytes)).toBe('malformed-frame')
    const unknown = encodeFrame({
      type: 'refuse',
      error: { code: 'stale', details: { lagMs: 1, limitMs: 2 } },
    })
    unknown[2] = 0x53
    expect(refusalOf(unknown)).toBe('malformed-frame')
  })
})
