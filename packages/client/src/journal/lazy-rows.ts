/** Rows over pages: encoded until they are touched, then kept decoded, so that one row is always one object. */
import type { DocumentKey, Row, RowMap } from '@rejoin/core'
import { keysOfPage, rowOfPage, type PageRecord } from './page.ts'
import { decodeStoredRow } from './stored.ts'

export interface LazyRows extends RowMap {
  /** Takes in a page's rows. Of a row that was there before, the page's stands: it was read later. */
  addPage(page: PageRecord): void
}

interface Encoded {
  readonly page: PageRecord
  readonly index: number
}

export function createLazyRows(): LazyRows {
  const rows = new Map<DocumentKey, Row | Encoded>()
  return {
    get size() {
      return rows.size
    },
    get(key) {
      const held = rows.get(key)
      if (held === undefined || !('page' in held)) return held
      const row = decodeStoredRow(rowOfPage(held.page, held.index))
      rows.set(key, row)
      return row
    },
    has: key => rows.has(key),
    set: (key, row) => void rows.set(key, row),
    delete: key => void rows.delete(key),
    keys: () => rows.keys(),
    addPage(page) {
      keysOfPage(page).forEach((key, index) => rows.set(key, { page, index }))
    },
  }
}
