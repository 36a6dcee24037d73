/** Arbitrary frames and chunks of every type, over the rows of generators.ts. */
import {
  countParts,
  documentKey,
  isForbiddenKey,
  mintedId,
  noTexts,
  transactionId,
  writerFromBytes,
} from '@rejoin/core'
import type {
  Cell,
  ChangedRow,
  ChangesFrame,
  Chunk,
  Copies,
  Cursor,
  DocumentKey,
  Failure,
  Frame,
  Generation,
  GenerationId,
  Mark,
  PartName,
  PulledChunk,
  Row,
  SeenDocument,
  SnapshotChunk,
  StoreId,
  TextHead,
  TextPart,
  Transaction,
  TransactionId,
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
const brought = row.map(
  (drawn): Row => ({ ...drawn, cells: new Map([...drawn.cells].filter(holdsSomething)) }),
)

function holdsSomething([, cell]: readonly [PartName, Cell]): boolean {
  if (cell.strategy === 'lww') return cell.value.length > 0
  return cell.strategy !== 'counter' || cell.entries.size > 0
}
const list = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(one, { maxLength: 3 })
const position = fc.oneof(fc.nat({ max: 300 }), fc.maxSafeInteger().map(Math.abs))
const name = fc.string({ unit: 'grapheme', maxLength: 12 })
const time = fc.oneof(fc.nat(), fc.constantFrom(1_764_000_000_000, 1_764_000_000_000.25))
const digest = fc.oneof(fc.constantFrom('0123456789abcdef', 'ffffffffffffffff', '', '0123456789ABCDEF'), name)

const ids = [1, 2, 3, 255].map(byte => writerFromBytes(new Uint8Array(8).fill(byte)) as string)
const generation = fc.constantFrom(...ids) as fc.Arbitrary<GenerationId>
const store = fc.constantFrom(...ids) as fc.Arbitrary<StoreId>
const positions = list(fc.tuple(generation, position)).map(entries => new Map(entries))
const cursor: fc.Arbitrary<Cursor> = fc.record({ generation, cut: position, place: position })
const generations: fc.Arbitrary<Generation[]> = list(
  fc.record({ id: generation, store, parent: fc.option(generation, { nil: null }), start: position }),
)
const fingerprint = fc.record({
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

const stateVector = list(fc.tuple(fc.nat({ max: 2 ** 32 - 1 }), position)).map(entries => new Map(entries))
const head: fc.Arbitrary<TextHead> = fc.record({ stateVector, digest, bytes: position })
const textPart: fc.Arbitrary<TextPart> = fc.oneof(
  list(arbitraryBytes).map((updates): TextPart => ({ kind: 'tail', updates })),
  head.map((known): TextPart => ({ kind: 'head', head: known })),
)
const texts = fc.oneof(
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
const changedRows: fc.Arbitrary<ChangedRow[]> = fc.oneof(
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

const writerRecords: fc.Arbitrary<WriterRecord[]> = list(
  fc.record({ writer: arbitraryWriter, user: name, device: name, highest: arbitraryMark }),
)

const changes: fc.Arbitrary<ChangesFrame> = fc
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

const rangeBound = fc.record({ mark: arbitraryMark, key: fc.option(arbitraryKey, { nil: null }) })

/** A frame of each type. Only the hello's protocol is fixed. */
export const arbitraryFrames: { readonly [T in Frame['type']]: fc.Arbitrary<Extract<Frame, { type: T }>> } = {
  hello: fc.record({
    type: fc.constant('hello'),
    protocol: fc.constant(1),
    space: name,
    token: fc.string({ unit: 'grapheme', maxLength: 80 }),
    replica: store,
    device: name,
    role: fc.constantFrom('client', 'peer'),
    cursors: list(cursor),
    empty: fc.boolean(),
    frontier: positions,
    reach: positions,
    level: fc.constantFrom('local', 'relay', 'quorum'),
    credit: position,
  }),
  welcome: fc.record({
    type: fc.constant('welcome'),
    time,
    store,
    begin: fc.constantFrom('resume', 'join', 'new'),
    cursor,
    generations,
    frontier: positions,
    covers: fc.boolean(),
    levels: list(fc.constantFrom('local', 'relay', 'quorum')),
    user: name,
    leader: fc.option(store, { nil: null }),
    term: position,
  }),
  refuse: fc.record({ type: fc.constant('refuse'), error: arbitraryFailure }),
  bye: fc.record({ type: fc.constant('bye'), retryAfterMs: time }),
  credit: fc.record({ type: fc.constant('credit'), bytes: position }),
  changes,
  want: fc.record({
    type: fc.constant('want'),
    keys: list(arbitraryKey),
    texts: list(fc.record({ key: arbitraryKey, part: arbitraryPart, stateVector })),
    writers: list(arbitraryWriter),
  }),
  text: fc.record({
    type: fc.constant('text'),
    key: arbitraryKey,
    part: arbitraryPart,
    update: arbitraryBytes,
    more: fc.boolean(),
  }),
  submit: fc.record({
    type: fc.constant('submit'),
    round: position,
    transactions: list(
      fc.record({
        writes: list(arbitraryWrite),
        preconditions: fc.oneof(
          fc.constant([]),
          list(
            fc.record({
              key: arbitraryKey,
              part: arbitraryPart,
              mark: fc.option(arbitraryMark, { nil: null }),
            }),
          ),
        ),
      }),
    ),
  }),
  'go-on': fc.record({ type: fc.constant('go-on'), round: position }),
  verdict: fc.record({
    type: fc.constant('verdict'),
    count: fc.nat({ max: 2 ** 48 }),
    generation,
    position,
    cut: fc.boolean(),
    exceptions: list(
      fc.oneof(
        fc.record({
          index: position,
          kind: fc.constant('refused' as const),
          write: position,
          error: arbitraryFailure,
        }),
        fc.record({ index: position, kind: fc.constant('skipped' as const) }),
        fc.record({
          index: position,
          kind: fc.constantFrom('lost' as const, 'hidden' as const),
          write: position,
        }),
        fc.record({ index: position, kind: fc.constant('partial' as const), write: position }),
      ),
    ),
  }),
  range: fc.record({
    type: fc.constant('range'),
    ranges: list(
      fc.record({
        end: fc.option(rangeBound, { nil: null }),
        content: fc.oneof(
          fc.record({ kind: fc.constant('skip' as const) }),
          fc.record({ kind: fc.constant('sum' as const), count: position, hash: digest }),
          fc.record({
            kind: fc.constant('items' as const),
            items: list(fc.record({ mark: arbitraryMark, key: arbitraryKey, digest })),
          }),
        ),
      }),
    ),
  }),
  give: fc.record({
    type: fc.constant('give'),
    rows: list(fc.record({ key: arbitraryKey, row: brought, texts })),
  }),
  given: fc.record({
    type: fc.constant('given'),
    count: position,
    generation,
    position,
    refused: list(fc.record({ key: arbitraryKey, error: arbitraryFailure })),
  }),
  heartbeat: fc.record({ type: fc.constant('heartbeat'), position, time }),
  presence: fc.record({ type: fc.constant('presence'), from: name, state: arbitraryBytes }),
  passed: fc.record({
    type: fc.constant('passed'),
    session: position,
    content: fc.oneof(
      fc.record({ kind: fc.constant('begin' as const), user: name, replica: store, device: name }),
      fc.record({ kind: fc.constant('frame' as const), bytes: arbitraryBytes }),
      fc.record({ kind: fc.constant('end' as const) }),
    ),
  }),
  quorum: fc.record({ type: fc.constant('quorum'), generation, position }),
}

export const arbitraryFrame: fc.Arbitrary<Frame> = fc.oneof(...Object.values(arbitraryFrames))

const id: fc.Arbitrary<TransactionId> = fc
  .tuple(arbitraryWriter, position)
  .map(([writer, serial]) => transactionId(writer, serial))

export const arbitraryTransaction: fc.Arbitrary<Transaction> = fc
  .record({
    id,
    writes: list(
      arbitraryWrite.chain(write =>
        fc.tuple(
          fc.constant(write),
          fc.record({
            exists: fc.boolean(),
            last: fc.option(arbitraryMark, { nil: null }),
            counted: countedOf(write.delta),
          }),
        ),
      ),
    ),
    correction: fc.oneof(fc.integer(), fc.constantFrom(0.5, -0.25)),
    heard: position,
  })
  .map(({ writes, ...transaction }) => ({
    ...transaction,
    writes: writes.map(([write]) => write),
    seen: writes.map(([, seen]) => seen),
  }))

/** What is 0 is left out. */
function countedOf({ cells }: Row): fc.Arbitrary<SeenDocument['counted']> {
  const counters = [...cells].filter(([, cell]) => cell.strategy === 'counter').map(([part]) => part)
  const total = fc.oneof(fc.integer(), fc.constantFrom(0.5, -0.25))
  return fc
    .array(total, { minLength: counters.length, maxLength: counters.length })
    .map(
      totals =>
        new Map(
          counters
            .map((part, i): readonly [PartName, number] => [part, totals[i] ?? 0])
            .filter(([, counted]) => counted !== 0),
        ),
    )
}

const pulled: fc.Arbitrary<PulledChunk> = fc.record({
  kind: fc.constant('pulled'),
  store,
  rows: changedRows,
  texts: list(fc.record({ key: arbitraryKey, part: arbitraryPart, update: arbitraryBytes })),
  cursor: fc.option(cursor, { nil: null }),
  wants: list(arbitraryKey),
  writers: writerRecords,
  generations,
  frontier: fc.option(fc.record({ positions, how: fc.constantFrom('join', 'replace') }), { nil: null }),
  reach: fc.option(positions, { nil: null }),
  at: time,
})

const copies: fc.Arbitrary<Copies> = fc.record(
  {
    wanted: position,
    level: fc.constantFrom('relay' as const, 'quorum' as const),
    all: position,
    relays: list(fc.string()),
  },
  { requiredKeys: ['wanted', 'level', 'all'] },
)

const snapshot: fc.Arbitrary<SnapshotChunk> = fc.record({
  kind: fc.constant('snapshot'),
  cursors: list(fc.tuple(store, cursor)).map(entries => new Map(entries)),
  frontier: positions,
  reach: positions,
  generations,
  newest: list(fc.tuple(store, generation)).map(entries => new Map(entries)),
  fingerprint,
  met: list(fc.tuple(fc.string(), store)).map(entries => new Map(entries)),
  copies: fc.option(copies),
  wants: list(fc.tuple(store, list(arbitraryKey))).map(entries => new Map(entries)),
  writers: writerRecords,
  outbox: list(
    fc.record({
      transaction: arbitraryTransaction,
      position,
      acks: list(fc.record({ store, generation, position })),
      refusedBy: list(store),
    }),
  ),
  quarantine: list(fc.record({ transaction: arbitraryTransaction, error: arbitraryFailure })),
  own: list(arbitraryWriter),
  strangers: list(arbitraryWriter),
  retired: list(fc.tuple(arbitraryWriter, position)).map(entries => new Map(entries)),
  remade: list(
    fc.record({
      key: arbitraryKey,
      part: arbitraryPart,
      position,
      old: list(arbitraryBytes),
      now: list(arbitraryBytes),
    }),
  ),
  remadeMarks: list(
    fc.record({
      key: arbitraryKey,
      parts: list(arbitraryPart),
      position,
      old: arbitraryMark,
      now: arbitraryMark,
    }),
  ),
})

/** A chunk of each kind. */
export const arbitraryChunks: { readonly [K in Chunk['kind']]: fc.Arbitrary<Extract<Chunk, { kind: K }>> } = {
  own: fc.record({ kind: fc.constant('own'), transactions: list(arbitraryTransaction) }),
  pulled,
  verdicts: fc.record({
    kind: fc.constant('verdicts'),
    store,
    generation,
    position,
    cut: fc.boolean(),
    verdicts: list(
      fc.record({
        id,
        outcome: fc.oneof(
          fc.record({
            kind: fc.constant('acknowledged' as const),
            shows: fc.constantFrom('yes' as const, 'lost' as const, 'hidden' as const),
          }),
          fc.record({ kind: fc.constant('refused' as const), error: arbitraryFailure, write: position }),
        ),
      }),
    ),
    wants: list(arbitraryKey),
  }),
  remade: fc.record({
    kind: fc.constant('remade'),
    seen: position,
    writers: list(fc.record({ from: arbitraryWriter, to: arbitraryWriter })),
    transactions: list(fc.record({ from: id, to: arbitraryTransaction })),
    quarantined: list(fc.record({ id, error: arbitraryFailure })),
  }),
  settled: fc.record({ kind: fc.constant('settled'), ids: list(id) }),
  met: fc.record({ kind: fc.constant('met'), address: fc.string(), store, copies }),
  forgotten: fc.record({ kind: fc.constant('forgotten'), keys: list(arbitraryKey) }),
  snapshot,
}
