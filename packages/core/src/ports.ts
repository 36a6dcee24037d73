/**
 * Ports: what shells give to the machines. Everything that touches a clock, chance, a timer, a socket, a lock or
 * a disk is behind one of these; the real ones and the simulated ones pass the same contract suites.
 */

/** Time, chance and timers. */
export interface Runtime {
  /** The device's wall clock, in milliseconds. May jump. */
  now(): number
  /** Milliseconds that only go forward. */
  monotonic(): number
  randomBytes(length: number): Uint8Array
  /** Runs once after a delay. Returns how to cancel it. */
  after(delayMs: number, run: () => void): () => void
}

/** One conversation's carrier: whole frames, in order, until it ends. */
export interface Link {
  send(frame: Uint8Array): void
  /** Bytes handed to `send` that the network has not taken yet. */
  buffered(): number
  close(code?: number, reason?: string): void
}

export interface LinkEvents {
  readonly opened: (link: Link) => void
  /** `isMore`: others have come behind it already, and follow. */
  readonly frame: (bytes: Uint8Array, isMore?: boolean) => void
  /** Once, whatever happened; nothing comes after it. */
  readonly closed: (code: number, reason: string) => void
}

/** Opens a link. Never throws: a failure is `closed`. The returned function gives up. */
export type Connect = (url: string, events: LinkEvents) => () => void

export type StoreKey = string | number | readonly (string | number)[]

export interface KeyRange {
  readonly lower?: StoreKey | undefined
  readonly lowerOpen?: boolean | undefined
  readonly upper?: StoreKey | undefined
  readonly upperOpen?: boolean | undefined
}

/** How a store's records are keyed. */
export interface StoreSchema {
  readonly name: string
  /** Keys are given out from 1, rising, never twice unless a lost tail takes them back. Else a key comes with each record. */
  readonly autoIncrement: boolean
  /** A property of the records by which `getAll` can select too. */
  readonly index?: string | undefined
}

export type StorageRequest =
  | { readonly op: 'get'; readonly store: string; readonly key: StoreKey }
  | {
      readonly op: 'getAll'
      readonly store: string
      readonly range?: KeyRange | undefined
      readonly index?: string | undefined
      readonly limit?: number | undefined
    }
  | {
      readonly op: 'getAllKeys'
      readonly store: string
      readonly range?: KeyRange | undefined
      readonly limit?: number | undefined
    }
  /** Adds or replaces. */
  | { readonly op: 'put'; readonly store: string; readonly value: unknown; readonly key: StoreKey }
  /** Fails if the key is there. Without a key, the next one is given out. Answers the key. */
  | {
      readonly op: 'add'
      readonly store: string
      readonly value: unknown
      readonly key?: StoreKey | undefined
    }
  | { readonly op: 'delete'; readonly store: string; readonly range: KeyRange | StoreKey }

/**
 * A client's disk: ordered stores, and transactions that are all or nothing. All requests of one are issued in one
 * go, with no callback between them, so that a frozen tab never holds a lock that others wait for.
 */
export interface Storage {
  /**
   * Answers one value for each request, in order. Resolves when the transaction is complete and every request
   * succeeded; with `strict`, it is on disk by then. With `early`, the store commits without waiting for the
   * requests' answers: then at most one data request, and a fence last (Firefox keeps earlier ones otherwise).
   * Rejects with `collision` as the code of a `StorageCollision` if an `add` met its key, else with a RejoinError:
   * `storage-full`, `storage-closed`, `storage-blocked`. What is aborted for no reason is tried again before that.
   */
  transact(options: {
    readonly stores: readonly string[]
    readonly mode: 'readonly' | 'readwrite'
    readonly durability?: 'strict' | 'relaxed' | undefined
    readonly early?: boolean | undefined
    readonly requests: readonly StorageRequest[]
  }): Promise<readonly unknown[]>
  /** Calls back once if no transaction succeeds any more. Returns how to stop. */
  onLost(listener: (loss: StorageLoss) => void): () => void
  close(): void
}

/**
 * How a store is lost. `closed`: the browser closed the connection, and may open it again. `taken`: deleted, or a newer
 * version's now. `dropped`: it was opened again, and what stands there is not what was.
 */
export type StorageLoss = 'closed' | 'taken' | 'dropped'

/** Opens (and creates) a database. Rejects with `storage-blocked` or `storage-closed`. */
export type OpenStorage = (name: string, version: number, stores: readonly StoreSchema[]) => Promise<Storage>

/** A transaction met a key that it meant to add: somebody else holds the fence. Nothing of it was stored. */
export class StorageCollision extends Error {
  override readonly name = 'StorageCollision'
}

/** Locks between the tabs of one profile, as the Web Locks API has them. */
export interface Locks {
  /**
   * Asks for a lock and runs `held` while holding it, until the promise that it returns settles. With `ifAvailable`
   * runs it with false instead of waiting. With `steal` takes it from its holder, whose `request` then rejects.
   */
  request(
    name: string,
    options: { readonly ifAvailable?: boolean; readonly steal?: boolean },
    held: (got: boolean) => Promise<void>,
  ): LockRequest
}

export interface LockRequest {
  /** Settles when the lock was let go; rejects if it was stolen. */
  readonly done: Promise<void>
  /** Stops waiting. Does nothing once the lock is held. */
  cancel(): void
}

/** Messages between the tabs of one profile. A lost one costs a poll, never data. */
export interface Channel {
  post(message: unknown): void
  close(): void
}

export type OpenChannel = (name: string, hear: (message: unknown) => void) => Channel
