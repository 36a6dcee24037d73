/// <reference lib="esnext.disposable" preserve="true" />
/** What `openReplica` gives: the application's collections, and everything else that can be done with a replica. */
import type { RejoinError, TransactionId } from '@rejoin/core'
import type { Collections } from './collection.ts'
import type { Conflicts } from './conflicts.ts'
import type { Live } from './live.ts'
import type { Quarantine } from './quarantine.ts'
import type { Repair } from './driving.ts'
import type { Status } from './status.ts'
import type { CollectionHandles } from './surface.ts'
import type { Transact } from './transaction.ts'

/** What happens once, and is no state of affairs. */
export interface ReplicaEvents {
  /** Replica and relay did not have the same, and now do (SPEC R2). */
  readonly repaired: Repair
  /** They should have had the same (SPEC P5): a fault somewhere, healed. A developer should look. */
  readonly alarm: null
  /** The browser dropped the database. Told to whoever listens, whenever they begin to. */
  readonly evicted: RejoinError<'storage-evicted'>
  /** What was stored of a document cannot be read: it is not shown until it comes from a relay. The last one is told to whoever listens. */
  readonly damaged: RejoinError<'storage-damaged'>
  /** A write that was visible cannot be stored on this device any more. */
  readonly unsaved: { readonly id: TransactionId; readonly error: RejoinError }
}

export interface ReplicaMembers<C extends Collections> {
  readonly transact: Transact<C>
  readonly conflicts: Conflicts<C>
  readonly quarantine: Quarantine
  readonly status: Live<Status>
  /** Returns how to stop. */
  on<Name extends keyof ReplicaEvents>(
    name: Name,
    listener: (detail: ReplicaEvents[Name]) => void,
  ): () => void
  /**
   * Resolves when nothing is on its way: all own writes are acknowledged, and everything that the relay had when this
   * was called is here and on disk; a round trip. Waits while offline. Rejects with `closed`, and with `ack-unavailable`
   * where there are no relays.
   */
  settled(): Promise<void>
  /** Works offline, in all tabs, until `resume`. */
  pause(): void
  /** Goes online again, also after a relay said no for good. */
  resume(): void
  /** Stores what is written and lets go of everything, within 2 s whatever the network does. Writes throw `closed` then. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** A replica: its collections by the names that the application gave them, and the members beside. */
export type Replica<C extends Collections> = CollectionHandles<C> & ReplicaMembers<C>

/** Names that a collection cannot have in `collections`, since the replica has a member of that name. */
export type ReservedName = Exclude<keyof ReplicaMembers<Collections>, symbol>

/** Every member's name; what it lacks does not compile. */
const reserved: Readonly<Record<ReservedName, true>> = {
  transact: true,
  conflicts: true,
  quarantine: true,
  status: true,
  on: true,
  settled: true,
  pause: true,
  resume: true,
  close: true,
}

/** The first name of a collection that the replica needs for itself. `then` would make it look like a promise. */
export function reservedNameIn(collections: Collections): string | undefined {
  return Object.keys(collections).find(name => Object.hasOwn(reserved, name) || name === 'then')
}
