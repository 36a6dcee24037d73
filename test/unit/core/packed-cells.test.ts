// Rows whose cells stay encoded: what they answer, how they are stored, and that nothing is amiss in them later.
import {
  bytesFor,
  countParts,
  createDictionary,
  createFrameEncoder,
  createKnownNames,
  decodeChunk,
  decodeFrame,
  digestOfRow,
  documentKey,
  encodeChunk,
  encodeFrame,
  encodeValue,
  joinRows,
  lastOfRow,
  ListedMap,
  partName,
  readField,
  readTogether,
  rowExists,
  showsDelta,
  type ChangedRow,
  type ChangesFrame,
  type PartName,
  type Cell,
  type PulledChunk,
  type Row,
  type StoreId,
} from '@rejoin/core'
import { lww } from '@rejoin/resolve'
import fc from 'fast-check'
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { markOf } from './edits.ts'
import { arbitraryRow, arbitraryWriter } from './generators.ts'
import { pulledChunk } from './chunks.ts'

/** Rows of a few shapes, enough of each to stay encoded, with values of all lengths. */
const arbitraryRows: fc.Arbitrary<readonly ChangedRow[]> = fc
  .array(
    arbitraryRow.filter(row => countParts(row) > 0),
    { minLength: 1, maxLength: 3 },
  )
  .map(models => {
    const all = Array.from({ length: 100 * models.length }, (_, i) => models[i % models.length] as Row)
    return all.map((model, i) => changedRow(`d${i}`, withLengths(model, i)))
  })

function withLengths(row: Row, length: number): Row {
  const cells = new Map<PartName, Cell>()
  for (const [part, cell] of row.cells)
    cells.set(
      part,
      cell.strategy === 'lww' ? { ...cell, value: new Uint8Array(length % 90).fill(length) } : cell,
    )
  return { ...row, cells }
}

function changedRow(id: string, delta: Row): ChangedRow {
  return { key: documentKey('notes', id), delta, parts: 0, texts: new Map() }
}

function frameOf(rows: readonly ChangedRow[]): ChangesFrame {
  return { type: 'changes', rows, place: 7, head: 9, cut: null, answer: false, writers: [] }
}

function rowsIn(bytes: Uint8Array): readonly ChangedRow[] {
  const decoded = decodeFrame(bytes, undefined, 'encoded')
  if (!decoded.ok || decoded.value.type !== 'changes') throw new Error('these bytes are changes')
  return decoded.value.rows
}

function chunkOf(rows: readonly ChangedRow[], store: StoreId): PulledChunk {
  return pulledChunk(store, { rows })
}

function decoded({ key, delta }: ChangedRow): unknown {
  return { key, ...contentOf(delta) }
}

function contentOf({ cells, deletion, revival }: Row): Row {
  return { cells: new Map(cells), deletion, revival }
}

test('rows whose cells stay encoded answer as those that were encoded', () => {
  fc.assert(
    fc.property(arbitraryRows, rows => {
      const bytes = encodeFrame(frameOf(rows))
      const came = rowsIn(bytes)
      expect(came.map(decoded)).toEqual(rows.map(decoded))
      for (const [i, { delta }] of came.entries()) {
        const { delta: row } = rows[i] as ChangedRow
        expect(countParts(delta)).toBe(countParts(row))
        expect([...delta.cells.keys()]).toEqual([...delta.cells].map(([part]) => part))
        expect(lastOfRow(delta)).toEqual(lastOfRow(row))
        expect(rowExists(delta)).toBe(rowExists(row))
        expect(digestOfRow(delta)).toEqual(digestOfRow(row))
        expect(joinRows(delta, row)).toBe(delta)
        expect(joinRows(row, delta)).toBe(row)
      }
      expect(encodeFrame(frameOf(came))).toEqual(bytes)
    }),
    { numRuns: 30 },
  )
})

test('rows whose cells stay encoded join as those that were encoded', () => {
  fc.assert(
    fc.property(arbitraryRows, arbitraryRows, (some, others) => {
      const [came, too] = [some, others].map(rows => rowsIn(encodeFrame(frameOf(rows))))
      for (const [i, { delta: a }] of some.slice(0, 40).entries()) {
        const b = others[i % others.length]?.delta ?? a
        const encodedA = came?.[i]?.delta ?? a
        const encodedB = too?.[i % others.length]?.delta ?? b
        const joined = contentOf(joinRows(a, b))
        for (const one of [a, encodedA])
          for (const other of [b, encodedB]) expect(contentOf(joinRows(one, other))).toEqual(joined)
        expect(showsDelta(encodedA, encodedB)).toBe(showsDelta(a, b))
      }
    }),
    { numRuns: 30 },
  )
})

test('values that stay encoded are read as they were written, whoever has read how many of them', () => {
  const part = partName('lww', 'title')
  const field = lww(v.union([v.string(), v.number()]))
  const arbitraryValues = fc.array(
    fc.oneof(fc.string({ maxLength: 140 }), fc.string({ unit: 'grapheme', maxLength: 40 }), fc.nat()),
    { minLength: 2, maxLength: 60 },
  )
  fc.assert(
    fc.property(
      fc.oneof(arbitraryValues, fc.array(fc.string(), { minLength: 2 })),
      arbitraryWriter,
      (values, writer) => {
        const rows = values.map((value, i) => {
          const last = { ms: i + 1, tick: 0, writer }
          const cell = { strategy: 'lww', last, value: encodeValue(value) } as const
          return changedRow(`d${i}`, { cells: new Map([[part, cell]]), deletion: null, revival: null })
        })
        const came = rowsIn(encodeFrame(frameOf(rows)))
        for (let time = 0; time < 2; time++)
          expect(came.map(({ delta }) => readField(delta, part, field))).toEqual(values)
      },
    ),
  )
})

test('what rows show that lie together is what each of them shows, whoever has asked for how many', () => {
  const fields = ['a', 'b', 'gone'].map(name => ({
    name,
    part: partName('lww', name),
    field: lww(v.any()),
  }))
  const arbitraryValue = fc.oneof(
    fc.string({ maxLength: 140 }),
    fc.string({ unit: 'grapheme', maxLength: 40 }),
    fc.integer(),
    fc.array(fc.nat(), { maxLength: 3 }),
  )
  const arbitraryPairs = fc.array(fc.tuple(arbitraryValue, arbitraryValue), { minLength: 2, maxLength: 60 })
  fc.assert(
    fc.property(
      arbitraryPairs,
      arbitraryWriter,
      fc.array(fc.nat(), { maxLength: 90 }),
      fc.boolean(),
      (pairs, writer, picks, areAll) => {
        const last = { ms: 1, tick: 0, writer }
        const rows = pairs.map((pair, i) => {
          const cells = new Map<PartName, Cell>()
          pair.forEach((value, at) => {
            const part = fields[at]?.part as PartName
            cells.set(part, { strategy: 'lww', last, value: encodeValue(value) })
          })
          return changedRow(`d${i}`, { cells, deletion: null, revival: null })
        })
        const came = rowsIn(encodeFrame(frameOf(rows)))
        let areTogether = 0
        for (const pick of picks) {
          const i = pick % came.length
          const row = came[i]?.delta as Row
          const together = readTogether(row, fields, areAll, Object.freeze)
          // Another list of fields is another reader.
          expect(readTogether(row, [...fields], areAll, Object.freeze)).toBe(null)
          if (together === null) continue
          areTogether += 1
          const [a, b] = pairs[i] ?? []
          expect(together).toStrictEqual({ id: '', a, b, gone: undefined })
        }
        if (areAll) expect(areTogether).toBe(Math.min(picks.length, came.length))
      },
    ),
  )
})

test('[P1] what came together is stored as it came, and what is left of it anew', () => {
  fc.assert(
    fc.property(
      arbitraryRows,
      fc.array(fc.nat(), { maxLength: 3 }),
      arbitraryWriter,
      (rows, left, writer) => {
        const store = writer as string as StoreId
        const bytes = encodeFrame(frameOf(rows))
        const came = rowsIn(bytes)
        const others = [changedRow('other', rows[0]?.delta as Row)]
        const whole = encodeChunk(chunkOf([...others, ...came, ...others], store))
        // All that follows the frame's head of place, flags and names; the least frame has 208 bytes.
        expect(Buffer.from(whole).includes(Buffer.from(bytes.subarray(-150)))).toBe(true)
        const some = came.filter((_, i) => !left.some(index => index % came.length === i))
        for (const stored of [[...others, ...came, ...others], some, [...came, ...some]]) {
          const read = decodeChunk(encodeChunk(chunkOf(stored, store)))
          expect(read.ok && read.value.kind === 'pulled' && read.value.rows.map(decoded)).toEqual(
            stored.map(decoded),
          )
        }
      },
    ),
    { numRuns: 30 },
  )
})

test('what a decoder let in can be read, whatever bytes came', () => {
  let taken = 0
  fc.assert(
    fc.property(arbitraryRows, fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 }))), (rows, flips) => {
      const bytes = encodeFrame(frameOf(rows))
      for (const [at, mask] of flips) bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ mask
      const outcome = decodeFrame(bytes, undefined, 'encoded')
      if (!outcome.ok || outcome.value.type !== 'changes') return
      taken += 1
      for (const { delta } of outcome.value.rows) {
        for (const [part, cell] of delta.cells) expect(part.startsWith(`${cell.strategy}:`)).toBe(true)
        digestOfRow(delta)
        lastOfRow(delta)
      }
    }),
    { numRuns: 100 },
  )
  expect(taken).toBeGreaterThan(0)
})

test('[F2] a change of many rows is stored as it came, whatever names its link knows', () => {
  const lww = (i: number): Row => ({
    cells: new Map([
      [partName('lww', 'n'), { strategy: 'lww', last: markOf('bob', i), value: new Uint8Array(3).fill(i) }],
    ]),
    deletion: null,
    revival: null,
  })
  const rows = Array.from({ length: 64 }, (_, i) => changedRow(`d${i}`, lww(i)))
  const encoder = createFrameEncoder(() => 0)
  const [known, names] = [createKnownNames(), createDictionary()]
  const kindOf = (frame: ChangesFrame): string => {
    const encoded = encoder.encode(frame)
    const decoded = decodeFrame(bytesFor(encoded, known), names, 'encoded')
    expect(decoded.ok && decoded.value).toMatchObject({ rows: frame.rows.map(({ key }) => ({ key })) })
    const first = decoded.ok && decoded.value.type === 'changes' ? decoded.value.rows[0] : undefined
    return `${encoded.kind}, ${first?.delta.cells instanceof ListedMap ? 'decoded' : 'as it came'}`
  }
  expect(kindOf(frameOf(rows.slice(1)))).toBe('linked, decoded')
  expect(kindOf(frameOf(rows))).toBe('alone, as it came')
  expect(kindOf(frameOf(rows.slice(1)))).toBe('linked, decoded')
})
