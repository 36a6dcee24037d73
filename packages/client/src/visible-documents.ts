/**
 * Documents as readers see them: rows read through the fields of their collection.
 *
 * A document is immutable, and the same object for as long as it shows the same, whatever was joined into its row. Rows
 * are read when somebody asks for them; a whole collection is read with its first query, and kept up from then on.
 */
import {
  collectionOfKey,
  documentKey,
  idOfKey,
  readField,
  rowExists,
  type DocumentKey,
  type ReplicaState,
  type Row,
} from '@rejoin/core'
import type { Changes } from './changes.ts'
import type { Collection, Collections } from './collection.ts'
import { compareIds } from './query/document-order.ts'
import { replaceSorted } from './query/sorted-documents.ts'
import { createValueIndex, type ValueIndex } from './query/value-index.ts'
import { freezeValue, isSameValue } from './shown-value.ts'

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

/** The row of a document as its readers see it, or undefined if it does not exist. */
export function readDocument(
  collection: Collection,
  id: string,
  row: Row | undefined,
  previous?: AnyDocument,
): AnyDocument | undefined {
  if (row === undefined || !rowExists(row)) return undefined
  const document: Record<string, unknown> & { id: string } = { id }
  let same = previous !== undefined
  const { parts } = collection
  // By number, since iterating makes an object a step, for each field of thousands of documents.
  for (let i = 0; i < parts.length; i++) {
    const declared = parts[i]
    if (declared === undefined || declared.field.strategy === 'text') continue
    const { name } = declared
    const value = readField(row, declared.part, declared.field)
    const kept = previous !== undefined && isSameValue(previous[name], value)
    if (!kept) freezeValue(value)
    document[name] = kept ? previous[name] : value
    same &&= kept
  }
  return same ? previous : Object.freeze(document)
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
    if (!all.some(isReadShelf)) return
    const keysByShelf = new Map<Shelf, DocumentKey[]>()
    for (const key of changed) {
      const shelf = shelves.get(collectionOfKey(key))
      if (shelf?.isRead !== true) continue
      const keys = keysByShelf.get(shelf)
      if (keys === undefined) keysByShelf.set(shelf, [key])
      else keys.push(key)
    }
    for (const [shelf, keys] of keysByShelf) shelf.refresh(keys)
  })
  return shelves
}

function isReadShelf({ isRead }: Shelf): boolean {
  return isRead
}

interface Shelf extends VisibleDocuments {
  /** Whether anything of it was asked for. */
  readonly isRead: boolean
  refresh(keys: readonly DocumentKey[]): void
}

function createShelf(state: ReplicaState, collection: Collection): Shelf {
  /** By id, and nothing beside: thousands are looked up by it. */
  const shown = new Map<string, AnyDocument>()
  const listeners = new Set<(changes: readonly DocumentChange[]) => void>()
  const indexes = new Map<string, ValueIndex>()
  /** All of them, once somebody asked for that. */
  let sorted: AnyDocument[] | null = null

  function read(id: string, key: DocumentKey): AnyDocument | undefined {
    const before = shown.get(id)
    const after = readDocument(collection, id, state.visible(key), before)
    if (after === undefined) shown.delete(id)
    else if (after !== before) shown.set(id, after)
    return after
  }

  function all(): readonly AnyDocument[] {
    if (sorted !== null) return sorted
    const prefix = `${collection.name}/`
    const documents: AnyDocument[] = []
    for (const key of state.keys()) {
      if (!key.startsWith(prefix)) continue
      const document = read(key.slice(prefix.length), key)
      if (document !== undefined) documents.push(document)
    }
    return (sorted = documents.sort(compareIds))
  }

  return {
    get isRead() {
      return sorted !== null || shown.size > 0
    },
    get: id => shown.get(id) ?? (sorted === null ? read(id, documentKey(collection.name, id)) : undefined),
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
    refresh(keys) {
      const found: DocumentChange[] = []
      const removed: AnyDocument[] = []
      const added: AnyDocument[] = []
      for (const key of keys) {
        const id = idOfKey(key)
        const before = shown.get(id)
        if (before === undefined && sorted === null) continue
        const after = read(id, key)
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
