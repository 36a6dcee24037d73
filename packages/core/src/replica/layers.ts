/**
 * The two layers of a replica: what relays sent or acknowledged, and own writes as made; and their join, which is what
 * the application sees (SPEC L1, L2, L4).
 *
 * In memory is the visible row; only of rows that an outbox write touches is the confirmed copy kept beside it, so a
 * refusal and "what is pending here" are look-ups, and rows without pending writes cost nothing twice.
 */
import { bodyKey, createBodies, type Bodies } from '../bodies.ts'
import { emptyFingerprint, replaceInFingerprint, type Fingerprint } from '../fingerprint.ts'
import type { WriterId } from '../mark.ts'
import type { Counting } from '../outbox-counts.ts'
import { createOutbox, type Outbox, type OutboxEntry } from '../outbox.ts'
import { createRowMap, type RowMap } from '../row-map.ts'
import { emptyRow, joinRows, showsDelta, type DocumentKey, type Row } from '../row.ts'
import type { TransactionId, Write } from '../write.ts'
import type { AppliedChunk } from './applied.ts'
import { createChangedKeys, type ChangedKeys } from './changed-keys.ts'
import { handedOver, noChanges, noteArrivals, renewed, type Changes } from './changes.ts'
import { countAll, type FingerprintCount } from './fingerprint-count.ts'
import {
  areTooMany,
  countOf,
  countSome,
  createUncounted,
  noteChanged,
  noteGone,
  takeCounted,
} from './uncounted.ts'

export interface Layers {
  readonly outbox: Outbox
  readonly bodies: Bodies
  /** Writers of what has been in the outbox. */
  readonly own: Set<WriterId>
  /** Of the confirmed rows that exist. */
  countFingerprint(): Fingerprint
  /** It was counted elsewhere. */
  takeFingerprint(fingerprint: Fingerprint): void
  /** As of now, to be counted. */
  fingerprintLater(): FingerprintCount
  /** Confirmed rows that changed, by the position of the chunk that did. */
  readonly changedKeys: ChangedKeys
  /** The visible rows. */
  readonly rows: RowMap
  confirmed(key: DocumentKey): Row | undefined
  /** Confirmed rows that were found to be damaged on this disk, and of which nothing came since. */
  damaged(): readonly DocumentKey[]
  /**
   * Joins into the confirmed layer, and into the visible row, since a join with more is the join of the joins. Returns what
   * is confirmed now.
   */
  confirm(key: DocumentKey, delta: Row, position: number): Row | undefined
  /** Adds to a confirmed body. */
  addToBody(body: string, updates: readonly Uint8Array[], position: number): void
  /** D2: the row leaves the confirmed layer whatever it holds, so that every tab forgets the same. */
  forget(key: DocumentKey, position: number): void
  /** One of whose id there is none in the outbox. */
  enter(entry: OutboxEntry): void
  /** L3: the row is confirmed joined with what remains. */
  leave(id: TransactionId): void
  /**
   * L2: takes entries that are on this disk, and that all relays have, out of the outbox into the confirmed layer. Where
   * nothing else waits that layer is what shows already, so nothing is joined. Calls back with each row that changed.
   */
  confirmLeaving(
    entries: readonly OutboxEntry[],
    position: number,
    heed: (row: Row | undefined) => void,
  ): void
  /** Whether all relays that are to have a write have it. */
  isEverywhere(entry: OutboxEntry): boolean
  /**
   * L2: out of the outbox once all relays have it and the confirmed layer shows it; then nothing visible changes. Whether
   * it is.
   */
  release(entry: OutboxEntry): boolean
  /** The same for what touches these rows. */
  releaseTouching(keys: Iterable<DocumentKey>): void
  /** The same for whatever a relay has acknowledged. */
  releaseAcknowledged(): void
  /** Out of the outbox if the confirmed layer shows it, whichever relays have it. */
  letGo(entry: OutboxEntry): boolean
  /** Puts entries in the places of others, or takes them out; they touch these rows. */
  substitute(changes: ReadonlyMap<TransactionId, OutboxEntry | null>, keys: ReadonlySet<DocumentKey>): void
  /** Takes over rows as they are confirmed; the outbox is empty then. */
  replace(rows: RowMap): void
  /** Counts all confirmed rows. */
  recount(): void
  /** Runs something and gives back what it changed. */
  collect(run: () => void): AppliedChunk
  /** What is being collected. */
  readonly changes: Changes
}

/** `isEverywhere`: whether all relays that are to have a write have it. */
export function createLayers(isEverywhere: (entry: OutboxEntry) => boolean, counting?: Counting): Layers {
  /** The confirmed rows of what the outbox touches; of what is confirmed in no row, nothing. */
  const beside = new Map<DocumentKey, Row>()
  const outbox = createOutbox(counting)
  const bodies = createBodies()
  const own = new Set<WriterId>()
  const changedKeys = createChangedKeys()
  const uncounted = createUncounted()
  /** How many damaged rows the fingerprint does without. */
  let discounted = 0

  function confirmed(key: DocumentKey): Row | undefined {
    return isTouchedByOutbox(key) ? beside.get(key) : layers.rows.get(key)
  }

  /** Of a cold start nothing is, and there are thousands of rows to look for. */
  function isTouchedByOutbox(key: DocumentKey): boolean {
    return outbox.size > 0 && outbox.touches(key)
  }

  function confirm(key: DocumentKey, delta: Row, position: number): Row | undefined {
    const isTouched = isTouchedByOutbox(key)
    const before = isTouched ? beside.get(key) : layers.rows.get(key)
    const after = joinRows(before ?? emptyRow, delta)
    // Of a row that a relay does not have, the answer is empty.
    if (after === before || after === emptyRow) return before
    noteConfirmed(key, before, after, position)
    if (isTouched) {
      beside.set(key, after)
      show(key, delta)
    } else {
      layers.rows.set(key, after)
      layers.changes.changed.add(key)
    }
    return after
  }

  function noteConfirmed(key: DocumentKey, before: Row | undefined, after: Row, position: number): void {
    noteChanged(uncounted, key, before, after)
    changedKeys.note(key, position)
  }

  function show(key: DocumentKey, delta: Row): void {
    const before = layers.rows.get(key)
    const after = joinRows(before ?? emptyRow, delta)
    if (after === before) return
    layers.rows.set(key, after)
    layers.changes.changed.add(key)
  }

  /** Of what nothing touches yet, the row is as it is confirmed; what does not show at all is not confirmed either. */
  function putAside(key: DocumentKey, row: Row | undefined): void {
    if (row !== undefined && !isTouchedByOutbox(key)) beside.set(key, row)
  }

  /** After something that touched it left the outbox: the row is confirmed joined with what remains (SPEC L3). */
  function settle(key: DocumentKey): void {
    const base = beside.get(key)
    let row = base
    for (const write of outbox.writesOf(key)) row = joinRows(row ?? emptyRow, write.delta)
    if (!outbox.touches(key)) beside.delete(key)
    const before = layers.rows.get(key)
    if (
      before !== undefined &&
      row !== undefined &&
      joinRows(before, row) === before &&
      joinRows(row, before) === row
    )
      return
    if (row === undefined) layers.rows.delete(key)
    else layers.rows.set(key, row)
    layers.changes.changed.add(key)
  }

  function enter(entry: OutboxEntry): void {
    const { writes } = entry.transaction
    let writer: WriterId | null = null
    /** What its own earlier writes touch; not asked for before one of its rows was there, as none is of thousands of inserts. */
    let touched: Set<DocumentKey> | null = null
    for (let i = 0; i < writes.length; i++) {
      const { key, delta, mark, texts } = writes[i] as Write
      if (texts.size > 0)
        for (const [part, updates] of texts) noteArrivals(layers.changes, bodyKey(key, part), updates)
      if (mark.writer !== writer) own.add((writer = mark.writer))
      const before = layers.rows.get(key)
      if (before !== undefined) {
        touched ??= new Set(writes.slice(0, i).map(write => write.key))
        if (!touched.has(key)) putAside(key, before)
      }
      touched?.add(key)
      const after = joinRows(before ?? emptyRow, delta)
      if (after === before) continue
      layers.rows.set(key, after)
      layers.changes.changed.add(key)
    }
    outbox.add(entry)
  }

  function leave(id: TransactionId): void {
    const entry = outbox.get(id)
    if (entry === undefined) return
    outbox.remove(id)
    const { writes } = entry.transaction
    for (const key of new Set(writes.map(write => write.key))) settle(key)
    for (const { key, texts } of writes) {
      for (const part of texts.keys()) layers.changes.rebuilt.add(bodyKey(key, part))
    }
  }

  function confirmLeaving(
    entries: readonly OutboxEntry[],
    position: number,
    heed: (row: Row | undefined) => void,
  ): void {
    const confirmWhatShows = (key: DocumentKey): void => {
      const before = beside.get(key)
      const after = layers.rows.get(key)
      beside.delete(key)
      if (after === undefined || showsDelta(before, after)) return
      noteConfirmed(key, before, after, position)
      heed(after)
    }
    outbox.removeAll(entries, confirmWhatShows)
    // Where something else waits, they are not confirmed yet.
    if (outbox.size > 0)
      for (const { transaction } of entries)
        for (const { key, delta } of transaction.writes)
          if (outbox.touches(key)) heed(confirm(key, delta, position))
  }

  function release(entry: OutboxEntry): boolean {
    return isEverywhere(entry) && letGo(entry)
  }

  function letGo(entry: OutboxEntry): boolean {
    if (entry.position === 0) return false
    if (!entry.transaction.writes.every(write => showsDelta(confirmed(write.key), write.delta))) return false
    outbox.remove(entry.transaction.id)
    for (const { key } of entry.transaction.writes) if (!outbox.touches(key)) beside.delete(key)
    return true
  }

  function releaseTouching(keys: Iterable<DocumentKey>): void {
    if (outbox.counts.acknowledged.size === 0) return
    const entries = new Set<OutboxEntry>()
    for (const key of keys) {
      for (const id of outbox.idsOf(key)) {
        const entry = outbox.get(id)
        if (entry !== undefined && entry.acks.size > 0) entries.add(entry)
      }
    }
    for (const entry of entries) release(entry)
  }

  function releaseAcknowledged(): void {
    for (const entry of [...outbox.counts.acknowledged.values()]) release(entry)
  }

  /** What a damaged row was counted as, nobody knows any more. */
  function recount(): void {
    let all = emptyFingerprint
    for (const key of layers.rows.keys()) all = replaceInFingerprint(all, undefined, confirmed(key))
    discounted = layers.rows.damaged.size
    takeCounted(uncounted, all)
  }

  function fingerprintLater(): FingerprintCount {
    if (layers.rows.damaged.size > discounted) recount()
    return countOf(uncounted, confirmed)
  }

  function count(): Fingerprint {
    return countAll(fingerprintLater())
  }

  const layers: Layers & { rows: RowMap; changes: Changes } = {
    outbox,
    bodies,
    own,
    changedKeys,
    rows: createRowMap(),
    changes: noChanges(),
    countFingerprint: count,
    takeFingerprint: taken => takeCounted(uncounted, taken),
    fingerprintLater,
    confirmed,
    damaged() {
      const { damaged } = layers.rows
      return damaged.size === 0 ? [] : [...damaged].filter(key => confirmed(key) === undefined)
    },
    confirm,
    addToBody(body, updates, position) {
      bodies.add(body, updates, position)
      noteArrivals(layers.changes, body, updates)
    },
    forget(key, position) {
      bodies.forget(key, position)
      const row = confirmed(key)
      if (row === undefined) return
      noteGone(uncounted, key, row)
      changedKeys.note(key, position)
      if (outbox.touches(key)) {
        beside.delete(key)
        settle(key)
      } else {
        layers.rows.delete(key)
        layers.changes.changed.add(key)
      }
    },
    enter,
    leave,
    confirmLeaving,
    isEverywhere,
    release,
    releaseTouching,
    releaseAcknowledged,
    letGo,
    substitute(entries, keys) {
      for (const key of keys) putAside(key, layers.rows.get(key))
      outbox.substitute(entries)
      for (const key of keys) settle(key)
    },
    replace(loaded) {
      count()
      for (const key of layers.rows.keys()) layers.changes.changed.add(key)
      beside.clear()
      changedKeys.clear()
      bodies.clear()
      layers.rows = loaded
      discounted = 0
    },
    recount,
    collect(run) {
      layers.changes = renewed(layers.changes)
      run()
      if (areTooMany(uncounted)) countSome(fingerprintLater())
      return handedOver(layers.changes)
    },
  }
  return layers
}
