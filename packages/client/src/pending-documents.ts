/**
 * Which documents of a collection hold own writes that are not yet where they are wanted: what an application marks as not yet
 * sent, also after a reload, for writes and for what was typed alike.
 *
 * Read from the outbox. While somebody listens it is kept up: a change can add only documents that it touched, and an
 * acknowledgement, which changes no document, can only take away. But what decides which acknowledgements count, and how
 * many are wanted, touches no document either; after that it is read anew.
 */
import { collectionOfKey, documentKey, idOfKey, type DocumentKey, type ReplicaState } from '@rejoin/core'
import type { Changes } from './changes.ts'
import { createLive, type Live } from './live.ts'

/** Ids of the documents of a collection. */
export function createPendingDocuments(
  state: Pending,
  changes: Changes,
  collection: string,
): Live<ReadonlySet<string>> {
  let kept: Set<string> | null = null
  let revision = state.lineageRevision

  function work(changed: ReadonlySet<DocumentKey>): void {
    if (kept === null) return
    if (revision !== state.lineageRevision) return void (kept = collectAnew())
    for (const id of kept) if (!isPending(state, documentKey(collection, id))) kept.delete(id)
    for (const key of changed) {
      if (collectionOfKey(key) === collection && isPending(state, key)) kept.add(idOfKey(key))
    }
  }

  function collectAnew(): Set<string> {
    revision = state.lineageRevision
    return collect(state, collection)
  }

  return createLive<ReadonlySet<string>>(changes, {
    read(previous) {
      const found = kept ?? collect(state, collection)
      return previous !== undefined && isSameSet(previous, found) ? previous : new Set(found)
    },
    open() {
      kept = collectAnew()
      const stop = changes.onUpdate(({ changed }) => work(changed))
      return () => {
        stop()
        kept = null
      }
    },
  })
}

type Pending = Pick<ReplicaState, 'outbox' | 'isPending' | 'lineageRevision'>

function collect({ outbox, isPending }: Pending, collection: string): Set<string> {
  const ids = new Set<string>()
  for (const entry of outbox.entries()) {
    if (!isPending(entry)) continue
    for (const { key } of entry.transaction.writes)
      if (collectionOfKey(key) === collection) ids.add(idOfKey(key))
  }
  return ids
}

function isPending({ outbox, isPending }: Pending, key: DocumentKey): boolean {
  return outbox.idsOf(key).some(id => {
    const entry = outbox.get(id)
    return entry !== undefined && isPending(entry)
  })
}

function isSameSet(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  if (a.size !== b.size) return false
  for (const id of a) if (!b.has(id)) return false
  return true
}
