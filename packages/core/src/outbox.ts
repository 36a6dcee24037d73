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
  /** The order of those on disk, for who walks it again and again. What comes to the disk goes to its end, or all places are given anew. */
  readonly line: Pick<OutboxLine, 'epoch' | 'from'>
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
  remove(id: TransactionId): void
  /** The writes that touch a document, in no order that means anything: they join. */
  writesOf(key: DocumentKey): readonly Write[]
  touches(key: DocumentKey): boolean
  idsOf(key: DocumentKey): readonly TransactionId[]
  /** Whether nothing on this device's disk that touches a document stands before this transaction. */
  isFirstOf(key: DocumentKey, id: TransactionId): boolean
}

/** One relay is enough, and each counts. */
const alwaysCounted: Counting = { revision: 0, isCounted: () => true, isShort: () => false }

export function createOutbox(counting: Counting = alwaysCounted): Outbox {
  let stored = new Map<TransactionId, OutboxEntry>()
  /** What is not on disk yet. */
  let unstored = new Map<TransactionId, OutboxEntry>()
  /** A list only of what several touch: most documents have one write that waits. */
  const idsByKey = new Map<DocumentKey, TransactionId | Set<TransactionId>>()
  /** The serial of the last that each writer made of what is on disk; forgotten when nothing is. */
  const lastOf = new Map<WriterId, number>()
  const counts = createOutboxCounts(entries, counting)
  const line = createOutboxLine()

  function get(id: TransactionId): OutboxEntry | undefined {
    return stored.get(id) ?? unstored.get(id)
  }

  function* entries(): Generator<OutboxEntry> {
    yield* stored.values()
    yield* unstored.values()
  }

  function insert(id: TransactionId, entry: OutboxEntry): void {
    if (entry.position === 0) {
      unstored.set(id, entry)
      return
    }
    if (!stored.has(id)) {
      line.append(id)
      const serial = serialOf(id)
      if (serial > lastSerial(id)) lastOf.set(writerOf(id), serial)
    }
    stored.set(id, entry)
  }

  function lastSerial(id: TransactionId): number {
    return lastOf.get(writerOf(id)) ?? 0
  }

  /**
   * Of several transactions that are in flight as a page goes away an engine may abort the first alone. It is stored later
   * then than what its writer made after it, which may stand on it.
   */
  function enter(id: TransactionId, entry: OutboxEntry): void {
    if (stored.size === 0) lastOf.clear()
    const serial = serialOf(id)
    if (entry.position === 0 || stored.has(id) || serial > lastSerial(id)) return insert(id, entry)
    const writer = writerOf(id)
    const all = [...stored]
    stored = new Map()
    line.clear()
    let isPlaced = false
    for (const [otherId, other] of all) {
      if (!isPlaced && writerOf(otherId) === writer && serialOf(otherId) > serial) {
        insert(id, entry)
        isPlaced = true
      }
      insert(otherId, other)
    }
    if (!isPlaced) insert(id, entry)
  }

  function index(entry: OutboxEntry): void {
    counts.came(entry)
    const { id, writes } = entry.transaction
    for (const { key } of writes) {
      const held = idsByKey.get(key)
      if (held === undefined) idsByKey.set(key, id)
      else if (typeof held !== 'string') held.add(id)
      else if (held !== id) idsByKey.set(key, new Set([held, id]))
    }
  }

  function unindex(entry: OutboxEntry): void {
    counts.went(entry)
    const { id, writes } = entry.transaction
    for (const { key } of writes) {
      const held = idsByKey.get(key)
      if (typeof held === 'object') held.delete(id)
      if (held === id || (typeof held === 'object' && held.size === 0)) idsByKey.delete(key)
    }
  }

  function idsOf(key: DocumentKey): readonly TransactionId[] {
    const held = idsByKey.get(key)
    return held === undefined ? [] : typeof held === 'string' ? [held] : [...held]
  }

  return {
    get size() {
      return stored.size + unstored.size
    },
    counts,
    line,
    get,
    entries,
    add(entry) {
      enter(entry.transaction.id, entry)
      index(entry)
    },
    put(entry) {
      const { id } = entry.transaction
      const old = get(id)
      if (old !== undefined) unindex(old)
      if (old?.position === 0) unstored.delete(id)
      enter(id, entry)
      index(entry)
    },
    substitute(changes) {
      const all = [...entries()]
      stored = new Map()
      unstored = new Map()
      line.clear()
      for (const held of all) {
        const { id } = held.transaction
        const entry = changes.get(id)
        if (entry !== undefined) unindex(held)
        if (entry !== null) insert(entry?.transaction.id ?? id, entry ?? held)
      }
      for (const entry of changes.values()) if (entry !== null) index(entry)
    },
    move(id, position) {
      const held = unstored.get(id)
      if (held === undefined) return false
      const { transaction, acks, refusedBy } = held
      const entry = { transaction, position, acks, refusedBy }
      unstored.delete(id)
      enter(id, entry)
      counts.went(held)
      counts.came(entry)
      return true
    },
    remove(id) {
      const old = get(id)
      if (old === undefined) return
      unindex(old)
      if (!stored.delete(id)) unstored.delete(id)
      else line.remove(id)
    },
    writesOf(key) {
      const writes: Write[] = []
      for (const id of idsOf(key)) {
        for (const write of get(id)?.transaction.writes ?? []) if (write.key === key) writes.push(write)
      }
      return writes
    },
    touches: key => idsByKey.has(key),
    idsOf,
    isFirstOf(key, id) {
      const held = idsByKey.get(key)
      if (typeof held !== 'object') return true
      for (const other of held)
        if (other !== id && stored.has(other) && line.isBefore(other, id)) return false
      return true
    },
  }
}
