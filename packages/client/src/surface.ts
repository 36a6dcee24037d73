/**
 * The surface of a replica: everything that an application calls, over the engine's `ReplicaCore`.
 */
import type { Collection, Collections } from './collection.ts'
import type { Conflicts } from './conflicts.ts'
import type { CollectionHandle } from './documents.ts'
import type { Live } from './live.ts'
import type { Quarantine } from './quarantine.ts'
import type { LocalStatus } from './status.ts'
import type { Transact } from './transaction.ts'

/** A handle for each declared collection, by the property that the application gave it. */
export type CollectionHandles<C extends Collections> = {
  readonly [K in keyof C]: C[K] extends Collection<infer Name, infer F> ? CollectionHandle<Name, F> : never
}

export interface Surface<C extends Collections> {
  readonly collections: CollectionHandles<C>
  readonly transact: Transact<C>
  readonly conflicts: Conflicts<C>
  readonly quarantine: Quarantine
  /** What the state knows; the engine adds what it knows of the connection. */
  readonly status: Live<LocalStatus>
  /** Sends what was typed, and stops listening to the core. */
  close(): void
}
