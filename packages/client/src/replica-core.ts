/**
 * The seam between what an application calls (collections, queries, conflicts, texts) and what keeps a replica
 * going (journal, tabs, connection). The surface makes transactions from what it sees in `state`; the engine below
 * makes them visible at once, durable soon, and acknowledged when a relay says so.
 */
import type {
  Applied,
  DocumentKey,
  Level,
  Mark,
  PartName,
  ReplicaState,
  Transaction,
  TransactionId,
  Write,
} from '@rejoin/core'

export interface Committed {
  readonly transaction: Transaction
  readonly changed: ReadonlySet<DocumentKey>
}

export interface ReplicaCore {
  readonly state: ReplicaState
  /**
   * A mark for a write over a row whose greatest mark is `over` (SPEC W3, W4). Draws this tab's writer at its
   * first call, and a fresh one after writes of it were made anew.
   */
  nextMark(over: Mark | null): Mark
  /**
   * Gives the transaction its id and what it saw, joins it into the state (visible when this returns), queues it for the
   * disk. Says which documents show something else now. `bytes`: how many they take at most, if that is known.
   */
  commit(writes: readonly Write[], bytes?: number): Committed
  /**
   * Called after every change of the state, once for each tick's worth of changes; with nothing if that was what `commit`
   * told alone. Returns how to stop.
   */
  onApplied(listener: (applied: Applied) => void): () => void
  /** Resolves when the transaction reached the level. Rejects with `ack-timeout`, `ack-unavailable`, `closed`, or the failure that put it into the quarantine. */
  reached(
    id: TransactionId,
    level: Level,
    options?: { readonly timeoutMs?: number | undefined },
  ): Promise<void>
  /** Settles a quarantined transaction for good (SPEC Q3); strict on disk when it resolves. */
  settleQuarantined(ids: readonly TransactionId[]): Promise<void>
  /** The confirmed body of a text: the store's updates and those in memory. */
  loadBody(key: DocumentKey, part: PartName): Promise<readonly Uint8Array[]>
  /** Time by the device's clock, corrected by what relays said (SPEC C2), in milliseconds. */
  now(): number
  readonly closed: boolean
}
