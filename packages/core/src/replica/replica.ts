/**
 * A client's state, as a function of its journal: the confirmed layer and the outbox, and their join, which is
 * what the application sees (SPEC L1).
 *
 * Every tab holds one and applies the same chunks in the same order. There are three ways to a position, and all end
 * with one state: chunk by chunk; over chunks that are gone, by the rows that changed; and all rows at once.
 */
import { bodyKey, type Bodies } from '../bodies.ts'
import type { Chunk, SnapshotChunk } from '../chunk.ts'
import type { Fingerprint } from '../fingerprint.ts'
import type { WriterRecord } from '../frames.ts'
import type { Cursor, Generation, GenerationId, Positions, StoreId } from '../generations.ts'
import type { WriterId } from '../mark.ts'
import {
  entryOf,
  oneCopy,
  type Acknowledgement,
  type Copies,
  type Outbox,
  type OutboxEntry,
} from '../outbox.ts'
import type { RemadeMarks } from '../remade-marks.ts'
import type { RemadeTexts } from '../remade-texts.ts'
import { keysOfRows, unionOfKeys } from '../key-set.ts'
import type { RowMap } from '../row-map.ts'
import { strategyOfPart, type DocumentKey, type Row } from '../row.ts'
import { withMethods } from '../with-methods.ts'
import type { Transaction, TransactionId } from '../write.ts'
import type { AppliedChunk } from './applied.ts'
import { applyChunk, noteStrangers, settleWritten, type Applying } from './apply-chunk.ts'
import type { FingerprintCount } from './fingerprint-count.ts'
import {
  allWants,
  copiesMeant,
  countCopies,
  createKnowledge,
  isCounted,
  isListed,
  isVouchedFor,
  type QuarantinedTransaction,
} from './knowledge.ts'
import { createLayers } from './layers.ts'
import { snapshotOf, takeSnapshot } from './snapshot.ts'

export interface ReplicaState {
  readonly outbox: Outbox
  readonly quarantine: ReadonlyMap<TransactionId, QuarantinedTransaction>
  readonly cursors: ReadonlyMap<StoreId, Cursor>
  readonly generations: ReadonlyMap<GenerationId, Generation>
  readonly writers: ReadonlyMap<WriterId, WriterRecord>
  /** Who wrote sides of confirmed conflicts, and is not known. */
  readonly strangers: ReadonlySet<WriterId>
  readonly bodies: Bodies
  readonly frontier: Positions
  readonly reach: Positions
  /** Of the confirmed rows that exist. */
  readonly fingerprint: Fingerprint
  /** The same as of now, to be counted. */
  fingerprintLater(): FingerprintCount
  /** Confirmed rows that were found to be damaged on this disk, and of which nothing came since: to be asked for. */
  readonly damaged: readonly DocumentKey[]
  /** Rows that are asked for and outstanding, of whichever relay. */
  readonly wants: readonly DocumentKey[]
  /** When the last pulled chunk was stored, as far as this state goes back; else 0. */
  readonly pulledAt: number
  wantsOf(store: StoreId): readonly DocumentKey[]
  /** Where the addresses of relays lead, as far as this replica was told to note it. */
  readonly met: ReadonlyMap<string, StoreId>
  /** Whether a relay is one of those that are meant; any is, unless `copies` names them. */
  isListed(store: StoreId): boolean
  /** On how many relays' disks each own write is to be, as the tab with the connection was given it; else on one. */
  readonly copies: Copies
  /** What this tab was given. */
  readonly given: Copies
  /** Whether an acknowledgement counts, as far as is known of its relay's lineage (SPEC L2). */
  isCounted(store: StoreId, ack: Acknowledgement): boolean
  /** Rises with whatever decides which acknowledgements count. */
  readonly lineageRevision: number
  /** On how many relays' disks it is, by acknowledgements that count. */
  copiesOf(entry: OutboxEntry): number
  /** Whether a relay of the list has acknowledged it, or may have: then no other one's refusal takes it out (SPEC L2). */
  isVouchedFor(entry: OutboxEntry): boolean
  /** Whether it is on fewer than are wanted. */
  isPending(entry: OutboxEntry): boolean
  /**
   * Own writers that were made anew, and the position up to which that was first done: what came to the disk behind that
   * and bears one, or names what it bore, is to be made anew too.
   */
  readonly retired: ReadonlyMap<WriterId, number>
  /** Writers of what has been in the outbox, as far as this state goes back. */
  readonly own: ReadonlySet<WriterId>
  /** Texts that were made anew: what was typed before their tabs heard of it builds on what they were. */
  readonly remade: RemadeTexts
  readonly remadeMarks: RemadeMarks
  /** The journal position up to which chunks are applied. */
  readonly seen: number
  /** The row that the application sees: confirmed joined with outbox. */
  visible(key: DocumentKey): Row | undefined
  /** Every such row, in no order that means anything. */
  forEachVisible(call: (row: Row, key: DocumentKey) => void): void
  confirmed(key: DocumentKey): Row | undefined
  keys(): Iterable<DocumentKey>
  readonly size: number
  /** Joins own writes before they are on disk: visible when the call returns (SPEC W1). */
  write(transaction: Transaction): AppliedChunk
  /**
   * Applies a chunk of the journal. Applying it again, or over newer state, changes nothing that shows; but own
   * writes that are still taken for unwritten are settled by it, if `skip` or `load` went over their position.
   */
  apply(position: number, chunk: Chunk): AppliedChunk
  /**
   * Takes over rows from pages, encoded or not, and the state beside them. Own writes not yet on disk stay.
   * `isNewer`: some rows hold more than the snapshot counted, so their fingerprint is computed anew.
   */
  load(rows: RowMap, snapshot: SnapshotChunk | null, position: number, isNewer?: boolean): AppliedChunk
  /** Goes ahead over chunks that are gone: joins the confirmed rows that changed, and takes the rest from a snapshot. */
  skip(
    changed: Iterable<readonly [DocumentKey, Row]>,
    snapshot: SnapshotChunk,
    position: number,
  ): AppliedChunk
  /** Everything but the rows, as of `seen`. */
  snapshot(): SnapshotChunk
  /** Confirmed rows that changed in chunks after a position and up to `seen`, for writing pages. */
  changedAfter(position: number): readonly DocumentKey[]
  /** Drops what pages hold now from the record of changes. */
  written(upTo: number): void
}

export function createReplicaState(given: Copies = oneCopy): ReplicaState {
  const knowledge = createKnowledge()
  const copiesOf = (entry: OutboxEntry): number => countCopies(knowledge, entry)
  const isPending = (entry: OutboxEntry): boolean => copiesOf(entry) < copiesMeant(knowledge).wanted
  const layers = createLayers(entry => copiesOf(entry) >= copiesMeant(knowledge).all, {
    revision: () => knowledge.revision,
    isCounted: (store, ack) => isCounted(knowledge, store, ack),
    isShort: isPending,
  })
  const { outbox, bodies, changedKeys, collect } = layers

  /** P4: of a damaged row own writes alone would show, with holes. */
  function isWithoutHoles(key: DocumentKey): boolean {
    const { damaged } = layers.rows
    return damaged.size === 0 || !damaged.has(key) || layers.confirmed(key) !== undefined
  }

  const state: Omit<ReplicaState, keyof Readings> & Applying & { seen: number } = {
    layers,
    knowledge,
    seen: 0,
    outbox,
    bodies,
    own: layers.own,
    quarantine: knowledge.quarantine,
    cursors: knowledge.cursors,
    generations: knowledge.generations,
    writers: knowledge.writers,
    strangers: knowledge.strangers,
    retired: knowledge.retired,
    remade: knowledge.remade,
    remadeMarks: knowledge.remadeMarks,
    met: knowledge.met,
    isListed: store => isListed(knowledge, store),
    wantsOf: store => knowledge.wants.get(store) ?? [],
    given,
    isCounted: (store, ack) => isCounted(knowledge, store, ack),
    copiesOf,
    isVouchedFor: entry => isVouchedFor(knowledge, entry),
    isPending,
    fingerprintLater: layers.fingerprintLater,
    visible: key => (isWithoutHoles(key) ? layers.rows.get(key) : undefined),
    forEachVisible(call) {
      const { rows } = layers
      if (rows.damaged.size === 0) return rows.forEach(call)
      rows.forEach((row, key) => {
        if (isWithoutHoles(key)) call(row, key)
      })
    },
    confirmed: layers.confirmed,
    keys: () => layers.rows.keys(),
    write: transaction => collect(() => layers.enter(entryOf(transaction, 0))),
    apply: (position, chunk) =>
      collect(() => {
        if (position <= state.seen) return chunk.kind === 'own' ? settleWritten(state, chunk) : undefined
        state.seen = position
        applyChunk(state, position, chunk)
      }),
    load(loaded, snapshot, position, isNewer = false) {
      const applied = collect(() => {
        const before = [...outbox.entries()]
        const unwritten = before.filter(entry => entry.position === 0)
        for (const entry of before) outbox.remove(entry.transaction.id)
        layers.replace(loaded)
        state.seen = position
        if (snapshot !== null) takeSnapshot(state, snapshot)
        if (isNewer) layers.recount()
        for (const entry of unwritten) if (outbox.get(entry.transaction.id) === undefined) layers.enter(entry)
        for (const { transaction } of before) {
          if (outbox.get(transaction.id) !== undefined) continue
          layers.changes.overtaken.push(transaction)
          // X9: what it typed may be in no body any more.
          for (const { key, texts } of transaction.writes)
            for (const part of texts.keys()) layers.changes.rebuilt.add(bodyKey(key, part))
        }
      })
      return { ...applied, changed: unionOfKeys(keysOfRows(loaded), [applied.changed]) }
    },
    skip: (rows, snapshot, position) =>
      collect(() => {
        for (const [key, row] of rows) {
          for (const name of row.cells.keys())
            if (strategyOfPart(name) === 'text') layers.changes.rebuilt.add(bodyKey(key, name))
          noteStrangers(knowledge, layers.confirm(key, row, position))
        }
        const kept = new Set(snapshot.outbox.map(entry => entry.transaction.id))
        for (const { position: at, transaction } of [...outbox.entries()]) {
          if (at === 0 || kept.has(transaction.id)) continue
          layers.leave(transaction.id)
          layers.changes.overtaken.push(transaction)
        }
        state.seen = position
        // Counted by joining, since pages may hold more than the snapshot counted.
        const counted = layers.countFingerprint()
        takeSnapshot(state, snapshot)
        layers.takeFingerprint(counted)
      }),
    snapshot: () => snapshotOf(state),
    changedAfter: changedKeys.after,
    written(upTo) {
      changedKeys.drop(upTo)
      bodies.written(upTo)
    },
  }
  return withMethods(state, readings)
}

type Readings = Pick<
  ReplicaState,
  | 'frontier'
  | 'reach'
  | 'wants'
  | 'pulledAt'
  | 'copies'
  | 'lineageRevision'
  | 'fingerprint'
  | 'damaged'
  | 'size'
>

const readings: Readings & ThisType<Applying> = {
  get frontier() {
    return this.knowledge.frontier
  },
  get reach() {
    return this.knowledge.reach
  },
  get wants() {
    return allWants(this.knowledge)
  },
  get pulledAt() {
    return this.knowledge.pulledAt
  },
  get copies() {
    return copiesMeant(this.knowledge)
  },
  get lineageRevision() {
    return this.knowledge.revision
  },
  get fingerprint() {
    return this.layers.countFingerprint()
  },
  get damaged() {
    return this.layers.damaged()
  },
  get size() {
    return this.layers.rows.size
  },
}
