/**
 * What an application does with the documents of a collection. Every call is synchronous: what it wrote is visible
 * when it returns, and it throws before anything is changed (SPEC W1, W3).
 */
import {
  documentKey,
  rowExists,
  type DocumentKey,
  type PartName,
  type ReplicaState,
  type Row,
} from '@rejoin/core'
import type { Changes } from './changes.ts'
import type {
  Collection,
  DocumentOf,
  Fields,
  InsertOf,
  PatchOf,
  TextDocumentOf,
  TextFieldOf,
  TextOf,
} from './collection.ts'
import { checkDocumentId, type Mint } from './document-id.ts'
import {
  createPackerOf,
  isDeleted,
  writeDeletion,
  writeInsert,
  writeRevival,
  writeUpdate,
  type WriteSite,
} from './document-writes.ts'
import type { Draft, Drafts } from './drafts.ts'
import { documentUnknown, unsupported } from './field-errors.ts'
import type { Live } from './live.ts'
import { createPendingDocuments } from './pending-documents.ts'
import { createLiveQuery, type LiveQuery } from './query/live-query.ts'
import type { QueryOptions } from './query/query-options.ts'
import type { TextHandle, Texts } from './texts.ts'
import { readDocument } from './read-document.ts'
import type { AnyDocument, VisibleDocuments } from './visible-documents.ts'
import type { Reachable, WriteHandle } from './write-handle.ts'

export interface InsertOptions {
  /** The application's own id: 1 to 256 bytes without control characters. Made by Rejoin if left out. */
  readonly id?: string | undefined
}

/** What can be done with a collection inside a transaction. */
export interface DocumentWriter<F extends Fields> {
  /**
   * Adds a document. Over a deletion that is seen here it revives it, with every field written anew (SPEC W5).
   * Throws `value-unsupported` for a wrong or undeclared field, and for an id that exists here (at path `id`): change
   * it by `update`. Two devices that insert one id without knowing of each other write one document, whose fields
   * join by their strategies. Throws `key-forbidden` for an id that cannot be one.
   */
  insert(input: InsertOf<F>, options?: InsertOptions): WriteHandle
  /** Changes fields. Throws `document-unknown` if it does not exist here, `value-unsupported` for a wrong or undeclared field. */
  update(id: string, patch: PatchOf<F>): WriteHandle
  /** Deletes it, under the collection's policy. Writes nothing if it is deleted. Throws `document-unknown` for one that never was here. */
  delete(id: string): WriteHandle
  /** Brings it back as it was. Writes nothing if it exists. Throws `document-unknown` if there is nothing to bring back. */
  undelete(id: string): WriteHandle
  /** The document as seen here, or undefined. */
  get(id: string): DocumentOf<F> | undefined
}

export interface CollectionHandle<Name extends string = string, F extends Fields = Fields>
  extends DocumentWriter<F> {
  readonly declaration: Collection<Name, F>
  /** A live query. It costs nothing until it is read or subscribed to, and nothing after its last subscriber went. */
  query(options?: QueryOptions<DocumentOf<F>>): LiveQuery<DocumentOf<F>>
  /** Ids of the documents that hold own writes, or something typed, that no relay has acknowledged. */
  readonly pending: Live<ReadonlySet<string>>
  /** Opens a text. Throws `document-unknown`, or `value-unsupported` if the field is no text. Close it when done. */
  text<K extends TextFieldOf<F>>(id: string, field: K): TextHandle<TextOf<F[K]>, TextDocumentOf<F[K]>>
}

/** What the handles of all collections of a replica share. */
export interface DocumentContext {
  readonly state: Pick<ReplicaState, 'outbox' | 'isPending' | 'lineageRevision'>
  readonly drafts: Drafts
  readonly changes: Changes
  readonly mint: Mint
  readonly texts: Texts
  readonly documents: ReadonlyMap<string, VisibleDocuments>
}

/** The handle of one collection. Its types are those of the declaration; inside, documents are records by name. */
export function createCollectionHandle<Name extends string, F extends Fields>(
  context: DocumentContext,
  declaration: Collection<Name, F>,
): CollectionHandle<Name, F> {
  const handle: AnyCollectionHandle = createAnyHandle(context, declaration)
  // The declaration's types say what the records of this untyped handle hold; nothing at run time could.
  return handle as unknown as CollectionHandle<Name, F>
}

type AnyRecord = Readonly<Record<string, unknown>>

interface AnyCollectionHandle {
  readonly declaration: Collection
  insert(input: AnyRecord, options?: InsertOptions): WriteHandle
  update(id: string, patch: AnyRecord): WriteHandle
  delete(id: string): WriteHandle
  undelete(id: string): WriteHandle
  get(id: string): AnyDocument | undefined
  query(options?: Parameters<typeof createLiveQuery>[3]): LiveQuery<AnyDocument>
  readonly pending: Live<ReadonlySet<string>>
  text(id: string, field: string): TextHandle
}

function createAnyHandle(context: DocumentContext, collection: Collection): AnyCollectionHandle {
  const { drafts, changes, mint, texts } = context
  const documents = context.documents.get(collection.name)
  if (documents === undefined)
    throw unsupported(collection.name, 'the replica was not opened with this collection')
  const readable = collection.parts.filter(({ field }) => field.strategy !== 'text').map(({ name }) => name)
  const fields: ReadonlySet<string> = new Set(['id', ...readable])
  const packer = createPackerOf(collection)

  function keyOf(id: string): DocumentKey {
    if (typeof id === 'string') return documentKey(collection.name, id)
    throw unsupported('id', 'an id is a string, such as the `id` of what an insert gave back')
  }

  /** Runs one call as one write, over the row that the call sees. */
  function change(id: string, make: (site: Omit<WriteSite, 'mark'>, draft: Draft) => void): WriteHandle {
    const key = keyOf(id)
    const { reached } = drafts.run(draft => make({ collection, key, seen: draft.row(key) }, draft))
    return { id, reached }
  }

  function replaceTexts(draft: Draft, key: DocumentKey, initials: ReadonlyMap<PartName, string>): void {
    for (const [part, initial] of initials)
      draft.afterwards((): Reachable => texts.replace(collection, key, part, initial))
  }

  function requireSeen(id: string, seen: Row | undefined): void {
    if (!rowExists(seen)) throw documentUnknown(collection, id)
  }

  return {
    declaration: collection,
    insert(input, options) {
      if (options !== undefined && (typeof options !== 'object' || options === null))
        throw unsupported('options', 'an id of your own is given as { id }')
      const own = options?.id
      if (own !== undefined) checkDocumentId(own)
      let id = own ?? ''
      const { reached } = drafts.run(draft => {
        const given = own === undefined ? undefined : keyOf(own)
        const seen = given === undefined ? undefined : draft.row(given)
        if (rowExists(seen)) throw unsupported('id', `${given} exists; change it by update`)
        const mark = draft.nextMark(seen)
        if (own === undefined) id = mint(mark.writer)
        const site = { collection, key: given ?? keyOf(id), seen, mark }
        const { write, textsToReplace } = writeInsert(site, input, packer)
        draft.add(write)
        if (textsToReplace !== null) replaceTexts(draft, write.key, textsToReplace)
      })
      return { id, reached }
    },
    update: (id, patch) =>
      change(id, (site, draft) => {
        requireSeen(id, site.seen)
        const { key, seen } = site
        const write = writeUpdate({ collection, key, seen, mark: draft.nextMark(seen) }, patch)
        if (write !== null) draft.add(write)
      }),
    delete: id =>
      change(id, (site, draft) => {
        if (isDeleted(site.seen)) return
        requireSeen(id, site.seen)
        draft.add(writeDeletion({ ...site, mark: draft.nextMark(site.seen) }, collection.onDelete))
      }),
    undelete: id =>
      change(id, (site, draft) => {
        if (isDeleted(site.seen)) draft.add(writeRevival({ ...site, mark: draft.nextMark(site.seen) }))
        else requireSeen(id, site.seen)
      }),
    // A transaction reads what it wrote; that is nobody else's to keep.
    get(id) {
      // What is no id is nobody's; under another kind of key it would be kept, and never brought up to date.
      if (typeof id !== 'string') return undefined
      const shown = documents.get(id)
      return drafts.isOpen() ? readDocument(collection, id, drafts.row(keyOf(id)), shown) : shown
    },
    pending: createPendingDocuments(context.state, changes, collection.name),
    query: (options = {}) => createLiveQuery(documents, changes, fields, options),
    text(id, field) {
      const declared = collection.parts.find(({ name }) => name === field)
      if (declared?.field.text === undefined) throw unsupported(field, `${collection.name} has no such text`)
      requireSeen(id, drafts.row(keyOf(id)))
      return texts.open(collection, keyOf(id), declared.part)
    },
  }
}
