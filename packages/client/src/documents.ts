/**
 * What an application does with the documents of a collection. Every call is synchronous: what it wrote is visible
 * when it returns, and it throws before anything is changed (SPEC W1, W3).
 */
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
import type { LiveQuery } from './query/live-query.ts'
import type { QueryOptions } from './query/query-options.ts'
import type { TextHandle } from './texts.ts'
import type { WriteHandle } from './write-handle.ts'

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
  /** Deletes it, under the collection's policy. Throws `document-unknown` if it does not exist here. */
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
  /** Opens a text. Throws `document-unknown`, or `value-unsupported` if the field is no text. Close it when done. */
  text<K extends TextFieldOf<F>>(id: string, field: K): TextHandle<TextOf<F[K]>, TextDocumentOf<F[K]>>
}
