/**
 * What a write gives back. The write itself is done when the call returns (SPEC W1); the handle only tells how far
 * it has come since. It is not a promise, so awaiting it by mistake waits for nothing, online and offline alike.
 */
import type { Level } from '@rejoin/core'

export interface ReachedOptions {
  /** Milliseconds after which `reached` gives up with `ack-timeout`. The write is not undone. */
  readonly timeoutMs?: number | undefined
}

export interface Reachable {
  /**
   * Resolves when the write is on this device's disk (`local`), on a relay's (`relay`), on k relays' (`quorum`).
   * Rejects with `ack-timeout`, `ack-unavailable`, `closed`, or with what put the write into the quarantine.
   */
  reached(level: Level, options?: ReachedOptions): Promise<void>
}

export interface WriteHandle extends Reachable {
  /** The document's id. */
  readonly id: string
}

export interface Transacted<T> extends Reachable {
  /** What the callback returned. */
  readonly value: T
}
