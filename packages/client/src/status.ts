/**
 * The status of a replica: what its state knows by itself, and what only the engine knows of the connection.
 *
 * A state of affairs is never an event that one could miss: whatever an application has to show (offline, catching
 * up, waiting for a token, refused writes) stands here for as long as it is so.
 */
import { madeAt, type ErrorCode, type ReplicaState } from '@rejoin/core'

export type Connection = 'offline' | 'connecting' | 'catching-up' | 'online' | 'paused'

/** One of the relays with which this replica speaks. */
export interface RelayStatus {
  readonly url: string
  readonly connection: Connection
  /** Why it is not `online`, where there is more to say. */
  readonly reason?: ErrorCode | undefined
  /** Level with this relay, with everything that came on disk. */
  readonly caughtUp: boolean
  /** Own transactions that are on this device's disk and that this relay has not acknowledged. */
  readonly waiting: number
  /** Those of them that it refused although another relay has them; they are offered again in its next session. */
  readonly refused: number
}

/** What a replica's state knows of itself, without a connection. */
export interface LocalStatus {
  /** Transactions of this device that no relay has acknowledged; in quorum mode, fewer relays than `write`. */
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
  /**
   * Online, level with the relay, and nothing pending. Who asks while what came is on its way to this disk hears that it is
   * not so; who subscribed is told of that only if it takes long.
   */
  readonly synced: boolean
  /** The relay in use; in quorum mode all of them, in the order of `relays`. */
  readonly relays: readonly RelayStatus[]
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

/** Own transactions that are on fewer relays than are wanted: what none has acknowledged is among them. */
export function countPending({ outbox }: Pick<ReplicaState, 'outbox'>): number {
  const { acknowledged, short } = outbox.counts
  return outbox.size - acknowledged.size + short().size
}

/** Own transactions that are on this device alone. */
export function countUnsent({ outbox, copiesOf }: Pick<ReplicaState, 'outbox' | 'copiesOf'>): number {
  const { acknowledged, short } = outbox.counts
  const lost = [...short().values()].filter(entry => copiesOf(entry) === 0)
  return outbox.size - acknowledged.size + lost.length
}

/** The status that the state knows by itself. */
export function readLocalStatus(
  state: Pick<ReplicaState, 'outbox' | 'quarantine'>,
  conflicts: number,
): LocalStatus {
  const { counts } = state.outbox
  const { unstored } = counts
  let oldest = counts.oldestUnacknowledgedAt()
  for (const entry of counts.short().values()) oldest = Math.min(oldest, madeAt(entry))
  return {
    pending: countPending(state),
    unsaved: unstored,
    oldestPendingAt: oldest === Infinity ? null : oldest,
    quarantined: state.quarantine.size,
    conflicts,
  }
}

export function areSameRelays(all: readonly RelayStatus[], others: readonly RelayStatus[]): boolean {
  return (
    all.length === others.length &&
    all.every((a, i) => {
      const b = others[i]
      return (
        a.url === b?.url &&
        a.connection === b.connection &&
        a.reason === b.reason &&
        a.caughtUp === b.caughtUp &&
        a.waiting === b.waiting &&
        a.refused === b.refused
      )
    })
  )
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
