/**
 * The status of a replica: what its state knows by itself, and what only the engine knows of the connection.
 *
 * A state of affairs is never an event that one could miss: whatever an application has to show (offline, catching
 * up, waiting for a token, refused writes) stands here for as long as it is so.
 */
import type { ErrorCode } from '@rejoin/core'

export type Connection = 'offline' | 'connecting' | 'catching-up' | 'online' | 'paused'

/** What a replica's state knows of itself, without a connection. */
export interface LocalStatus {
  /** Transactions of this device that no relay has acknowledged. */
  readonly pending: number
  /** When the oldest of them was made, in milliseconds since the epoch; null if there is none. */
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
  /** Milliseconds by which relays' time is ahead of this device's. */
  readonly clockOffsetMs: number
}
