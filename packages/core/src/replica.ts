/**
 * A client's state, as a function of its journal: the confirmed layer and the outbox, and their join, which is
 * what the application sees (SPEC L1).
 *
 * Every tab holds one and applies the same chunks in the same order. In memory is the visible row; only of rows
 * that an outbox write touches is the confirmed copy kept beside it, so a refusal and "what is pending here" are
 * look-ups, and rows without pending writes cost nothing twice. Only the confirmed layer is compared,
 * reconciled and fingerprinted (SPEC L4).
 */
import { bodyKey, createBodies, type Bodies } from './bodies.ts'
import type {
  Chunk,
  ForgottenChunk,
  OwnChunk,
  PulledChunk,
  RemadeChunk,
  RemadeText,
  SnapshotChunk,
  VerdictsChunk,
} from './chunk.ts'
import type { Failure } from './errors.ts'
import { emptyFingerprint, replaceInFingerprint, type Fingerprint } from './fingerprint.ts'
import type { WriterRecord } from './frames.ts'
import {
  addPosition,
  coversPosition,
  joinPositions,
  learnGenerations,
  noPositions,
  type Cursor,
  type Generation,
  type GenerationId,
  type Positions,
  type StoreId,
} from './generations.ts'
import type { WriterId } from './mark.ts'
import { createOutbox, type Outbox, type OutboxEntry } from './outbox.ts'
import { createRemadeTexts, type RemadeTexts } from './remade-texts.ts'
import { createRowMap, type RowMap } from './row-map.ts'
import { emptyRow, joinRows, showsDelta, strategyOfPart, type DocumentKey, type Row } from './row.ts'
import type { Transaction, TransactionId } from './write.ts'

export interface QuarantinedTransaction {
  readonly transaction: Transaction
  readonly error: Failure
}

/** What applying something changed, for queries, editors and promises. */
export interface Applied {
  readonly changed: ReadonlySet<DocumentKey>
  /** Writers that were made anew, and with which their tabs go on (SPEC W6). */
  readonly writers: ReadonlyMap<WriterId, WriterId>
  /** Bodies of which something was taken out, so that they must be built again (SPEC X9). */
  readonly rebuilt: ReadonlySet<string>
}

export interface ReplicaState {
  readonly outbox: Outbox
  readonly quarantine: ReadonlyMap<TransactionId, QuarantinedTransaction>
  readonly cursors: ReadonlyMap<StoreId, Cursor>
  readonly generations: ReadonlyMap<GenerationId, Generation>
  readonly writers: ReadonlyMap<WriterId, WriterRecord>
  readonly bodies: Bodies
  readonly frontier: Positions
  readonly reach: Positions
  /** Of the confirmed rows that exist. */
  readonly fingerprint: Fingerprint
  /** Rows that are asked for and outstanding. */
  readonly wants: readonly DocumentKey[]
  /** Own writers that were made anew: what still bears one, or names what it bore, is to be made anew too. */
  readonly retired: ReadonlySet<WriterId>
  /** Writers of what has been in the outbox, as far as this state goes back. */
  readonly own: ReadonlySet<WriterId>
  /** Texts that were made anew: what was typed before their tabs heard of it builds on what they were. */
  readonly remade: RemadeTexts
  /** The journal position up to which chunks are applied. */
  readonly seen: number
  /** The row that the application sees: confirmed joined with outbox. */
  visible(key: DocumentKey): Row | undefined
  confirmed(key: DocumentKey): Row | undefined
  keys(): Iterable<DocumentKey>
  readonly size: number
  /** Joins own writes before they are on disk: visible when the call returns (SPEC W1). */
  write(transaction: Transaction): Applied
  /**
   * Applies a chunk of the journal. Applying it again, or over newer state, changes nothing that shows; but own
   * writes that are still taken for unwritten are settled by it, if `skip` or `load` went over their position.
   */
  apply(position: number, chunk: Chunk): Applied
  /**
   * Takes over rows from pages, encoded or not, and the state beside them. Own writes not yet on disk stay.
   * `isNewer`: some rows hold more than the snapshot counted, so their fingerprint is computed anew.
   */
  load(rows: RowMap, snapshot: SnapshotChunk | null, position: number, isNewer?: boolean): Applied
  /** Goes ahead over chunks that are gone: joins the confirmed rows that changed, and takes the rest from a snapshot. */
  skip(changed: Iterable<readonly [DocumentKey, Row]>, snapshot: SnapshotChunk, position: number): Applied
  /** Everything but the rows, as of `seen`. */
  snapshot(): SnapshotChunk
  /** Confirmed rows that changed in chunks after a position and up to `seen`, for writing pages. */
  changedAfter(position: number): readonly DocumentKey[]
  /** Drops what pages hold now from the record of changes. */
  written(upTo: number): void
}

export function createReplicaState(): ReplicaState {
  let rows: RowMap = createRowMap()
  const beside = new Map<DocumentKey, Row | undefined>()
  const outbox = createOutbox()
  const quarantine = new Map<TransactionId, QuarantinedTransaction>()
  const cursors = new Map<StoreId, Cursor>()
  const generations = new Map<GenerationId, Generation>()
  const writers = new Map<WriterId, WriterRecord>()
  const retired = new Set<WriterId>()
  const own = new Set<WriterId>()
  const remade = createRemadeTexts()
  const bodies = createBodies()
  const changedAt = new Map<DocumentKey, number>()
  let frontier: Positions = noPositions
  let reach: Positions = noPositions
  let fingerprint = emptyFingerprint
  let wants: readonly DocumentKey[] = []
  let seen = 0

  let changed = new Set<DocumentKey>()
  let renamed = new Map<WriterId, WriterId>()
  let rebuilt = new Set<string>()

  function collect(run: () => void): Applied {
    changed = new Set()
    renamed = new Map()
    rebuilt = new Set()
    run()
    return { changed, writers: renamed, rebuilt }
  }

  function confirmed(key: DocumentKey): Row | undefined {
    return beside.has(key) ? beside.get(key) : rows.get(key)
  }

  /** Joins into the confirmed layer, and into the visible row, since a join with more is the join of the joins. */
  function confirm(key: DocumentKey, delta: Row, position: number): void {
    const before = confirmed(key)
    const after = joinRows(before ?? emptyRow, delta)
    // Of a row that a relay does not have, the answer is empty.
    if (after === before || after === emptyRow) return
    fingerprint = replaceInFingerprint(fingerprint, before, after)
    changedAt.set(key, position)
    if (beside.has(key)) {
      beside.set(key, after)
      show(key, delta)
    } else {
      rows.set(key, after)
      changed.add(key)
    }
  }

  function show(key: DocumentKey, delta: Row): void {
    const before = rows.get(key)
    const after = joinRows(before ?? emptyRow, delta)
    if (after === before) return
    rows.set(key, after)
    changed.add(key)
  }

  function putAside(key: DocumentKey): void {
    if (!beside.has(key)) beside.set(key, rows.get(key))
  }

  /** After something left the outbox: the row is confirmed joined with what remains (SPEC L3). */
  function settle(key: DocumentKey): void {
    if (!beside.has(key)) return
    const base = beside.get(key)
    let row = base
    for (const write of outbox.writesOf(key)) row = joinRows(row ?? emptyRow, write.delta)
    if (!outbox.touches(key)) beside.delete(key)
    const before = rows.get(key)
    if (
      before !== undefined &&
      row !== undefined &&
      joinRows(before, row) === before &&
      joinRows(row, before) === row
    )
      return
    if (row === undefined) rows.delete(key)
    else rows.set(key, row)
    changed.add(key)
  }

  function enter(entry: OutboxEntry): void {
    for (const { key, delta, mark } of entry.transaction.writes) {
      own.add(mark.writer)
      putAside(key)
      show(key, delta)
    }
    outbox.put(entry)
  }

  function leave(id: TransactionId): void {
    const entry = outbox.get(id)
    if (entry === undefined) return
    outbox.remove(id)
    for (const { key, texts } of entry.transaction.writes) {
      settle(key)
      for (const part of texts.keys()) rebuilt.add(bodyKey(key, part))
    }
  }

  /** L2: out of the outbox once a relay has it and the confirmed layer shows it; then nothing visible changes. */
  function release(entry: OutboxEntry): void {
    if (entry.acks.size === 0 || entry.position === 0) return
    if (!entry.transaction.writes.every(write => showsDelta(confirmed(write.key), write.delta))) return
    outbox.remove(entry.transaction.id)
    for (const { key } of entry.transaction.writes) if (!outbox.touches(key)) beside.delete(key)
  }

  function releaseTouching(keys: Iterable<DocumentKey>): void {
    const entries = new Set<OutboxEntry>()
    for (const key of keys) {
      for (const id of outbox.idsOf(key)) {
        const entry = outbox.get(id)
        if (entry !== undefined && entry.acks.size > 0) entries.add(entry)
      }
    }
    for (const entry of entries) release(entry)
  }

  function applyOwn(position: number, chunk: OwnChunk): void {
    for (const transaction of chunk.transactions) {
      const held = outbox.get(transaction.id)
      // A tab's own entry moves to where the journal has it: behind what other tabs committed before.
      if (held?.position === 0) outbox.remove(transaction.id)
      if (held === undefined || held.position === 0) {
        enter({
          transaction,
          position,
          acks: held?.acks ?? new Map(),
          refusedBy: held?.refusedBy ?? new Set(),
        })
      }
    }
  }

  function applyPulled(position: number, chunk: PulledChunk): void {
    learnGenerations(generations, chunk.generations)
    for (const record of chunk.writers) writers.set(record.writer, record)
    for (const { key, delta, texts } of chunk.rows) {
      for (const [part, text] of texts)
        if (text.kind === 'tail') bodies.add(bodyKey(key, part), text.updates, position)
      confirm(key, delta, position)
    }
    for (const { key, part, update } of chunk.texts) {
      bodies.add(bodyKey(key, part), [update], position)
      changed.add(key)
    }
    if (chunk.cursor !== null) cursors.set(chunk.store, chunk.cursor)
    if (chunk.frontier !== null) {
      const { positions, how } = chunk.frontier
      frontier = how === 'replace' ? positions : joinPositions(generations, frontier, positions)
    }
    if (chunk.reach !== null) reach = chunk.reach
    wants = chunk.wants
    releaseTouching(chunk.rows.map(row => row.key))
  }

  function applyVerdicts(position: number, chunk: VerdictsChunk): void {
    for (const { id, outcome } of chunk.verdicts) {
      const entry = outbox.get(id)
      if (entry === undefined) continue
      if (outcome.kind === 'acknowledged') {
        const acks = new Map(entry.acks).set(chunk.store, {
          generation: chunk.generation,
          position: chunk.position,
        })
        const acknowledged = { ...entry, acks }
        outbox.put(acknowledged)
        for (const write of entry.transaction.writes) {
          for (const [part, updates] of write.texts) bodies.add(bodyKey(write.key, part), updates, position)
          confirm(write.key, write.delta, position)
        }
        release(acknowledged)
      } else if (entry.acks.size > 0) {
        outbox.put({ ...entry, refusedBy: new Set(entry.refusedBy).add(chunk.store) })
      } else {
        quarantine.set(id, { transaction: entry.transaction, error: outcome.error })
        leave(id)
      }
    }
    if (chunk.verdicts.some(({ outcome }) => outcome.kind === 'acknowledged')) {
      reach = addPosition(generations, reach, chunk.generation, chunk.position)
    }
    wants = chunk.wants
  }

  function applyRemade(position: number, chunk: RemadeChunk): void {
    for (const { from, to } of chunk.writers) {
      retired.add(from)
      renamed.set(from, to)
    }
    const changes = new Map<TransactionId, OutboxEntry | null>()
    const keys = new Set<DocumentKey>()
    const texts: RemadeText[] = []
    const touch = (transaction: Transaction): void => {
      for (const { key, texts } of transaction.writes) {
        keys.add(key)
        for (const part of texts.keys()) rebuilt.add(bodyKey(key, part))
      }
    }
    for (const { from, to } of chunk.transactions) {
      const old = outbox.get(from)
      if (old === undefined) continue
      touch(old.transaction)
      touch(to)
      texts.push(...remadeTexts(position, old.transaction, to))
      for (const { mark } of to.writes) own.add(mark.writer)
      // It stands on what this chunk made.
      const transaction = { ...to, heard: position }
      changes.set(from, { transaction, position: old.position, acks: new Map(), refusedBy: new Set() })
    }
    for (const { id, error } of chunk.quarantined) {
      const old = outbox.get(id)
      if (old === undefined) continue
      touch(old.transaction)
      texts.push(...remadeTexts(position, old.transaction, null))
      quarantine.set(id, { transaction: old.transaction, error })
      changes.set(id, null)
    }
    remade.add(texts)
    for (const key of keys) putAside(key)
    outbox.substitute(changes)
    for (const key of keys) settle(key)
  }

  /** D2: the rows leave the confirmed layer whatever they hold, so that every tab forgets the same. */
  function applyForgotten(position: number, { keys }: ForgottenChunk): void {
    for (const key of keys) {
      const row = confirmed(key)
      if (row === undefined) continue
      fingerprint = replaceInFingerprint(fingerprint, row, undefined)
      changedAt.set(key, position)
      if (beside.has(key)) {
        beside.set(key, undefined)
        settle(key)
      } else {
        rows.delete(key)
        changed.add(key)
      }
    }
  }

  /** Own writes whose chunk was gone over while they were taken for unwritten: what became of them is known. */
  function settleWritten({ transactions }: OwnChunk): void {
    for (const { id } of transactions) if (outbox.get(id)?.position === 0) leave(id)
  }

  function applySnapshot(chunk: SnapshotChunk): void {
    cursors.clear()
    for (const [store, cursor] of chunk.cursors) cursors.set(store, cursor)
    learnGenerations(generations, chunk.generations)
    for (const record of chunk.writers) writers.set(record.writer, record)
    for (const writer of chunk.retired) retired.add(writer)
    remade.replace(chunk.remade)
    frontier = chunk.frontier
    reach = chunk.reach
    fingerprint = chunk.fingerprint
    wants = chunk.wants
    quarantine.clear()
    for (const held of chunk.quarantine) quarantine.set(held.transaction.id, held)
    const unwritten = [...outbox.entries()].filter(entry => entry.position === 0)
    for (const entry of chunk.outbox) {
      const acks = new Map(
        entry.acks.map(({ store, generation, position }) => [store, { generation, position }]),
      )
      // The order of the outbox is the snapshot's; what is not on disk yet comes last.
      outbox.remove(entry.transaction.id)
      enter({
        transaction: entry.transaction,
        position: entry.position,
        acks,
        refusedBy: new Set(entry.refusedBy),
      })
    }
    for (const entry of unwritten) {
      if (outbox.get(entry.transaction.id)?.position !== 0) continue
      outbox.remove(entry.transaction.id)
      outbox.put(entry)
    }
  }

  return {
    outbox,
    quarantine,
    cursors,
    generations,
    writers,
    retired,
    own,
    remade,
    bodies,
    get frontier() {
      return frontier
    },
    get reach() {
      return reach
    },
    get fingerprint() {
      return fingerprint
    },
    get wants() {
      return wants
    },
    get seen() {
      return seen
    },
    get size() {
      return rows.size
    },
    visible: key => rows.get(key),
    confirmed,
    keys: () => rows.keys(),
    write: transaction =>
      collect(() => enter({ transaction, position: 0, acks: new Map(), refusedBy: new Set() })),
    apply: (position, chunk) =>
      collect(() => {
        if (position <= seen) return chunk.kind === 'own' ? settleWritten(chunk) : undefined
        seen = position
        switch (chunk.kind) {
          case 'own':
            return applyOwn(position, chunk)
          case 'pulled':
            return applyPulled(position, chunk)
          case 'verdicts':
            return applyVerdicts(position, chunk)
          case 'remade':
            return applyRemade(position, chunk)
          case 'settled':
            for (const id of chunk.ids) quarantine.delete(id)
            return
          case 'forgotten':
            return applyForgotten(position, chunk)
          case 'snapshot':
            return applySnapshot(chunk)
        }
      }),
    load: (loaded, snapshot, position, isNewer = false) =>
      collect(() => {
        const unwritten = [...outbox.entries()].filter(entry => entry.position === 0)
        for (const key of rows.keys()) changed.add(key)
        for (const entry of [...outbox.entries()]) outbox.remove(entry.transaction.id)
        beside.clear()
        changedAt.clear()
        bodies.clear()
        rows = loaded
        seen = position
        if (snapshot !== null) applySnapshot(snapshot)
        if (isNewer) {
          fingerprint = emptyFingerprint
          for (const key of rows.keys())
            fingerprint = replaceInFingerprint(fingerprint, undefined, confirmed(key))
        }
        for (const entry of unwritten) if (outbox.get(entry.transaction.id) === undefined) enter(entry)
        for (const key of rows.keys()) changed.add(key)
      }),
    skip: (rowsChanged, snapshot, position) =>
      collect(() => {
        for (const [key, row] of rowsChanged) {
          for (const name of row.cells.keys())
            if (strategyOfPart(name) === 'text') rebuilt.add(bodyKey(key, name))
          confirm(key, row, position)
        }
        const kept = new Set(snapshot.outbox.map(entry => entry.transaction.id))
        for (const entry of [...outbox.entries()]) {
          const { id } = entry.transaction
          if (entry.position > 0 && !kept.has(id)) leave(id)
        }
        seen = position
        // Counted by joining, since pages may hold more than the snapshot counted.
        const counted = fingerprint
        applySnapshot(snapshot)
        fingerprint = counted
      }),
    snapshot: () => ({
      kind: 'snapshot',
      cursors: new Map(cursors),
      frontier,
      reach,
      generations: [...generations.values()],
      fingerprint,
      wants,
      writers: [...writers.values()],
      outbox: [...outbox.entries()]
        .filter(entry => entry.position > 0)
        .map(entry => ({
          transaction: entry.transaction,
          position: entry.position,
          acks: [...entry.acks].map(([store, ack]) => ({ store, ...ack })),
          refusedBy: [...entry.refusedBy],
        })),
      quarantine: [...quarantine.values()],
      retired: [...retired],
      remade: remade.all(),
    }),
    changedAfter(position) {
      const keys: DocumentKey[] = []
      for (const [key, at] of changedAt) if (at > position) keys.push(key)
      return keys
    },
    written(upTo) {
      for (const [key, at] of changedAt) if (at <= upTo) changedAt.delete(key)
      bodies.written(upTo)
    },
  }
}

/** The texts of a transaction that was made anew, or that left (null). */
function remadeTexts(position: number, old: Transaction, now: Transaction | null): readonly RemadeText[] {
  return old.writes.flatMap(({ key, texts }) =>
    [...texts].map(([part, updates]): RemadeText => {
      const again = now?.writes.filter(write => write.key === key) ?? []
      return { key, part, position, old: updates, now: again.flatMap(write => write.texts.get(part) ?? []) }
    }),
  )
}

/** An acknowledgement counts while its position is in that relay's lineage (SPEC L2). */
export function isAcknowledgementHeld(
  state: Pick<ReplicaState, 'generations'>,
  ack: { readonly generation: GenerationId; readonly position: number },
  relay: { readonly generation: GenerationId; readonly position: number },
): boolean {
  return coversPosition(
    state.generations,
    new Map([[relay.generation, relay.position]]),
    ack.generation,
    ack.position,
  )
}
