/** Rows over pages: encoded until they are touched, then kept decoded, so that one row is always one object. */
import { withMethods, type DocumentKey, type Row, type RowMap } from '@rejoin/core'
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

/** `onDamaged`: of a row the bytes cannot be read; it is as if there were none. */
export function createLazyRows(onDamaged: (key: DocumentKey) => void = () => {}): LazyRows {
  const rows = new Map<DocumentKey, Row | Encoded>()
  const damaged = new Set<DocumentKey>()

  function touch(key: DocumentKey, held: Row | Encoded | undefined): Row | undefined {
    if (held === undefined || !('page' in held)) return held
    const row = decodeStoredRow(rowOfPage(held.page, held.index))
    if (row !== undefined) rows.set(key, row)
    else {
      rows.delete(key)
      damaged.add(key)
      onDamaged(key)
    }
    return row
  }

  const lazyRows: Omit<LazyRows, 'size'> & Held = {
    rows,
    get: key => touch(key, rows.get(key)),
    has: key => rows.has(key),
    set: (key, row) => void rows.set(key, row),
    delete: key => void rows.delete(key),
    keys: () => rows.keys(),
    forEach(call) {
      rows.forEach((held, key) => {
        const row = touch(key, held)
        if (row !== undefined) call(row, key)
      })
    },
    damaged,
    addPage(page) {
      keysOfPage(page).forEach((key, index) => rows.set(key, { page, index }))
    },
  }
  return withMethods(lazyRows, sizeOfRows)
}

interface Held {
  readonly rows: ReadonlyMap<DocumentKey, Row | Encoded>
}

const sizeOfRows: Pick<LazyRows, 'size'> & ThisType<Held> = {
  get size() {
    return this.rows.size
  },
}
