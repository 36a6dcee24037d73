/**
 * Which documents of a collection hold own writes that no relay has acknowledged: what an application marks as not yet
 * sent, also after a reload, for writes and for what was typed alike.
 *
 * Read from the outbox. While somebody listens it is kept up: a change can add only documents that it touched, and an
 * acknowledgement, which changes no document, can only take away.
 */
import {
  collectionOfKey,
  documentKey,
  idOfKey,
  type DocumentKey,
  type Outbox,
  type ReplicaState,
} from '@rejoin/core'
import type { Changes } from './changes.ts'
import { createLive, type Live } from './live.ts'

/** Ids of the documents of a collection. */
export function createPendingDocuments(
  { outbox }: Pick<ReplicaState, 'outbox'>,
  changes: Changes,
  collection: string,
): Live<ReadonlySet<string>> {
  let kept: Set<string> | null = null

  function work(changed: ReadonlySet<DocumentKey>): void {
    if (kept === null) return
    for (const id of kept) if (!isPending(outbox, documentKey(collection, id))) kept.delete(id)
    for (const key of changed) {
      if (collectionOfKey(key) === collection && isPending(outbox, key)) kept.add(idOfKey(key))
    }
  }

  return createLive<ReadonlySet<string>>(changes, {
    read(previous) {
      const found = kept ?? collect(outbox, collection)
      return previous !== undefined && isSameSet(previous, found) ? previous : new Set(found)
    },
    open() {
      kept = collect(outbox, collection)
      const stop = changes.onUpdate(({ changed }) => work(changed))
      return () => {
        stop()
        kept = null
      }
    },
  })
}

function collect(outbox: Outbox, collection: string): Set<string> {
  const ids = new Set<string>()
  for (const { transaction, acks } of outbox.entries()) {
    if (acks.size > 0) continue
    for (const { key } of transaction.writes) if (collectionOfKey(key) === collection) ids.add(idOfKey(key))
  }
  return ids
}

function isPending(outbox: Outbox, key: DocumentKey): boolean {
  return outbox.idsOf(key).some(id => outbox.get(id)?.acks.size === 0)
}

function isSameSet(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  if (a.size !== b.size) return false
  for (const id of a) if (!b.has(id)) return false
  return true
}
