/**
 * The quarantine: transactions that were refused, kept whole with the reason until a person or the application
 * decides (SPEC Q3). Nothing leaves it by itself.
 */
import type { Failure, TransactionId } from '@rejoin/core'
import type { Live } from './live.ts'
import type { Reachable } from './write-handle.ts'

export interface QuarantinedWrite {
  readonly collection: string
  readonly id: string
  readonly kind: 'insert' | 'update' | 'delete' | 'undelete'
  /** What it wrote, by field, as readers would see it; of a text what it typed is in `texts`. */
  readonly values: Readonly<Record<string, unknown>>
  /** Fields whose text it changed. */
  readonly texts: readonly string[]
}

export interface QuarantinedItem {
  readonly id: TransactionId
  /** Decide by its code. */
  readonly error: Failure
  /** The same in a sentence, for people who look for the cause. */
  readonly why: string
  readonly writes: readonly QuarantinedWrite[]
  /** When it was made, in milliseconds since the epoch. */
  readonly at: number
}

/** Refused transactions, oldest first. */
export interface Quarantine extends Live<readonly QuarantinedItem[]> {
  /** Throws it away for good; on disk when it resolves. An id that is not here (any more) is no error. */
  discard(id: TransactionId): Promise<void>
  /**
   * Writes the same content anew, over what is seen now, and takes the old one out. Null if it is not here (any more).
   * Rejects with `document-unknown` if what it changed does not exist here; then nothing was written.
   */
  sendAgain(id: TransactionId): Promise<Reachable | null>
}
