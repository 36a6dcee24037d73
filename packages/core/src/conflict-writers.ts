/** Who wrote what people have to decide between, as a row tells it (SPEC K3). */
import { lastOfCell, seenCovers } from './cells/cell.ts'
import { greaterMark, type Mark, type WriterId } from './mark.ts'
import { hasStrategy, isDeletionDisputed, type Row } from './row.ts'

/** Of a disputed deletion: who deleted, and the last edit that the deletion had not seen. Null if it is none. */
export function disputeOf(row: Row): { readonly deleted: Mark; readonly edited: Mark } | null {
  const { deletion } = row
  if (deletion === null || !isDeletionDisputed(row)) return null
  let edited: Mark | null = null
  for (const [part, cell] of row.cells)
    if (!seenCovers(deletion.seen.get(part), cell)) edited = greaterMark(edited, lastOfCell(cell))
  return edited === null ? null : { deleted: deletion.mark, edited }
}

/** What has none, and was never deleted, is in no conflict. */
export function hasAskedCells(cells: Row['cells']): boolean {
  for (const part of cells.keys()) if (hasStrategy(part, 'ask')) return true
  return false
}

export function writersInConflict(row: Row): readonly WriterId[] {
  const writers: WriterId[] = []
  // By name, since cells that lie encoded are decoded to be looked at.
  for (const part of row.cells.keys()) {
    if (!hasStrategy(part, 'ask')) continue
    const cell = row.cells.get(part)
    if (cell?.strategy !== 'ask' || cell.siblings.length < 2) continue
    for (const { mark } of cell.siblings) writers.push(mark.writer)
  }
  const dispute = disputeOf(row)
  if (dispute !== null) writers.push(dispute.deleted.writer, dispute.edited.writer)
  return writers
}
