/** What is measured inside a page, by the same few verbs: Rejoin's replica, and the limit. */
import type { Entry } from '../records.ts'

export interface PageContender {
  /** Everything of this name that is stored is in memory when it resolves. With a relay, it begins to talk to it. */
  open(name: string, relay?: PageRelay): Promise<PageStore>
}

export interface PageRelay {
  readonly url: string
  readonly space: string
}

export interface PageStore {
  insert(id: string, entry: Entry): void
  /** Resolves when this one insert is on disk, strictly. */
  insertDurably(id: string, entry: Entry): Promise<void>
  /** All at once, or in as few transactions as take them. */
  bulk(list: readonly (readonly [string, Entry])[]): void
  get(id: string): unknown
  countOf(owner: string): number
  count(): number
  /** Resolves when everything that was written is stored. */
  persisted(): Promise<void>
  /** Resolves when everything that the relay has is here and stored. */
  synced(): Promise<void>
  /** Resolves when what it does at leisure with what is new is done. */
  settled(): Promise<void>
  close(): Promise<void>
}
