/** Rows by key. The client's implementation keeps them encoded in pages and decodes a row when it is touched. */
import type { DocumentKey, Row } from './row.ts'

export interface RowMap {
  get(key: DocumentKey): Row | undefined
  has(key: DocumentKey): boolean
  set(key: DocumentKey, row: Row): void
  delete(key: DocumentKey): void
  /** Every key, in no order that means anything. */
  keys(): Iterable<DocumentKey>
  readonly size: number
}

export function createRowMap(): RowMap {
  const rows = new Map<DocumentKey, Row>()
  return {
    get: key => rows.get(key),
    has: key => rows.has(key),
    set: (key, row) => void rows.set(key, row),
    delete: key => void rows.delete(key),
    keys: () => rows.keys(),
    get size() {
      return rows.size
    },
  }
}
