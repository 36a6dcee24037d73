/**
 * What is told of an outbox as a whole, kept up with every entry that comes and goes: it is asked for after each write,
 * and an outbox may hold the writes of months.
 */
import type { OutboxEntry } from './outbox.ts'
import type { TransactionId } from './write.ts'

export interface OutboxCounts {
  /** Entries that are not on this device's disk yet. */
  readonly unstored: number
  /** Entries that a relay has acknowledged, in no order that means anything. */
  readonly acknowledged: ReadonlyMap<TransactionId, OutboxEntry>
  /** When the oldest write that no relay has acknowledged was made, in milliseconds since the epoch; else Infinity. */
  readonly oldestUnacknowledgedAt: number
}

export interface KeptCounts extends OutboxCounts {
  came(entry: OutboxEntry): void
  went(entry: OutboxEntry): void
}

/** `entries`: all that are counted. */
export function createOutboxCounts(entries: () => Iterable<OutboxEntry>): KeptCounts {
  const acknowledged = new Map<TransactionId, OutboxEntry>()
  let unstored = 0
  /** Null: it went, and the next one is looked for when it is asked for. */
  let oldest: number | null = Infinity

  function findOldest(): number {
    let found = Infinity
    for (const entry of entries()) if (entry.acks.size === 0) found = Math.min(found, madeAt(entry))
    return found
  }

  return {
    get unstored() {
      return unstored
    },
    acknowledged,
    get oldestUnacknowledgedAt() {
      oldest ??= findOldest()
      return oldest
    },
    came(entry) {
      if (entry.position === 0) unstored += 1
      if (entry.acks.size > 0) acknowledged.set(entry.transaction.id, entry)
      else if (oldest !== null) oldest = Math.min(oldest, madeAt(entry))
    },
    went(entry) {
      if (entry.position === 0) unstored -= 1
      if (entry.acks.size > 0) acknowledged.delete(entry.transaction.id)
      else if (oldest === madeAt(entry)) oldest = null
    },
  }
}

/** When the first of a transaction's writes was made. */
export function madeAt({ transaction }: OutboxEntry): number {
  let first = Infinity
  for (const { mark } of transaction.writes) first = Math.min(first, mark.ms)
  return first
}
