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
import { createListeners, type Listeners } from './listeners.ts'
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
  const shelves = Object.values(collections).map(collection => createShelf(state, collection))
  changes.onUpdate(({ changed }) => {
    // Of what nobody has read nothing is to be kept up; and what opens may be all there is.
    for (const shelf of shelves)
      if (shelf.sorted !== null || (shelf.byId?.size ?? 0) > 0) refresh(shelf, changed)
  })
  return new Map(shelves.map(shelf => [shelf.collection.name, documentsOf(shelf)]))
}

/**
 * Once so many, and one of so many of the replica's rows, were asked for one by one, all are read: to read one alone takes
 * as long as to read a dozen together, and much longer where it has not been done often.
 */
const askedMin = 64
const askedShare = 64
/** Fewer than one of so many. */
const fewShare = 4

/** What is known of one collection: plain fields, as each change that comes goes through it (see the core's conversation.ts). */
interface Shelf {
  readonly state: ReplicaState
  readonly collection: Collection
  /** Of its keys. */
  readonly prefix: string
  /** By id, what was read so far; null while all of them are in `sorted` alone. */
  byId: Map<string, AnyDocument> | null
  /** All of them, once somebody asked for that. */
  sorted: AnyDocument[] | null
  /** How many were looked for in `sorted`. */
  searches: number
  readonly indexes: Map<string, ValueIndex>
  readonly listeners: Listeners<readonly DocumentChange[]>
}

function createShelf(state: ReplicaState, collection: Collection): Shelf {
  return {
    state,
    collection,
    prefix: `${collection.name}/`,
    byId: new Map(),
    sorted: null,
    searches: 0,
    indexes: new Map(),
    listeners: createListeners(),
  }
}

function documentsOf(shelf: Shelf): VisibleDocuments {
  const { collection, indexes, listeners } = shelf
  return {
    get(id) {
      expect(shelf, 1)
      const document = known(shelf, id)
      if (document !== undefined || shelf.sorted !== null) return document
      if (!areMostWanted(shelf)) return read(shelf, id, documentKey(collection.name, id))
      readAll(shelf)
      return known(shelf, id)
    },
    all: () => readAll(shelf),
    having(field, value) {
      let index = indexes.get(field)
      if (index === undefined) indexes.set(field, (index = createValueIndex(field, readAll(shelf))))
      return index.with(value)
    },
    onChange(listener) {
      readAll(shelf)
      return listeners.add(listener)
    },
  }
}

/** So many are looked for. To put all into a map takes as long as to search for each, and most of them nobody looks for. */
function expect(shelf: Shelf, count: number): void {
  const { byId, sorted } = shelf
  if (byId !== null || sorted === null) return
  shelf.searches += count
  if (shelf.searches > sorted.length) shelf.byId = mapById(sorted)
}

function known({ byId, sorted }: Shelf, id: string): AnyDocument | undefined {
  return byId === null ? findById(sorted ?? [], id) : byId.get(id)
}

function read(
  { byId, collection, state }: Shelf,
  id: string,
  key: DocumentKey,
  before?: AnyDocument,
): AnyDocument | undefined {
  const after = readDocument(collection, id, state.visible(key), before)
  if (after === before) return after
  if (after === undefined) byId?.delete(id)
  else byId?.set(id, after)
  return after
}

/** Who asks for so many one by one is told of the rest sooner if that is read at once. */
function areMostWanted({ byId, state }: Shelf): boolean {
  const asked = byId?.size ?? 0
  return asked >= askedMin && asked * askedShare >= state.size
}

function readAll(shelf: Shelf): readonly AnyDocument[] {
  if (shelf.sorted !== null) return shelf.sorted
  const { state, collection, prefix } = shelf
  const before = shelf.byId ?? new Map<string, AnyDocument>()
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
  const sorted = sortById(documents)
  // What was read before is kept up since then, and stays what it is.
  if (areFew) for (const document of before.values()) putInPlace(sorted, document)
  shelf.sorted = sorted
  shelf.byId = null
  shelf.searches = 0
  return sorted
}

/** Of keys of any collection. */
function refresh(shelf: Shelf, changed: ReadonlySet<DocumentKey>): void {
  const { prefix, indexes, listeners } = shelf
  const keys: DocumentKey[] = []
  for (const key of changed) if (key.startsWith(prefix)) keys.push(key)
  if (keys.length === 0) return
  const found: DocumentChange[] = []
  const removed: AnyDocument[] = []
  const added: AnyDocument[] = []
  if (listeners.isEmpty && keys.length > (shelf.sorted?.length ?? Infinity)) letGoOfList(shelf)
  expect(shelf, keys.length)
  for (const key of keys) {
    const id = key.slice(prefix.length)
    const before = known(shelf, id)
    if (before === undefined && shelf.sorted === null) continue
    const after = read(shelf, id, key, before)
    if (after === before) continue
    found.push({ before, after })
    if (before !== undefined) removed.push(before)
    if (after !== undefined) added.push(after)
  }
  if (found.length === 0) return
  if (shelf.sorted !== null) shelf.sorted = replaceSorted(shelf.sorted, removed, added, compareIds)
  if (indexes.size > 0) for (const index of indexes.values()) index.replace(removed, added)
  listeners.call(found)
}

/** What comes is more than what is here, and nobody waits for it: then it is read when somebody asks. */
function letGoOfList(shelf: Shelf): void {
  shelf.byId ??= mapById(shelf.sorted ?? [])
  shelf.sorted = null
  shelf.indexes.clear()
}

function mapById(documents: readonly AnyDocument[]): Map<string, AnyDocument> {
  const byId = new Map<string, AnyDocument>()
  for (const document of documents) byId.set(document.id, document)
  return byId
}
