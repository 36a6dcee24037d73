/** Arbitrary parts of frames and chunks, over the rows of generators.ts. */
import { countParts, documentKey, isForbiddenKey, mintedId, noTexts, writerFromBytes } from '@rejoin/core'
import type {
  Cell,
  ChangedRow,
  ChangesFrame,
  Cursor,
  DocumentKey,
  Failure,
  Generation,
  GenerationId,
  Mark,
  PartName,
  Row,
  StoreId,
  TextHead,
  TextPart,
  Write,
  WriterRecord,
} from '@rejoin/core'
import fc from 'fast-check'
import {
  arbitraryBytes,
  arbitraryMark,
  arbitraryPart,
  arbitraryRowOf,
  arbitraryWriter,
} from './generators.ts'

const row = arbitraryRowOf('forged')
/** A client is to bring parts that hold something. */
export const brought = row.map(
  (drawn): Row => ({ ...drawn, cells: new Map([...drawn.cells].filter(holdsSomething)) }),
)

function holdsSomething([, cell]: readonly [PartName, Cell]): boolean {
  if (cell.strategy === 'lww') return cell.value.length > 0
  return cell.strategy !== 'counter' || cell.entries.size > 0
}
export const list = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(one, { maxLength: 3 })
export const position = fc.oneof(fc.nat({ max: 300 }), fc.maxSafeInteger().map(Math.abs))
export const name = fc.string({ unit: 'grapheme', maxLength: 12 })
export const time = fc.oneof(fc.nat(), fc.constantFrom(1_764_000_000_000, 1_764_000_000_000.25))
export const digest = fc.oneof(
  fc.constantFrom('0123456789abcdef', 'ffffffffffffffff', '', '0123456789ABCDEF'),
  name,
)

const ids = [1, 2, 3, 255].map(byte => writerFromBytes(new Uint8Array(8).fill(byte)) as string)
export const generation = fc.constantFrom(...ids) as fc.Arbitrary<GenerationId>
export const store = fc.constantFrom(...ids) as fc.Arbitrary<StoreId>
export const positions = list(fc.tuple(generation, position)).map(entries => new Map(entries))
export const cursor: fc.Arbitrary<Cursor> = fc.record({ generation, cut: position, place: position })
export const generations: fc.Arbitrary<Generation[]> = list(
  fc.record({ id: generation, store, parent: fc.option(generation, { nil: null }), start: position }),
)
export const fingerprint = fc.record({
  count: fc.nat(),
  high: fc.nat({ max: 2 ** 32 - 1 }),
  low: fc.nat({ max: 2 ** 32 - 1 }),
})

/** Minted ids of few mints, so that serials make runs; strings that share beginnings; strange strings. */
const documentId = fc.oneof(
  fc
    .tuple(arbitraryWriter, fc.oneof(fc.nat({ max: 40 }), fc.constantFrom(2 ** 48 - 1)))
    .map(([mint, serial]) => mintedId(mint, serial)),
  fc.constantFrom('r000001', 'r000002', 'r000010', 'a/b', '', '😀1', '😀2', '\u{1f601}', '-----------.01'),
  fc.string({ unit: 'grapheme', maxLength: 20 }).filter(id => !isForbiddenKey(id)),
)
export const arbitraryKey: fc.Arbitrary<DocumentKey> = fc
  .tuple(fc.constantFrom('notes', 'tasks', 'ö'), documentId)
  .map(([collection, id]) => documentKey(collection, id))

export const arbitraryFailure: fc.Arbitrary<Failure> = fc.constantFrom<Failure>(
  { code: 'clock-skew', details: { relayTime: 1_764_000_000_000.5, ms: -4 } },
  { code: 'limit-exceeded', details: { what: 'rows', limit: 1, actual: 2 } },
  { code: 'protocol-version', details: { supported: [1, 2] } },
  { code: 'ack-unavailable', details: { wanted: 'quorum', available: ['local', 'relay'] } },
  { code: 'refused-by-rule', details: { reason: 'é' } },
)

export const stateVector = list(fc.tuple(fc.nat({ max: 2 ** 32 - 1 }), position)).map(
  entries => new Map(entries),
)
const head: fc.Arbitrary<TextHead> = fc.record({ stateVector, digest, bytes: position })
const textPart: fc.Arbitrary<TextPart> = fc.oneof(
  list(arbitraryBytes).map((updates): TextPart => ({ kind: 'tail', updates })),
  head.map((known): TextPart => ({ kind: 'head', head: known })),
)
export const texts = fc.oneof(
  fc.constant(noTexts),
  list(fc.tuple(arbitraryPart, list(arbitraryBytes))).map(entries => new Map(entries)),
)

const changedRow: fc.Arbitrary<ChangedRow> = fc.record({
  key: arbitraryKey,
  delta: row,
  parts: fc.nat({ max: 5 }),
  texts: fc.oneof(
    fc.constant(new Map<PartName, TextPart>()),
    list(fc.tuple(arbitraryPart, textPart)).map(entries => new Map(entries)),
  ),
})
/** Rows that are alike but for their ids, as in a page or a burst. */
export const changedRows: fc.Arbitrary<ChangedRow[]> = fc.oneof(
  fc.array(changedRow, { maxLength: 5 }),
  fc.tuple(arbitraryWriter, fc.nat({ max: 30 }), row, fc.nat({ max: 9 })).map(([mint, from, delta, count]) =>
    Array.from({ length: count }, (_, i) => ({
      key: documentKey('notes', mintedId(mint, from + i)),
      delta,
      parts: countParts(delta),
      texts: new Map(),
    })),
  ),
)

export const arbitraryWrite: fc.Arbitrary<Write> = fc
  .record({
    mark: arbitraryMark,
    key: arbitraryKey,
    delta: brought,
    texts,
    replaced: fc.array(fc.option(arbitraryMark, { nil: null }), { minLength: 4, maxLength: 4 }),
    whole: fc.boolean(),
  })
  .map(write => ({ ...write, replaced: replacedIn(write.delta, write.replaced) }))

function replacedIn(delta: Row, drawn: readonly (Mark | null)[]): ReadonlyMap<PartName, Mark> {
  const replaced = new Map<PartName, Mark>()
  for (const [part, cell] of delta.cells) {
    const mark = drawn[replaced.size] ?? null
    if (cell.strategy === 'lww' && mark !== null) replaced.set(part, mark)
  }
  return replaced
}

export const writerRecords: fc.Arbitrary<WriterRecord[]> = list(
  fc.record({ writer: arbitraryWriter, user: name, device: name, highest: arbitraryMark }),
)

export const changes: fc.Arbitrary<ChangesFrame> = fc
  .record({
    type: fc.constant('changes' as const),
    rows: changedRows,
    place: position,
    cut: fc.option(
      fc.record({
        generation,
        position,
        frontier: positions,
        generations,
        fingerprint: fc.option(fingerprint, { nil: null }),
      }),
      { nil: null },
    ),
    answer: fc.boolean(),
    writers: writerRecords,
    live: fc.boolean(),
    ahead: fc.nat({ max: 300 }),
  })
  .map(({ live, ahead, ...frame }) => {
    const { place, cut } = frame
    if (cut === null) return { ...frame, place: Math.max(0, place - ahead), head: place }
    if (!live) return { ...frame, head: cut.position }
    const frontier = new Map([[cut.generation, place]])
    return { ...frame, head: place, cut: { ...cut, position: place, frontier } }
  })

export const rangeBound = fc.record({ mark: arbitraryMark, key: fc.option(arbitraryKey, { nil: null }) })
