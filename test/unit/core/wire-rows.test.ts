// Rows one by one as bytes: of a client's pages and a relay's store, and the canonical ones that digests are of.
import {
  documentKey,
  createDictionary,
  decodeDictionary,
  decodeHeldRow,
  decodeRow,
  decodeRowChanges,
  digestOfBytes,
  digestOfRow,
  emptyFingerprint,
  emptyRow,
  encodeCanonicalRow,
  encodeDictionary,
  encodeHeldRow,
  encodeHeldRows,
  encodeRow,
  encodeRowChanges,
  formatDigest,
  isSameFingerprint,
  lastOfRow,
  replaceInFingerprint,
  rowExists,
} from '@rejoin/core'
import type { Cell, FeedPart, HeldRow, PartName, Row } from '@rejoin/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { arbitraryPart, arbitraryRow, arbitraryRowOf } from './generators.ts'

const forgedRow = arbitraryRowOf('forged')

const arbitraryHeldRow: fc.Arbitrary<HeldRow> = fc
  .record({
    row: forgedRow,
    position: fc.nat(),
    other: fc.oneof<fc.Arbitrary<FeedPart>[]>(arbitraryPart, fc.constantFrom('deletion', 'revival')),
    behind: fc.array(fc.option(fc.nat({ max: 300 }), { nil: null }), { minLength: 8, maxLength: 8 }),
    texts: fc
      .array(
        fc.tuple(
          arbitraryPart,
          fc.record({
            bytes: fc.nat(),
            stateVector: fc
              .array(fc.tuple(fc.nat({ max: 2 ** 32 - 1 }), fc.nat()), { maxLength: 3 })
              .map(entries => new Map(entries)),
          }),
        ),
        { maxLength: 2 },
      )
      .map(entries => new Map(entries)),
  })
  .map(({ row, position, other, behind, texts }) => {
    const parts: FeedPart[] = [...row.cells.keys()]
    if (row.deletion !== null) parts.push('deletion')
    if (row.revival !== null) parts.push('revival')
    if (!parts.includes(other)) parts.push(other)
    const positions = new Map<FeedPart, number>()
    parts.forEach((part, i) => {
      const back = behind[i] ?? null
      if (back !== null) positions.set(part, Math.max(0, position - back))
    })
    return { row, position, positions, texts }
  })

/** A row with the same content whose maps were filled in another order. */
function reordered(row: Row): Row {
  return {
    ...row,
    cells: new Map(
      [...row.cells].reverse().map(([name, cell]): [PartName, Cell] => {
        if (cell.strategy === 'counter')
          return [name, { ...cell, entries: new Map([...cell.entries].reverse()) }]
        if (cell.strategy === 'lww') return [name, cell]
        const context = new Map([...cell.context].reverse())
        if (cell.strategy === 'set')
          return [name, { ...cell, context, elements: new Map([...cell.elements].reverse()) }]
        return [name, { ...cell, context }]
      }),
    ),
    deletion: row.deletion && { ...row.deletion, seen: new Map([...row.deletion.seen].reverse()) },
  }
}

describe('a row as bytes', () => {
  test('comes out as it went in, and a proper prefix is refused', () => {
    fc.assert(
      fc.property(forgedRow, row => {
        const bytes = encodeRow(row)
        expect(decodeRow(bytes)).toEqual({ ok: true, value: row })
        for (let end = 0; end < bytes.length; end++) expect(decodeRow(bytes.subarray(0, end)).ok).toBe(false)
      }),
      { numRuns: 200 },
    )
  })

  test('is the same whatever the order in which it came together', () => {
    fc.assert(
      fc.property(forgedRow, row => {
        expect(encodeRow(reordered(row))).toEqual(encodeRow(row))
        expect(encodeCanonicalRow(reordered(row))).toEqual(encodeCanonicalRow(row))
      }),
    )
  })

  test('shares the names of a page with its neighbours', () => {
    fc.assert(
      fc.property(fc.array(forgedRow, { maxLength: 6 }), rows => {
        const dictionary = createDictionary()
        const page = rows.map(row => encodeRow(row, dictionary))
        const names = decodeDictionary(encodeDictionary(dictionary))
        expect(names.ok).toBe(true)
        if (!names.ok) return
        page.forEach((bytes, i) =>
          expect(decodeRow(bytes, names.value)).toEqual({ ok: true, value: rows[i] }),
        )
        expect(names.value).toEqual(dictionary)
      }),
    )
  })

  test('that was damaged is refused or is another row, and never throws', () => {
    fc.assert(
      fc.property(forgedRow, fc.nat(), fc.nat({ max: 7 }), (row, at, bit) => {
        const bytes = encodeRow(row)
        const index = at % bytes.length
        bytes[index] = (bytes[index] ?? 0) ^ (1 << bit)
        const decoded = decodeRow(bytes)
        if (decoded.ok) expect(decodeRow(encodeRow(decoded.value))).toEqual(decoded)
      }),
      { numRuns: 2000 },
    )
  })

  test('with positions and texts comes out as it went in', () => {
    fc.assert(
      fc.property(arbitraryHeldRow, held => {
        const bytes = encodeHeldRow(held)
        expect(decodeHeldRow(bytes)).toEqual({ ok: true, value: held })
        for (let end = 0; end < bytes.length; end += 3)
          expect(decodeHeldRow(bytes.subarray(0, end)).ok).toBe(false)
      }),
      { numRuns: 200 },
    )
  })

  test('with positions and texts that was damaged is refused or is another row, and never throws', () => {
    fc.assert(
      fc.property(arbitraryHeldRow, fc.nat(), fc.nat({ max: 255 }), (held, at, byte) => {
        const bytes = encodeHeldRow(held)
        const decoded = decodeHeldRow(bytes.with(at % bytes.length, byte))
        if (decoded.ok) expect(decodeHeldRow(encodeHeldRow(decoded.value))).toEqual(decoded)
      }),
      { numRuns: 1000 },
    )
  })

  test('among many is what it is alone', () => {
    fc.assert(
      fc.property(fc.array(arbitraryHeldRow, { maxLength: 20 }), rows => {
        const byKey = new Map(rows.map((held, i) => [documentKey('notes', `n${i}`), held]))
        expect(encodeHeldRows(byKey)).toEqual(
          Array.from(byKey, ([key, held]) => ({ key, held, state: encodeHeldRow(held) })),
        )
      }),
      { numRuns: 100 },
    )
  })
})

describe('what a commit changed', () => {
  test('comes out as it went in, and not cut short', () => {
    fc.assert(
      fc.property(fc.array(forgedRow, { maxLength: 12 }), rows => {
        const marks = [
          ...new Map(rows.flatMap(row => lastOfRow(row) ?? []).map(mark => [mark.writer, mark])).values(),
        ]
        const changes = {
          rows: rows.map((changed, i) => ({ key: documentKey('notes', `n${i}`), changed })),
          marks,
        }
        const bytes = encodeRowChanges(changes)
        expect(decodeRowChanges(bytes)).toEqual({ ok: true, value: changes })
        for (let end = 0; end < bytes.length; end += 7)
          expect(decodeRowChanges(bytes.subarray(0, end)).ok).toBe(false)
      }),
      { numRuns: 200 },
    )
  })
})

describe('a digest', () => {
  test('is of everything in a row but the bases of siblings', () => {
    fc.assert(
      fc.property(arbitraryRow, arbitraryRow, (a, b) => {
        const without = (row: Row): Row => ({
          ...row,
          cells: new Map(
            [...row.cells].map(([name, cell]) => [
              name,
              cell.strategy === 'ask'
                ? { ...cell, siblings: cell.siblings.map(sibling => ({ ...sibling, base: null })) }
                : cell,
            ]),
          ),
        })
        expect(digestOfRow(without(a))).toEqual(digestOfRow(a))
        const same = Buffer.compare(encodeRow(without(a)), encodeRow(without(b))) === 0
        expect(formatDigest(digestOfRow(a)) === formatDigest(digestOfRow(b))).toBe(same)
      }),
      { numRuns: 300 },
    )
  })

  test('scatters: of 50,000 near texts no two have one, and no lane has more twins than chance gives', () => {
    const seen = new Set<string>()
    const high = new Set<number>()
    const low = new Set<number>()
    const bytes = new Uint8Array(16)
    for (let i = 0; i < 50_000; i++) {
      bytes[i % 13] = i & 0xff
      bytes[14] = i >> 8
      bytes[15] = i & 0xff
      const digest = digestOfBytes(bytes)
      seen.add(formatDigest(digest))
      high.add(digest.high)
      low.add(digest.low)
    }
    expect(seen.size).toBe(50_000)
    expect(50_000 - high.size).toBeLessThan(6)
    expect(50_000 - low.size).toBeLessThan(6)
  })
})

describe('a fingerprint', () => {
  test('[P5] is the same however a replica came to its rows', () => {
    fc.assert(
      fc.property(
        fc.array(forgedRow, { maxLength: 5 }),
        fc.array(forgedRow, { maxLength: 5 }),
        (before, after) => {
          const whole = after.reduce(
            (sum, row) => replaceInFingerprint(sum, undefined, row),
            emptyFingerprint,
          )
          let sum = before.reduce((held, row) => replaceInFingerprint(held, undefined, row), emptyFingerprint)
          for (const row of after.toReversed()) sum = replaceInFingerprint(sum, undefined, row)
          for (const row of before) sum = replaceInFingerprint(sum, row, undefined)
          expect(isSameFingerprint(sum, whole)).toBe(true)
          expect(whole.count).toBe(after.filter(rowExists).length)
        },
      ),
    )
  })

  test('[P5] does not count what does not exist', () => {
    expect(replaceInFingerprint(emptyFingerprint, undefined, emptyRow)).toBe(emptyFingerprint)
  })
})
