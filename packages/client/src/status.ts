/**
 * The status of a replica: what its state knows by itself, and what only the engine knows of the connection.
 *
 * A state of affairs is never an event that one could miss: whatever an application has to show (offline, catching
 * up, waiting for a token, refused writes) stands here for as long as it is so.
 */
import type { ErrorCode, ReplicaState } from '@rejoin/core'

export type Connection = 'offline' | 'connecting' | 'catching-up' | 'online' | 'paused'

/** What a replica's state knows of itself, without a connection. */
export interface LocalStatus {
  /** Transactions of this device that no relay has acknowledged. */
  readonly pending: number
  /** Transactions of this device that are not on its disk yet (or, in memory, not in that store). */
  readonly unsaved: number
  /** When the oldest of the pending was made, in milliseconds since the epoch; null if there is none. */
  readonly oldestPendingAt: number | null
  /** Refused transactions that wait for a decision. */
  readonly quarantined: number
  /** Conflicts that wait for a person. */
  readonly conflicts: number
}

export interface Status extends LocalStatus {
  readonly connection: Connection
  /** Why it is not `online`, where there is more to say. */
  readonly reason?: ErrorCode | undefined
  /** Online, level with the relay, and nothing pending. */
  readonly synced: boolean
  /** `memory` means that what is written here ends with the page. */
  readonly persistence: 'indexeddb' | 'memory'
  /** What keeps own writes from this device's disk (`storage-full`, `storage-closed`); absent while nothing does. */
  readonly storage?: ErrorCode | undefined
  /**
   * Whose replica this is: who a relay said that the first token stands for, also offline from then on. While
   * nobody has signed in, who this is to the relay; absent until one said so.
   */
  readonly user?: string | undefined
  /** Milliseconds by which relays' time is ahead of this device's. */
  readonly clockOffsetMs: number
}

/** The status that the state knows by itself. */
export function readLocalStatus(
  state: Pick<ReplicaState, 'outbox' | 'quarantine'>,
  conflicts: number,
): LocalStatus {
  let pending = 0
  let unsaved = 0
  let oldest = Infinity
  for (const { transaction, position, acks } of state.outbox.entries()) {
    if (position === 0) unsaved++
    if (acks.size > 0) continue
    pending++
    for (const { mark } of transaction.writes) oldest = Math.min(oldest, mark.ms)
  }
  return {
    pending,
    unsaved,
    oldestPendingAt: pending === 0 ? null : oldest,
    quarantined: state.quarantine.size,
    conflicts,
  }
}

export function isSameLocalStatus(a: LocalStatus, b: LocalStatus): boolean {
  return (
    a.pending === b.pending &&
    a.unsaved === b.unsaved &&
    a.oldestPendingAt === b.oldestPendingAt &&
    a.quarantined === b.quarantined &&
    a.conflicts === b.conflicts
  )
}
