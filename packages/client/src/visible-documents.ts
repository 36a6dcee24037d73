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
  /** Those that exist, in no order that means anything. */
  all(): Iterable<AnyDocument>
  /** At least those whose field equals a value, which is no object. From the second time on they are looked up. */
  having(field: string, value: unknown): Iterable<AnyDocument>
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
  for (const { name, part, field } of collection.parts) {
    if (field.strategy === 'text') continue
    const value = readField(row, part, field)
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
  changes.onUpdate(({ changed }) => {
    const idsByShelf = new Map<Shelf, string[]>()
    for (const key of changed) {
      const shelf = shelves.get(collectionOfKey(key))
      if (shelf === undefined) continue
      const ids = idsByShelf.get(shelf)
      if (ids === undefined) idsByShelf.set(shelf, [idOfKey(key)])
      else ids.push(idOfKey(key))
    }
    for (const [shelf, ids] of idsByShelf) shelf.refresh(ids)
  })
  return shelves
}

interface Shelf extends VisibleDocuments {
  refresh(ids: readonly string[]): void
}

function createShelf(state: ReplicaState, collection: Collection): Shelf {
  const documents = new Map<string, AnyDocument>()
  /** The rows that documents were read from: a row never changes, so neither does what it shows. */
  const rows = new Map<string, Row>()
  const listeners = new Set<(changes: readonly DocumentChange[]) => void>()
  const indexes = new Map<string, ValueIndex | 'asked'>()
  let complete = false

  function read(id: string): AnyDocument | undefined {
    const before = documents.get(id)
    const row = state.visible(documentKey(collection.name, id))
    if (before !== undefined && rows.get(id) === row) return before
    const after = readDocument(collection, id, row, before)
    if (after !== before)
      for (const index of indexes.values()) if (index !== 'asked') index.replace(before, after)
    if (after === undefined || row === undefined) {
      documents.delete(id)
      rows.delete(id)
      return undefined
    }
    rows.set(id, row)
    if (after !== before) documents.set(id, after)
    return after
  }

  function readAll(): void {
    if (complete) return
    for (const id of idsIn(state.keys(), collection.name)) read(id)
    complete = true
  }

  return {
    get: id => documents.get(id) ?? (complete ? undefined : read(id)),
    all() {
      readAll()
      return documents.values()
    },
    having(field, value) {
      readAll()
      let index = indexes.get(field)
      if (index === 'asked') indexes.set(field, (index = createValueIndex(field, documents.values())))
      if (index !== undefined) return index.with(value)
      // Who asks once pays for no index.
      indexes.set(field, 'asked')
      return documents.values()
    },
    onChange(listener) {
      readAll()
      const own: typeof listener = changes => listener(changes)
      listeners.add(own)
      return () => void listeners.delete(own)
    },
    refresh(ids) {
      const found: DocumentChange[] = []
      for (const id of ids) {
        const before = documents.get(id)
        if (before === undefined && !complete) continue
        const after = read(id)
        if (after !== before) found.push({ before, after })
      }
      if (found.length > 0) for (const listener of [...listeners]) listener(found)
    },
  }
}

function* idsIn(keys: Iterable<DocumentKey>, collection: string): Iterable<string> {
  const prefix = `${collection}/`
  for (const key of keys) if (key.startsWith(prefix)) yield idOfKey(key)
}
