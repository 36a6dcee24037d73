/**
 * Rows: a document as the core holds it, a cell for each field and strategy, perhaps a deletion and a revival.
 *
 * A row is a lattice that is complete in itself: to join two copies you need the two copies and nothing else.
 * A delta (what one write changes) is a row too. Rows are immutable; a join that adds nothing returns its
 * first argument, so "would joining change it?" (SPEC A4) is a comparison of references.
 */
import { joinCells, lastOfCell, seenCovers, strategies, type Cell, type Strategy } from './cells/cell.ts'
import { joinDeletions, type Deletion } from './deletion.ts'
import { copyListed, keysOf, ListedMap, valuesOf } from './listed-map.ts'
import { compareMarks, greaterMark, type Mark, type WriterId } from './mark.ts'
import { PackedCells } from './packed-cells.ts'

/** `collection/id`. A collection's name has no slash, so the first one parts them. */
export type DocumentKey = string & { readonly brand: 'DocumentKey' }

/** `strategy:field`: a field under one strategy. Changing a field's strategy makes another part. */
export type PartName = string & { readonly brand: 'PartName' }

export interface Row {
  readonly cells: ReadonlyMap<PartName, Cell>
  readonly deletion: Deletion | null
  readonly revival: Mark | null
}

export const emptyRow: Row = { cells: new Map(), deletion: null, revival: null }

export function documentKey(collection: string, id: string): DocumentKey {
  return `${collection}/${id}` as DocumentKey
}

export function collectionOfKey(key: DocumentKey): string {
  return key.slice(0, key.indexOf('/'))
}

export function idOfKey(key: DocumentKey): string {
  return key.slice(key.indexOf('/') + 1)
}

export function partName(strategy: Strategy, field: string): PartName {
  return `${strategy}:${field}` as PartName
}

export function fieldOfPart(name: PartName): string {
  return name.slice(name.indexOf(':') + 1)
}

/** As `strategyOfPart(name) === strategy`, without a string of its own. */
export function hasStrategy(name: PartName, strategy: Strategy): boolean {
  return name.startsWith(strategy) && name.charCodeAt(strategy.length) === colon
}

const colon = 58

export function strategyOfPart(name: PartName): Strategy {
  const strategy = name.slice(0, name.indexOf(':'))
  return strategies.find(known => known === strategy) ?? 'lww'
}

/** Joins a row or a delta into a row. Returns `a` itself if `b` adds nothing. */
export function joinRows(a: Row, b: Row): Row {
  if (a === b) return a
  // As of all that is new: one that brings cells shows in one look that it is not empty.
  if (a === emptyRow) return b.cells.size === 0 && isEmptyRow(b) ? a : b
  let news: ListedMap<PartName, Cell> | null = null
  const names = keysOf(b.cells)
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as PartName
    const joined = newCell(a.cells, b.cells, name)
    if (joined === null) continue
    news ??= a.cells instanceof PackedCells ? new ListedMap<PartName, Cell>([], []) : copyListed(a.cells)
    news.set(name, joined)
  }
  const cells = news !== null && a.cells instanceof PackedCells ? a.cells.decoded(news) : news
  const deletion =
    b.deletion === null
      ? a.deletion
      : a.deletion === null
        ? b.deletion
        : joinDeletions(a.deletion, b.deletion)
  const revival = greaterMark(a.revival, b.revival)
  if (cells === null && deletion === a.deletion && revival === a.revival) return a
  return { cells: cells ?? a.cells, deletion, revival }
}

type Cells = Row['cells']

/** What a part is after a join, or null if it is as it was. Of cells that lie encoded only what stands is decoded. */
function newCell(a: Cells, b: Cells, name: PartName): Cell | null {
  if (a instanceof PackedCells || b instanceof PackedCells) {
    const [mine, theirs] = [lastOfLww(a, name), lastOfLww(b, name)]
    const order = mine === null || theirs === null ? 0 : compareMarks(theirs, mine)
    if (order !== 0) return order > 0 ? (b.get(name) ?? null) : null
  }
  const mine = a.get(name)
  const theirs = b.get(name)
  if (theirs === undefined) return null
  const joined = mine === undefined ? theirs : joinCells(mine, theirs)
  return joined === mine ? null : joined
}

/** The mark of an `lww` cell, which is not decoded for that; null if there is none. */
export function lastOfLww(cells: Row['cells'], name: PartName): Mark | null {
  if (cells instanceof PackedCells) return cells.lastOfLww(name)
  const cell = cells.get(name)
  return cell?.strategy === 'lww' ? cell.last : null
}

function isEmptyRow(row: Row): boolean {
  return row.cells.size === 0 && row.deletion === null && row.revival === null
}

/**
 * A row shows a write if joining the write would not change it (SPEC A4). It is seldom so, and asked of every write, so
 * nothing is joined to find out.
 */
export function showsDelta(row: Row | undefined, delta: Row): boolean {
  if (row === undefined) return false
  if (row === delta) return true
  const names = keysOf(delta.cells)
  for (let i = 0; i < names.length; i++)
    if (newCell(row.cells, delta.cells, names[i] as PartName) !== null) return false
  if (greaterMark(row.revival, delta.revival) !== row.revival) return false
  if (delta.deletion === null) return true
  return row.deletion !== null && joinDeletions(row.deletion, delta.deletion) === row.deletion
}

/** Whether readers see the row. */
export function rowExists(row: Row | undefined): boolean {
  if (row === undefined) return false
  const { deletion } = row
  if (deletion === null) return row.cells.size > 0 || row.revival !== null
  if (isRevived(row, deletion)) return true
  return deletion.policy !== 'delete-wins' && hasUnseenWrites(row, deletion)
}

/** A document that was deleted and, unseen, edited, under the policy `ask`: a person decides. */
export function isDeletionDisputed(row: Row): boolean {
  const { deletion } = row
  if (deletion === null || deletion.policy !== 'ask') return false
  return !isRevived(row, deletion) && hasUnseenWrites(row, deletion)
}

function isRevived(row: Row, deletion: Deletion): boolean {
  return row.revival !== null && compareMarks(row.revival, deletion.mark) >= 0
}

function hasUnseenWrites(row: Row, deletion: Deletion): boolean {
  for (const [name, cell] of row.cells) if (!seenCovers(deletion.seen.get(name), cell)) return true
  return false
}

/** The greatest mark that a row bears: of its cells, its deletion, its revival. Null for the empty row. */
export function lastOfRow(row: Row | undefined): Mark | null {
  if (row === undefined) return null
  let last = greaterMark(row.revival, row.deletion?.mark ?? null)
  if (row.cells instanceof PackedCells) return greaterMark(last, row.cells.last)
  const cells = valuesOf(row.cells)
  for (let i = 0; i < cells.length; i++) last = greaterMark(last, lastOfCell(cells[i] as Cell))
  return last
}

/**
 * The greatest mark that any of these bears, but for those of one writer. What lies in the same columns is looked through
 * once for all rows that do, those of the same columns that are not among these too.
 */
export function lastOfOthers(deltas: readonly { readonly delta: Row }[], own: WriterId | null): Mark | null {
  let last: Mark | null = null
  let known: PackedCells['open'] | null = null
  for (let i = 0; i < deltas.length; i++) {
    const { delta } = deltas[i] as (typeof deltas)[number]
    const { cells, deletion, revival } = delta
    if (!(cells instanceof PackedCells) || deletion !== null) {
      last = greatestOfOthers([lastOfRow(delta)], own, last)
      continue
    }
    const { open, index } = cells
    if (open !== known) last = greatestOfOthers((known = open).marks, own, last)
    // What a document that came whole was made by is as a rule the mark of its cells.
    if (revival !== null && revival !== open.marks[index]) last = greatestOfOthers([revival], own, last)
  }
  return last
}

function greatestOfOthers(
  marks: readonly (Mark | null)[],
  own: WriterId | null,
  before: Mark | null,
): Mark | null {
  let last = before
  // From the end, where the greatest is, as a rule: of most others it shows in one look that they are not.
  for (let i = marks.length - 1; i >= 0; i--) {
    const mark = marks[i] ?? null
    if (mark === null || mark.writer === own) continue
    if (last === null || (mark.ms >= last.ms && compareMarks(mark, last) > 0)) last = mark
  }
  return last
}

/** How many parts a row has: its cells, and one each for a deletion and a revival. */
export function countParts(row: Row): number {
  return row.cells.size + (row.deletion === null ? 0 : 1) + (row.revival === null ? 0 : 1)
}
