/**
 * What is told of an outbox as a whole, kept up with every entry that comes and goes: it is asked for after each write,
 * and an outbox may hold the writes of months.
 */
import type { StoreId } from './generations.ts'
import type { Acknowledgement, OutboxEntry } from './outbox.ts'
import type { TransactionId } from './write.ts'

export interface OutboxCounts {
  /** Entries that are not on this device's disk yet. */
  readonly unstored: number
  /** Entries that a relay has acknowledged, in no order that means anything. */
  readonly acknowledged: ReadonlyMap<TransactionId, OutboxEntry>
  /** Those of them that are on fewer relays than are wanted. */
  short(): ReadonlyMap<TransactionId, OutboxEntry>
  /** How many entries a relay has acknowledged, by acknowledgements that count. */
  acknowledgedBy(store: StoreId): number
  /** How many entries a relay refused that another one has. */
  refusedBy(store: StoreId): number
  /** When the oldest write that no relay has acknowledged was made, in milliseconds since the epoch; else Infinity. */
  oldestUnacknowledgedAt(): number
}

export interface KeptCounts extends OutboxCounts {
  came(entry: OutboxEntry): void
  went(entry: OutboxEntry): void
  allWent(): void
  /** One came to this device's disk. */
  stored(): void
}

/** Which acknowledgements count, as of what is known of relays. */
export interface Counting {
  /** Rises with what is known of relays. */
  revision(): number
  isCounted(store: StoreId, ack: Acknowledgement): boolean
  /** Whether it is on fewer relays than are wanted. */
  isShort(entry: OutboxEntry): boolean
}

/** `entries`: all that are counted. */
export function createOutboxCounts(entries: () => Iterable<OutboxEntry>, counting: Counting): KeptCounts {
  const acknowledged = new Map<TransactionId, OutboxEntry>()
  const short = new Map<TransactionId, OutboxEntry>()
  const acknowledgedBy = new Map<StoreId, number>()
  const refusedBy = new Map<StoreId, number>()
  let revision = 0
  /** Null: it went, and the next one is looked for when it is asked for. */
  let oldest: number | null = Infinity
  /** What no relay has acknowledged, and nobody has asked for when it was made: of thousands of writes that takes a while. */
  let unread: OutboxEntry[] = []

  function readTimes(): void {
    for (const entry of unread) if (oldest !== null) oldest = Math.min(oldest, madeAt(entry))
    if (unread.length > 0) unread = []
  }

  function findOldest(): number {
    let found = Infinity
    for (const entry of entries()) if (entry.acks.size === 0) found = Math.min(found, madeAt(entry))
    return found
  }

  function countShort(entry: OutboxEntry): void {
    if (counting.isShort(entry)) short.set(entry.transaction.id, entry)
  }

  function countStores({ acks }: OutboxEntry, by: number): void {
    if (acks.size === 0) return
    for (const [store, ack] of acks)
      if (counting.isCounted(store, ack)) acknowledgedBy.set(store, (acknowledgedBy.get(store) ?? 0) + by)
  }

  function countRefusers({ refusedBy: refusers }: OutboxEntry, by: number): void {
    if (refusers.size === 0) return
    for (const store of refusers) refusedBy.set(store, (refusedBy.get(store) ?? 0) + by)
  }

  /** What was counted before something was learned of a relay says nothing any more. */
  function heed(): void {
    const current = counting.revision()
    if (revision === current) return
    revision = current
    short.clear()
    acknowledgedBy.clear()
    for (const entry of acknowledged.values()) {
      countShort(entry)
      countStores(entry, 1)
    }
  }

  const counts: KeptCounts & { unstored: number } = {
    unstored: 0,
    acknowledged,
    short() {
      heed()
      return short
    },
    acknowledgedBy(store) {
      heed()
      return acknowledgedBy.get(store) ?? 0
    },
    refusedBy: store => refusedBy.get(store) ?? 0,
    oldestUnacknowledgedAt() {
      readTimes()
      oldest ??= findOldest()
      return oldest
    },
    came(entry) {
      if (entry.position === 0) counts.unstored += 1
      countStores(entry, 1)
      countRefusers(entry, 1)
      if (entry.acks.size > 0) {
        acknowledged.set(entry.transaction.id, entry)
        countShort(entry)
      } else if (oldest !== null) unread.push(entry)
    },
    stored() {
      counts.unstored -= 1
    },
    went(entry) {
      if (entry.position === 0) counts.unstored -= 1
      countStores(entry, -1)
      countRefusers(entry, -1)
      readTimes()
      if (entry.acks.size > 0) {
        acknowledged.delete(entry.transaction.id)
        short.delete(entry.transaction.id)
      } else if (oldest === madeAt(entry)) oldest = null
    },
    allWent() {
      counts.unstored = 0
      acknowledged.clear()
      short.clear()
      acknowledgedBy.clear()
      refusedBy.clear()
      oldest = Infinity
      unread = []
    },
  }
  return counts
}

/** When the first of a transaction's writes was made. */
export function madeAt({ transaction }: OutboxEntry): number {
  const { writes } = transaction
  let first = Infinity
  for (let i = 0; i < writes.length; i++) {
    const ms = writes[i]?.mark.ms ?? Infinity
    if (ms < first) first = ms
  }
  return first
}
