/**
 * A page: up to 512 rows of the confirmed layer, each encoded by itself, with a directory beside them, so that opening
 * a replica decodes nothing: a row is decoded when it is touched, and copied as bytes when its page is rewritten.
 *
 * A page covers the keys from `lo` ('' for the first) up to the next page's. Pages split and are never put together:
 * who reads them in slices, while others rewrite them, then meets every row at least once.
 */
import { encodeRow, type DocumentKey, type Row } from '@rejoin/core'

export interface PageRecord {
  readonly lo: string
  /** The journal position up to which it was folded when it was last written. */
  readonly at: number
  /** All keys in one string, in order, and where each ends: one value to clone instead of hundreds. */
  readonly keys: string
  readonly keyEnds: Uint32Array
  /** The position at which each row was last written; negative for one that does not exist (a tombstone). */
  readonly positions: Float64Array
  readonly ends: Uint32Array
  readonly bytes: Uint8Array
}

export interface PageChange {
  readonly key: DocumentKey
  /** Undefined: the row is forgotten (SPEC D2). */
  readonly row: Row | undefined
}

/** Rows of a page after a split, and at most before it. */
const pageRows = 256

interface PageEntry {
  readonly key: DocumentKey
  readonly position: number
  readonly bytes: Uint8Array
}

export function keysOfPage(page: PageRecord): DocumentKey[] {
  const keys: DocumentKey[] = []
  let from = 0
  for (const end of page.keyEnds) {
    keys.push(page.keys.slice(from, end) as DocumentKey)
    from = end
  }
  return keys
}

/** The encoded bytes of the row at an index. */
export function rowOfPage(page: PageRecord, index: number): Uint8Array {
  return page.bytes.subarray(index === 0 ? 0 : page.ends[index - 1], page.ends[index])
}

/** What a page costs on disk, roughly. */
export function sizeOfPage(page: PageRecord | undefined): number {
  return page === undefined ? 0 : page.bytes.length + page.keys.length + 16 * page.ends.length
}

/** The page, or pages if it grew too large, with some rows replaced and the others as they were. `changes` in order. */
export function rewritePage(
  page: PageRecord | undefined,
  lo: string,
  at: number,
  changes: readonly PageChange[],
  exists: (row: Row) => boolean,
): readonly PageRecord[] {
  const entries: PageEntry[] = []
  const keys = page === undefined ? [] : keysOfPage(page)
  let next = 0
  for (const { key, row } of changes) {
    for (; page !== undefined && next < keys.length && (keys[next] ?? '') < key; next++) {
      entries.push(entryOfPage(page, keys, next))
    }
    if (keys[next] === key) next++
    if (row !== undefined) entries.push({ key, position: exists(row) ? at : -at, bytes: encodeRow(row) })
  }
  for (; page !== undefined && next < keys.length; next++) entries.push(entryOfPage(page, keys, next))
  const size = entries.length <= 2 * pageRows ? Math.max(1, entries.length) : pageRows
  const pages = [encodePage(lo, at, entries.slice(0, size))]
  for (let i = size; i < entries.length; i += size) {
    const piece = entries.slice(i, i + size)
    pages.push(encodePage(piece[0]?.key ?? lo, at, piece))
  }
  return pages
}

function entryOfPage(page: PageRecord, keys: readonly DocumentKey[], index: number): PageEntry {
  const key = keys[index] ?? ('' as DocumentKey)
  return { key, position: page.positions[index] ?? 0, bytes: rowOfPage(page, index) }
}

function encodePage(lo: string, at: number, entries: readonly PageEntry[]): PageRecord {
  const keyEnds = new Uint32Array(entries.length)
  const positions = new Float64Array(entries.length)
  const ends = new Uint32Array(entries.length)
  const bytes = new Uint8Array(entries.reduce((sum, entry) => sum + entry.bytes.length, 0))
  let keys = ''
  let end = 0
  entries.forEach((entry, i) => {
    keys += entry.key
    keyEnds[i] = keys.length
    positions[i] = entry.position
    bytes.set(entry.bytes, end)
    end += entry.bytes.length
    ends[i] = end
  })
  return { lo, at, keys, keyEnds, positions, ends, bytes }
}
