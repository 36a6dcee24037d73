/** An arbitrary chunk of each kind. */
import { transactionId } from '@rejoin/core'
import type {
  Chunk,
  Copies,
  PartName,
  PulledChunk,
  Row,
  SeenDocument,
  SnapshotChunk,
  Transaction,
  TransactionId,
} from '@rejoin/core'
import fc from 'fast-check'
import { arbitraryBytes, arbitraryMark, arbitraryPart, arbitraryWriter } from './generators.ts'
import {
  list,
  position,
  time,
  generation,
  store,
  positions,
  cursor,
  generations,
  fingerprint,
  arbitraryKey,
  arbitraryFailure,
  changedRows,
  arbitraryWrite,
  writerRecords,
} from './part-generators.ts'

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
