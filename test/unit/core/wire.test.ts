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
  encodeChunk,
  encodeFrame,
  limits,
  writerFromBytes,
} from '@rejoin/core'
import type { Frame } from '@rejoin/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { arbitraryChunks } from './chunk-generators.ts'
import { arbitraryFrame, arbitraryFrames } from './frame-generators.ts'
import { live, refusalOf } from './plain-frames.ts'

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
