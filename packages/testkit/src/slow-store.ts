/**
 * The store of a simulated relay: each answer takes a while, there may be no room, and its process may die in between.
 */
import { RejoinError, type RelayStore } from '@rejoin/core'
import type { Chance } from './chance.ts'
import type { Scope } from './scope.ts'

export const diskFull: RejoinError = new RejoinError(
  'storage-full',
  { reason: 'simulated' },
  'The disk is full.',
)

/** Hears what is on a relay's disk. */
export interface StoreWatch {
  /** An update of a text. */
  stored(update: Uint8Array): void
  /** A text's tail is in its snapshot (SPEC X2). */
  folded(): void
}

/** What goes wrong with a disk. */
export interface DiskFaults {
  slowness(): number
  /** Throws if there is no room for what is to be stored. */
  refuse(): void
  at(moment: 'before' | 'after'): void
}

/** The same store, each of whose answers takes a while; a process that dies hears none of them. */
export function withLatency(
  store: RelayStore,
  scope: Scope,
  chance: Chance,
  { slowness, refuse, at }: DiskFaults,
  watch: StoreWatch | undefined,
): RelayStore {
  function later<T>(run: () => Promise<T>, ms: number): Promise<T> {
    return new Promise((resolve, reject) => {
      scope.after(chance.next() * ms * slowness(), () => void run().then(resolve, reject))
    })
  }
  return {
    ...store,
    rows: (space, keys) => later(() => store.rows(space, keys), 1),
    feed: (space, after, limit) => later(() => store.feed(space, after, limit), 1),
    writers: (space, ids) => later(() => store.writers(space, ids), 1),
    textTail: (space, key, part, after) => later(() => store.textTail(space, key, part, after), 1),
    textBody: (space, key, part) => later(() => store.textBody(space, key, part), 1),
    textSize: (space, key, part) => later(() => store.textSize(space, key, part), 1),
    storedText: (space, key, part) => later(() => store.storedText(space, key, part), 1),
    async fold(fold) {
      at('before')
      const isDone = await later(async () => (refuse(), store.fold(fold)), 4)
      if (isDone) watch?.folded()
      at('after')
      return isDone
    },
    // On disk some time before anybody hears of it: a process may die in between.
    async commit(commit) {
      at('before')
      await later(async () => (refuse(), store.commit(commit)), 4)
      for (const { update } of commit.texts) watch?.stored(update)
      at('after')
      await new Promise<void>(resolve => void scope.after(chance.next() * 2 * slowness(), resolve))
    },
  }
}
