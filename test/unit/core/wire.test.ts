// The wire and the journal as bytes: what goes in comes out, and nothing that comes from outside can throw, hang or
// make more than its bounds allow.
import {
  bytesFor,
  createDictionary,
  createFrameEncoder,
  createKnownNames,
  decodeChunk,
  decodeFrame,
  documentKey,
  emptyRow,
  encodeChunk,
  encodeFrame,
  limits,
  mintedId,
  noTexts,
  nothingReplaced,
  partName,
  writerFromBytes,
} from '@rejoin/core'
import type {
  ChangesFrame,
  Dictionary,
  Frame,
  GenerationId,
  GiveFrame,
  Mark,
  Row,
  Sibling,
  SubmitFrame,
} from '@rejoin/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { arbitraryChunks, arbitraryFrame, arbitraryFrames } from './frame-generators.ts'

const alice = writerFromBytes(new Uint8Array([9, 8, 7, 6, 5, 4, 3, 2]))
const generation = writerFromBytes(new Uint8Array(8).fill(7)) as string as GenerationId
const title = partName('lww', 'title')

function markAt(ms: number, writer = alice): Mark {
  return { ms, tick: 0, writer }
}

function rowOf(value: Uint8Array, ms = 1_764_000_000_000): Row {
  return { ...emptyRow, cells: new Map([[title, { strategy: 'lww', last: markAt(ms), value }]]) }
}

function live(serial: number, position: number, ms: number): ChangesFrame {
  return {
    type: 'changes',
    rows: [
      {
        key: documentKey('notes', mintedId(alice, serial)),
        delta: rowOf(new Uint8Array([0x25, 104, 101, 108, 108, 111]), ms),
        parts: 6,
        texts: new Map(),
      },
    ],
    place: position,
    head: position,
    cut: {
      generation,
      position,
      frontier: new Map([[generation, position]]),
      generations: [],
      fingerprint: null,
    },
    answer: false,
    writers: [],
  }
}

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

function refusalOf(bytes: Uint8Array, dictionary?: Dictionary): string {
  const decoded = decodeFrame(bytes, dictionary)
  return decoded.ok ? 'nothing' : decoded.error.code
}

describe('a frame', () => {
  for (const [type, frames] of Object.entries(arbitraryFrames) as [string, fc.Arbitrary<Frame>][]) {
    test(`of type ${type} comes out as it went in, and a proper prefix is refused`, () => {
      fc.assert(
        fc.property(frames, frame => {
          const bytes = encodeFrame(frame)
          expect(decodeFrame(bytes)).toEqual({ ok: true, value: frame })
          const step = Math.max(1, Math.floor(bytes.length / 50))
          for (let end = 0; end < bytes.length; end += step)
            expect(decodeFrame(bytes.subarray(0, end)).ok).toBe(false)
          expect(refusalOf(new Uint8Array([...bytes, 0]))).toBe('malformed-frame')
        }),
        { numRuns: 120 },
      )
    })
  }

  test('goes to all who hear a link in the same names, whatever each of them was not sent', () => {
    const listeners = fc.array(fc.constantFrom('linked', 'alone', 'not'), { minLength: 3, maxLength: 3 })
    fc.assert(
      fc.property(fc.array(fc.tuple(arbitraryFrame, listeners), { maxLength: 12 }), frames => {
        const encoder = createFrameEncoder(() => 1_764_000_000_000)
        const ends = Array.from({ length: 3 }, () => ({
          known: createKnownNames(),
          heard: createDictionary(),
        }))
        for (const [frame, ways] of frames) {
          const encoded = encoder.encode(frame)
          ends.forEach(({ known, heard }, i) => {
            if (ways[i] === 'not') return
            const bytes = ways[i] === 'alone' ? encodeFrame(frame) : bytesFor(encoded, known)
            expect(decodeFrame(bytes, heard)).toEqual({ ok: true, value: frame })
          })
        }
      }),
      { numRuns: 150 },
    )
  })

  test('is encoded once for all who know the same names', () => {
    const encoder = createFrameEncoder(() => 0)
    const [first, second] = [createKnownNames(), createKnownNames()]
    const encoded = encoder.encode(live(1, 2, 3))
    expect(bytesFor(encoded, first)).toBe(bytesFor(encoded, second))
    const next = encoder.encode(live(2, 3, 4))
    expect(bytesFor(next, first)).toBe(bytesFor(next, second))
    expect(bytesFor(next, createKnownNames())).not.toBe(bytesFor(next, first))
  })

  test('that is refused leaves the names of its link as they were', () => {
    fc.assert(
      fc.property(arbitraryFrame, fc.nat(), (frame, cut) => {
        const heard = createDictionary()
        const bytes = bytesFor(createFrameEncoder(() => 5).encode(frame), createKnownNames())
        expect(decodeFrame(bytes.subarray(0, cut % bytes.length), heard).ok).toBe(false)
        expect(heard).toEqual(createDictionary())
      }),
      { numRuns: 200 },
    )
  })

  test('that speaks the names of a link is refused where there are none, and where others are known', () => {
    const encoder = createFrameEncoder(() => 0)
    const known = createKnownNames()
    const first = bytesFor(encoder.encode(live(1, 2, 3)), known)
    expect(refusalOf(first)).toBe('malformed-frame')
    const other: Frame = { type: 'want', keys: [documentKey('others', 'x')], texts: [], writers: [] }
    const second = bytesFor(encoder.encode(other), known)
    const heard = createDictionary()
    expect(decodeFrame(second, heard).ok).toBe(false)
    expect(decodeFrame(first, heard).ok).toBe(true)
    expect(decodeFrame(second, heard)).toEqual({ ok: true, value: other })
    expect(decodeFrame(second, heard).ok).toBe(false)
  })

  test('begins the names of its link anew when they are too many, and goes by itself with too many of its own', () => {
    const encoder = createFrameEncoder(() => 0)
    const known = createKnownNames()
    const heard = createDictionary()
    const wanting = (round: number, count: number): Frame => {
      const writers = Array.from({ length: count }, (_, i) =>
        writerFromBytes(new Uint8Array([round, i >> 8, i & 255, 0, 0, 0, 0, 1])),
      )
      return { type: 'want', keys: [], texts: [], writers }
    }
    const sizes = [600, 400, 600, 2000, 24]
    const kinds = sizes.map((size, round) => {
      const frame = wanting(round, size)
      const encoded = encoder.encode(frame)
      expect(decodeFrame(bytesFor(encoded, known), heard)).toEqual({ ok: true, value: frame })
      return [encoded.kind, heard.writers.length]
    })
    expect(kinds).toEqual([
      ['linked', 600],
      ['linked', 1000],
      ['linked', 600],
      ['alone', 600],
      ['linked', 24],
    ])
  })

  test('that was damaged is refused or is another frame, and never throws', () => {
    fc.assert(
      fc.property(arbitraryFrame, fc.nat(), fc.nat({ max: 7 }), (frame, at, bit) => {
        const bytes = encodeFrame(frame)
        const index = at % bytes.length
        bytes[index] = (bytes[index] ?? 0) ^ (1 << bit)
        const decoded = decodeFrame(bytes)
        if (decoded.ok) expect(decodeFrame(encodeFrame(decoded.value))).toEqual(decoded)
      }),
      { numRuns: 6000 },
    )
  })

  test('of a link that was damaged never throws, and changes no names unless it is another frame', () => {
    fc.assert(
      fc.property(arbitraryFrame, fc.nat(), fc.nat({ max: 255 }), (frame, at, byte) => {
        const bytes = bytesFor(createFrameEncoder(() => 5).encode(frame), createKnownNames())
        const damaged = bytes.with(at % bytes.length, byte)
        const heard = createDictionary()
        if (!decodeFrame(damaged, heard).ok) expect(heard).toEqual(createDictionary())
      }),
      { numRuns: 2000 },
    )
  })

  test('of random bytes never throws', () => {
    fc.assert(
      fc.property(fc.nat({ max: 15 }), fc.uint8Array({ maxLength: 120, size: 'max' }), (type, rest) => {
        decodeFrame(new Uint8Array([type, ...rest]))
        decodeFrame(new Uint8Array([type + 0x40, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 97, 0, 1, 98, ...rest]))
      }),
      { numRuns: 4000 },
    )
  })

  test('with a number that is longer than it needs to be is refused', () => {
    expect(refusalOf(new Uint8Array([4, 5]))).toBe('nothing')
    expect(refusalOf(new Uint8Array([4, 0x85, 0]))).toBe('malformed-frame')
    const sevenBytes = new Uint8Array(7).fill(0xff)
    expect(decodeFrame(new Uint8Array([4, ...sevenBytes, 0x0f]))).toEqual({
      ok: true,
      value: { type: 'credit', bytes: Number.MAX_SAFE_INTEGER },
    })
    expect(refusalOf(new Uint8Array([4, ...sevenBytes, 0x1f]))).toBe('malformed-frame')
    expect(refusalOf(new Uint8Array([4, ...sevenBytes, 0x7f]))).toBe('malformed-frame')
    expect(refusalOf(new Uint8Array([4, ...new Uint8Array(50_000).fill(0x80), 0]))).toBe('malformed-frame')
  })

  test('with a reserved flag is refused', () => {
    expect(refusalOf(new Uint8Array([4 + 0x10, 5]))).toBe('malformed-frame')
    expect(refusalOf(new Uint8Array([4 + 0x80, 5]))).toBe('malformed-frame')
  })
})

describe('a hello', () => {
  test('of another protocol is refused by version, whatever follows', () => {
    const bytes = new Uint8Array([0xf0, 2, 1, 2, 3])
    expect(decodeFrame(bytes)).toEqual({
      ok: false,
      error: { code: 'protocol-version', details: { supported: [1] } },
    })
  })

  test('is refused before it is read if it is too large', () => {
    expect(refusalOf(new Uint8Array(limits.helloBytesMax + 1))).toBe('frame-too-large')
  })
})

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
    expect(refusalOf(encodeFrame({ type: 'give', rows: rows.slice(1) }))).toBe('nothing')
    expect(refusalOf(encodeFrame({ type: 'give', rows }))).toBe('limit-exceeded')
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
    }
    expect(refusalOf(encodeFrame(long as GiveFrame))).toBe('limit-exceeded')
    const twoLong = ['é'.repeat(100), `${'é'.repeat(100)}${'é'.repeat(29)}`].map(id => ({
      key: documentKey('notes', id),
      row: emptyRow,
      texts: noTexts,
    }))
    expect(refusalOf(encodeFrame({ type: 'give', rows: twoLong }))).toBe('limit-exceeded')
  })

  test('[F4] of values do not end the session of who submits or gives: these are judged one by one', () => {
    const row = rowOf(new Uint8Array(limits.valueBytesMax + 1))
    const rows = [{ key: documentKey('notes', 'n'), row, texts: noTexts }]
    expect(refusalOf(encodeFrame(submitOf(row)))).toBe('nothing')
    expect(refusalOf(encodeFrame({ type: 'give', rows }))).toBe('nothing')
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
      expect(refusalOf(encodeFrame({ type: 'give', rows }))).toBe('key-forbidden')
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

describe('a live change', () => {
  test('of one field takes 21 bytes on a link that knows the names, and 55 by itself', () => {
    const encoder = createFrameEncoder(() => 1_764_000_000_000)
    const known = createKnownNames()
    const heard = createDictionary()
    decodeFrame(bytesFor(encoder.encode(live(1000, 70_000, 1_764_000_000_000)), known), heard)
    const next = live(1234, 70_001, 1_764_000_301_500)
    const bytes = bytesFor(encoder.encode(next), known)
    expect(decodeFrame(bytes, heard)).toEqual({ ok: true, value: next })
    expect(bytes.length).toBe(21)
    expect(encodeFrame(next).length).toBe(55)
  })

  test('costs little in a burst', () => {
    const rows = Array.from({ length: 1000 }, (_, i) => live(i % 50, 0, 1_764_000_000_000 + i * 5).rows[0])
    const frame = { ...live(0, 70_000, 0), rows: rows.filter(row => row !== undefined) }
    const bytes = encodeFrame(frame)
    expect(decodeFrame(bytes)).toEqual({ ok: true, value: frame })
    expect(bytes.length / 1000).toBeLessThan(7.5)
  })
})

describe('a chunk', () => {
  for (const [kind, chunks] of Object.entries(arbitraryChunks)) {
    test(`of kind ${kind} comes out as it went in, and a proper prefix is refused`, () => {
      fc.assert(
        fc.property(chunks, chunk => {
          const bytes = encodeChunk(chunk)
          expect(decodeChunk(bytes)).toEqual({ ok: true, value: chunk })
          const step = Math.max(1, Math.floor(bytes.length / 40))
          for (let end = 0; end < bytes.length; end += step)
            expect(decodeChunk(bytes.subarray(0, end)).ok).toBe(false)
        }),
        { numRuns: 100 },
      )
    })
  }

  test('that was damaged is refused or is another chunk, and never throws', () => {
    fc.assert(
      fc.property(
        fc.oneof(...Object.values(arbitraryChunks)),
        fc.nat(),
        fc.nat({ max: 7 }),
        (chunk, at, bit) => {
          const bytes = encodeChunk(chunk)
          const index = at % bytes.length
          bytes[index] = (bytes[index] ?? 0) ^ (1 << bit)
          const decoded = decodeChunk(bytes)
          if (decoded.ok) expect(decodeChunk(encodeChunk(decoded.value))).toEqual(decoded)
        },
      ),
      { numRuns: 3000 },
    )
  })
})
