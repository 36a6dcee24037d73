/**
 * Documents as readers see them: rows read through the fields of their collection.
 *
 * A document is immutable, and the same object for as long as it shows the same, whatever was joined into its row. Rows
 * are read when somebody asks for them; a whole collection is read with its first query, or once much of it was asked for,
 * and kept up from then on, unless nobody listens and more comes than there was.
 */
import { documentKey, type DocumentKey, type ReplicaState } from '@rejoin/core'
import type { Changes } from './changes.ts'
import type { Collection, Collections } from './collection.ts'
import { compareIds } from './query/document-order.ts'
import { findById, putInPlace, replaceSorted, sortById } from './query/sorted-documents.ts'
import { createValueIndex, type ValueIndex } from './query/value-index.ts'
import { readDocument } from './read-document.ts'

/** A document without its type: `id`, and every field but texts. */
export interface AnyDocument {
  readonly id: string
  readonly [field: string]: unknown
}

export interface DocumentChange {
  readonly before: AnyDocument | undefined
  readonly after: AnyDocument | undefined
}

/** The documents of one collection. */
export interface VisibleDocuments {
  get(id: string): AnyDocument | undefined
  /** Those that exist, in the order of ids: as they are now, and not to be changed. */
  all(): readonly AnyDocument[]
  /** Those whose field equals a value, which is no object; likewise. They are looked up. */
  having(field: string, value: unknown): readonly AnyDocument[]
  /** Calls back with what one change of the state changed here. Reads the whole collection. Returns how to stop. */
  onChange(listener: (changes: readonly DocumentChange[]) => void): () => void
}

/** By the name of the collection. */
export function createVisibleDocuments(
  state: ReplicaState,
  collections: Collections,
  changes: Changes,
): ReadonlyMap<string, VisibleDocuments> {
  const shelves = new Map(
    Object.values(collections).map(collection => [collection.name, createShelf(state, collection)]),
  )
  const all = [...shelves.values()]
  changes.onUpdate(({ changed }) => {
    // Of what nobody has read nothing is to be kept up; and what opens may be all there is.
    for (const shelf of all) if (shelf.isRead) shelf.refresh(changed)
  })
  return shelves
}

/** Once so many, and one of so many of the replica's rows, were asked for one by one, all are read. */
const askedMin = 256
const askedShare = 16
/** Fewer than one of so many. */
const fewShare = 4

interface Shelf extends VisibleDocuments {
  /** Whether anything of it was asked for. */
  readonly isRead: boolean
  /** Of keys of any collection. */
  refresh(changed: ReadonlySet<DocumentKey>): void
}

function createShelf(state: ReplicaState, collection: Collection): Shelf {
  const prefix = `${collection.name}/`
  /** By id, what was read so far; null while all of them are in `sorted` alone. */
  let byId: Map<string, AnyDocument> | null = new Map()
  /** All of them, once somebody asked for that. */
  let sorted: AnyDocument[] | null = null
  const listeners = new Set<(changes: readonly DocumentChange[]) => void>()
  const indexes = new Map<string, ValueIndex>()
  /** How many were looked for in `sorted`. */
  let searches = 0

  /** So many are looked for. To put all into a map takes as long as to search for each, and most of them nobody looks for. */
  function expect(count: number): void {
    if (byId !== null || sorted === null) return
    searches += count
    if (searches > sorted.length) byId = mapById(sorted)
  }

  function known(id: string): AnyDocument | undefined {
    return byId === null ? findById(sorted ?? [], id) : byId.get(id)
  }

  function read(id: string, key: DocumentKey, before?: AnyDocument): AnyDocument | undefined {
    const after = readDocument(collection, id, state.visible(key), before)
    if (after === before) return after
    if (after === undefined) byId?.delete(id)
    else byId?.set(id, after)
    return after
  }

  /** Who asks for so many one by one is told of the rest sooner if that is read at once. */
  function areMostWanted(): boolean {
    const asked = byId?.size ?? 0
    return asked >= askedMin && asked * askedShare >= state.size
  }

  function all(): readonly AnyDocument[] {
    if (sorted !== null) return sorted
    const before = byId ?? new Map<string, AnyDocument>()
    // To look for each in what was read before takes longer than to read a few of them again.
    const areFew = before.size * fewShare < state.size
    const documents: AnyDocument[] = []
    state.forEachVisible((row, key) => {
      if (!key.startsWith(prefix)) return
      const id = key.slice(prefix.length)
      const known = areFew ? undefined : before.get(id)
      const document = known ?? readDocument(collection, id, row, undefined, true)
      if (document !== undefined) documents.push(document)
    })
    sorted = sortById(documents)
    // What was read before is kept up since then, and stays what it is.
    if (areFew) for (const document of before.values()) putInPlace(sorted, document)
    byId = null
    searches = 0
    return sorted
  }

  /** What comes is more than what is here, and nobody waits for it: then it is read when somebody asks. */
  function letGoOfList(documents: readonly AnyDocument[]): void {
    byId ??= mapById(documents)
    sorted = null
    indexes.clear()
  }

  return {
    get isRead() {
      return sorted !== null || (byId?.size ?? 0) > 0
    },
    get(id) {
      expect(1)
      const document = known(id)
      if (document !== undefined || sorted !== null) return document
      if (!areMostWanted()) return read(id, documentKey(collection.name, id))
      all()
      return known(id)
    },
    all,
    having(field, value) {
      let index = indexes.get(field)
      if (index === undefined) indexes.set(field, (index = createValueIndex(field, all())))
      return index.with(value)
    },
    onChange(listener) {
      all()
      const own: typeof listener = changes => listener(changes)
      listeners.add(own)
      return () => void listeners.delete(own)
    },
    refresh(changed) {
      const keys: DocumentKey[] = []
      for (const key of changed) if (key.startsWith(prefix)) keys.push(key)
      if (keys.length === 0) return
      const found: DocumentChange[] = []
      const removed: AnyDocument[] = []
      const added: AnyDocument[] = []
      if (sorted !== null && listeners.size === 0 && keys.length > sorted.length) letGoOfList(sorted)
      expect(keys.length)
      for (const key of keys) {
        const id = key.slice(prefix.length)
        const before = known(id)
        if (before === undefined && sorted === null) continue
        const after = read(id, key, before)
        if (after === before) continue
        found.push({ before, after })
        if (before !== undefined) removed.push(before)
        if (after !== undefined) added.push(after)
      }
      if (found.length === 0) return
      if (sorted !== null) sorted = replaceSorted(sorted, removed, added, compareIds)
      for (const index of indexes.values()) index.replace(removed, added)
      for (const listener of [...listeners]) listener(found)
    },
  }
}

function mapById(documents: readonly AnyDocument[]): Map<string, AnyDocument> {
  const byId = new Map<string, AnyDocument>()
  for (const document of documents) byId.set(document.id, document)
  return byId
}
