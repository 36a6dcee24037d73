/**
 * The outbox: one's own writes as made, transactions whole, in order, until a relay has them on disk and the
 * confirmed layer shows them (SPEC L1, L2). Indexed by document, so that a refusal is a look-up.
 */
import type { GenerationId, StoreId } from './generations.ts'
import type { WriterId } from './mark.ts'
import type { DocumentKey } from './row.ts'
import { createOutboxCounts, type Counting, type OutboxCounts } from './outbox-counts.ts'
import { createOutboxLine, type OutboxLine } from './outbox-line.ts'
import { serialOf, writerOf, type Transaction, type TransactionId, type Write } from './write.ts'

/** The commit of a relay that holds a write. */
export interface Acknowledgement {
  readonly generation: GenerationId
  readonly position: number
}

export interface OutboxEntry {
  readonly transaction: Transaction
  /** Its place in the journal; 0 while it is not on this device's disk. */
  readonly position: number
  /** Relays that have it on disk. */
  readonly acks: ReadonlyMap<StoreId, Acknowledgement>
  /** Relays that refused it although another one has it (SPEC L2). */
  readonly refusedBy: ReadonlySet<StoreId>
}

/** What a write is in the outbox before any relay has heard of it; `position`: its place in the journal. */
export function entryOf(transaction: Transaction, position: number): OutboxEntry {
  return { transaction, position, acks: noAcks, refusedBy: noStores }
}

// Shared by all, since nothing is ever put into them.
const noAcks: OutboxEntry['acks'] = new Map()
const noStores: OutboxEntry['refusedBy'] = new Set()

/** On how many relays' disks a write is to be (SPEC L2). */
export interface Copies {
  /** Until so many have it, it is pending. */
  readonly wanted: number
  /** The level that it has reached then. */
  readonly level: 'relay' | 'quorum'
  /** Until so many have it, it stays in the outbox, which hands it on to those that were away. */
  readonly all: number
  /** Addresses of the relays that are meant: what other ones acknowledged does not count. Without them, any relays are. */
  readonly relays?: readonly string[] | undefined
}

export const oneCopy: Copies = { wanted: 1, level: 'relay', all: 1 }

/** Whether the same is wanted of the same relays, in whichever order they are named. */
export function areSameCopies(a: Copies, b: Copies): boolean {
  const names = ({ relays = [] }: Copies): string => [...relays].sort().join(' ')
  return a.wanted === b.wanted && a.level === b.level && a.all === b.all && names(a) === names(b)
}

export interface Outbox {
  readonly size: number
  readonly counts: OutboxCounts
  get(id: TransactionId): OutboxEntry | undefined
  /**
   * The same, for who asks for many: as long as that is in the order in which they came, none is looked up. To be asked
   * while nothing leaves but what was asked for.
   */
  inOrder(): (id: TransactionId) => OutboxEntry | undefined
  /** The order of those on disk, for who walks it again and again. What comes to the disk goes to its end, or all places are given anew. */
  readonly line: Pick<OutboxLine, 'epoch' | 'end' | 'at'>
  /** In the order of the journal, but those of one writer as it made them; what is not on disk yet last. */
  entries(): Iterable<OutboxEntry>
  /** Adds one of whose id there is none, at the end; or before those that its writer made later. */
  add(entry: OutboxEntry): void
  /** The same, or replaces the one of the same id where it stands. */
  put(entry: OutboxEntry): void
  /** Puts entries in the places of others, or takes them out (null), in one pass. */
  substitute(changes: ReadonlyMap<TransactionId, OutboxEntry | null>): void
  /** The same with one that has come to this device's disk. Whether it was not there before. */
  move(id: TransactionId, position: number): boolean
  /** Calls back with each document that nothing touches any more. */
  remove(id: TransactionId, onUntouched?: (key: DocumentKey) => void): void
  /** The same with each of these. */
  removeAll(entries: readonly OutboxEntry[], onUntouched: (key: DocumentKey) => void): void
  /** The writes that touch a document, in no order that means anything: they join. */
  writesOf(key: DocumentKey): readonly Write[]
  touches(key: DocumentKey): boolean
  idsOf(key: DocumentKey): readonly TransactionId[]
  /** Whether nothing on this device's disk that touches a document stands before this transaction. */
  isFirstOf(key: DocumentKey, id: TransactionId): boolean
}

/** One relay is enough, and each counts. */
const alwaysCounted: Counting = { revision: () => 0, isCounted: () => true, isShort: () => false }

/** Where it stands in the journal is known once it is on disk. */
type KeptEntry = OutboxEntry & { position: number }

export function createOutbox(counting: Counting = alwaysCounted): Outbox {
  const byId = new Map<TransactionId, KeptEntry>()
  const line = createOutboxLine()
  /** What is not on disk yet, which comes there in this order as a rule. */
  const unstored = createOutboxLine()
  /** A list only of what several touch: most documents have one write that waits. Without those of `added`. */
  const indexed = new Map<DocumentKey, TransactionId | Set<TransactionId>>()
  /** What came since somebody asked by document: thousands are written, or met in an opening, before anybody does. */
  let added: OutboxEntry[] = []
  /** The serial of the last that each writer made of what is on disk; forgotten when nothing is. */
  const lastOf = new Map<WriterId, number>()
  const counts = createOutboxCounts(entries, counting)

  function* entries(): Generator<OutboxEntry> {
    for (const { ids } of [line, unstored]) {
      for (const id of ids()) {
        const entry = byId.get(id)
        if (entry !== undefined) yield entry
      }
    }
  }

  /**
   * Of several transactions that are in flight as a page goes away an engine may abort the first alone. It is stored later
   * then than what its writer made after it, which may stand on it.
   */
  function place(id: TransactionId): void {
    if (counts.unstored === byId.size) lastOf.clear()
    const writer = writerOf(id)
    const serial = serialOf(id)
    const last = lastOf.get(writer) ?? 0
    if (serial > last) {
      lastOf.set(writer, serial)
      return line.append(id)
    }
    const all = [...line.ids()]
    line.clear()
    let isPlaced = false
    for (const other of all) {
      if (!isPlaced && writerOf(other) === writer && serialOf(other) > serial) {
        line.append(id)
        isPlaced = true
      }
      line.append(other)
    }
    if (!isPlaced) line.append(id)
  }

  function insert(entry: OutboxEntry): void {
    const { id } = entry.transaction
    if (entry.position === 0) unstored.append(id)
    else place(id)
    byId.set(id, entry)
    outbox.size = byId.size
  }

  function index({ transaction }: OutboxEntry): void {
    const { id, writes } = transaction
    for (let i = 0; i < writes.length; i++) {
      const key = writes[i]?.key
      if (key === undefined) continue
      const held = indexed.get(key)
      if (held === undefined) indexed.set(key, id)
      else if (typeof held !== 'string') held.add(id)
      else if (held !== id) indexed.set(key, new Set([held, id]))
    }
  }

  function idsByKey(): typeof indexed {
    if (added.length > 0) {
      for (let i = 0; i < added.length; i++) index(added[i] as OutboxEntry)
      added = []
    }
    return indexed
  }

  function come(entry: OutboxEntry): void {
    counts.came(entry)
    added.push(entry)
  }

  function unindex(entry: OutboxEntry, onUntouched?: (key: DocumentKey) => void): void {
    counts.went(entry)
    const ids = idsByKey()
    const { id, writes } = entry.transaction
    for (const { key } of writes) {
      const held = ids.get(key)
      if (typeof held === 'object') held.delete(id)
      if (held !== id && (typeof held !== 'object' || held.size > 0)) continue
      ids.delete(key)
      onUntouched?.(key)
    }
  }

  function remove(id: TransactionId, onUntouched?: (key: DocumentKey) => void): void {
    const old = byId.get(id)
    if (old === undefined) return
    unindex(old, onUntouched)
    byId.delete(id)
    outbox.size = byId.size
    lineOf(old).remove(id)
  }

  function lineOf({ position }: OutboxEntry): OutboxLine {
    return position === 0 ? unstored : line
  }

  function idsOf(key: DocumentKey): readonly TransactionId[] {
    const held = idsByKey().get(key)
    return held === undefined ? [] : typeof held === 'string' ? [held] : [...held]
  }

  const outbox: Outbox & { size: number } = {
    size: 0,
    counts,
    line,
    get: id => byId.get(id),
    inOrder() {
      const coming = byId.values()
      let next: OutboxEntry | undefined
      return id => {
        next ??= coming.next().value
        if (next?.transaction.id !== id) return byId.get(id)
        const found = next
        next = undefined
        return found
      }
    },
    entries,
    add(entry) {
      insert(entry)
      come(entry)
    },
    put(entry) {
      const { id } = entry.transaction
      const old = byId.get(id)
      if (old !== undefined) unindex(old)
      if (old !== undefined && lineOf(old) === lineOf(entry)) byId.set(id, entry)
      else {
        if (old !== undefined) lineOf(old).remove(id)
        insert(entry)
      }
      come(entry)
    },
    substitute(changes) {
      const all = [...entries()]
      byId.clear()
      line.clear()
      unstored.clear()
      for (const held of all) {
        const entry = changes.get(held.transaction.id)
        if (entry !== undefined) unindex(held)
        if (entry === null) continue
        // In its place, whoever made it.
        const kept = entry ?? held
        const { id } = kept.transaction
        lineOf(kept).append(id)
        byId.set(id, kept)
        if (kept.position > 0) lastOf.set(writerOf(id), Math.max(lastOf.get(writerOf(id)) ?? 0, serialOf(id)))
      }
      for (const entry of changes.values()) if (entry !== null) come(entry)
      outbox.size = byId.size
    },
    move(id, position) {
      const held = byId.get(id)
      if (held === undefined || held.position > 0) return false
      unstored.remove(id)
      place(id)
      held.position = position
      counts.stored()
      return true
    },
    remove,
    removeAll(entries, onUntouched) {
      if (entries.length < byId.size) {
        for (const { transaction } of entries) remove(transaction.id, onUntouched)
        return
      }
      // All that there is, as after a reconnection, which may be the writes of months.
      counts.allWent()
      const untouched = [...idsByKey().keys()]
      byId.clear()
      outbox.size = 0
      line.clear()
      unstored.clear()
      indexed.clear()
      untouched.forEach(onUntouched)
    },
    writesOf(key) {
      const writes: Write[] = []
      for (const id of idsOf(key)) {
        for (const write of byId.get(id)?.transaction.writes ?? []) if (write.key === key) writes.push(write)
      }
      return writes
    },
    touches: key => idsByKey().has(key),
    idsOf,
    isFirstOf(key, id) {
      const held = idsByKey().get(key)
      if (typeof held !== 'object') return true
      for (const other of held)
        if (other !== id && (byId.get(other)?.position ?? 0) > 0 && line.isBefore(other, id)) return false
      return true
    },
  }
  return outbox
}
