/**
 * What is another in a row than before, and the row that this makes of the one before: parts as they stand now, not what
 * was joined into them, so that the log says exactly what would be in the table.
 */
import { countParts, pick, type FeedPart, type HeldRow, type Row } from '@rejoin/core'

/** Null if that is not all: a row with texts, or one that a commit does not make of this one. */
export function changeOf(before: HeldRow, after: HeldRow): Row | null {
  const { row, position, positions } = after
  if (before.texts.size + after.texts.size > 0 || position <= before.position) return null
  if (!hasAllPositions(before) || !hasAllPositions(after)) return null
  const cells = pick(
    row.cells,
    (name, cell) => cell !== before.row.cells.get(name) || positions.get(name) !== before.positions.get(name),
  )
  let [areNew, kept] = [true, 0]
  cells.forEach((_, name) => (areNew &&= positions.get(name) === position))
  row.cells.forEach((_, name) => (kept += before.row.cells.has(name) ? 1 : 0))
  if (!areNew || kept < before.row.cells.size) return null
  const deletion = besideOf(before, after, 'deletion')
  const revival = besideOf(before, after, 'revival')
  return deletion === undefined || revival === undefined ? null : { cells, deletion, revival }
}

/** The row that a change makes of this one, at a position. */
export function changedBy(before: HeldRow, { cells, deletion, revival }: Row, position: number): HeldRow {
  const positions = new Map<FeedPart, number>(before.positions)
  for (const name of cells.keys()) positions.set(name, position)
  if (deletion !== null) positions.set('deletion', position)
  if (revival !== null) positions.set('revival', position)
  const row = {
    cells: new Map([...before.row.cells, ...cells]),
    deletion: deletion ?? before.row.deletion,
    revival: revival ?? before.row.revival,
  }
  return { row, position, positions, texts: before.texts }
}

function hasAllPositions({ row, positions }: HeldRow): boolean {
  return positions.size === countParts(row)
}

/** A part that is no cell, if it changed, else null; undefined if it went, or changed at another position. */
function besideOf<Part extends 'deletion' | 'revival'>(
  before: HeldRow,
  after: HeldRow,
  part: Part,
): Row[Part] | undefined {
  const now = after.row[part]
  const at = after.positions.get(part)
  if (now === before.row[part] && at === before.positions.get(part)) return null
  return now !== null && at === after.position ? now : undefined
}
