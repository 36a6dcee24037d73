/** Rows by key. The client's implementation keeps them encoded in pages and decodes a row when it is touched. */
import type { DocumentKey, Row } from './row.ts'

export interface RowMap {
  get(key: DocumentKey): Row | undefined
  has(key: DocumentKey): boolean
  set(key: DocumentKey, row: Row): void
  delete(key: DocumentKey): void
  /** Every key, in no order that means anything. */
  keys(): Iterable<DocumentKey>
  /** Every row, likewise. Thousands are gone through at once, so none is looked up by its key. */
  forEach(call: (row: Row, key: DocumentKey) => void): void
  readonly size: number
  /** Keys of rows that were found to be damaged when they were touched, and are there no more unless they were set since. */
  readonly damaged: ReadonlySet<DocumentKey>
}

const nothingDamaged: ReadonlySet<DocumentKey> = new Set()

/** A map itself, since a function around each of its own would be called for each row of thousands. */
export function createRowMap(): RowMap {
  return Object.assign(new Map<DocumentKey, Row>(), { damaged: nothingDamaged })
}
