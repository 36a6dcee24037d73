/**
 * The parts of rows, on their way out: field by field, all rows of a shape. First the marks of all, as differences from
 * those of their rows; then how long each content is; then the contents.
 */
import { lastOfCell } from '../cells/cell.ts'
import { assert } from '../errors.ts'
import type { Mark } from '../mark.ts'
import { PackedCells, type PackedColumn } from '../packed-cells.ts'
import type { FeedPart } from '../relay-store.ts'
import { hasStrategy, type Row } from '../row.ts'
import type { WrittenRow } from './batch.ts'
import { addToColumn, openColumn, writeOpenColumn } from './columns.ts'
import { addContent, addPacked, createContents, writeContents, type Contents } from './content-columns.ts'
import { writeCellContent, writeDeletionContent } from './contents.ts'
import type { Dictionary } from './dictionary.ts'
import { writeKnownMarks, writeMarks } from './mark-columns.ts'
import type { Run, WrittenShape } from './shapes.ts'
import { createWriter, finishWriting, type Writer } from './writer.ts'

export function writeParts(
  writer: Writer,
  dictionary: Dictionary,
  rows: readonly WrittenRow[],
  shapes: readonly WrittenShape[],
  isStored: boolean,
): void {
  const heads = openColumn()
  const all: Contents[] = []
  let areKnown = true
  let count = 0
  for (const shape of shapes) {
    areKnown &&= shape.areKnown
    count += shape.parts.length * shape.rows.length
    for (const part of shape.parts) {
      if (part === 'revival') {
        addToColumn(heads, 0, shape.rows.length)
        continue
      }
      const contents = createContents()
      all.push(contents)
      for (const run of shape.runs) {
        const column = columnOf(run, part)
        if (column !== null) {
          addPacked(contents, heads, column, run.index, run.count)
          continue
        }
        for (let i = run.start; i < run.start + run.count; i++) {
          const { delta, mark } = rows[shape.rows[i] ?? 0] ?? missing()
          addContent(contents, heads, contentOfPart(dictionary, shape.collection, delta, part) ?? missing())
          areKnown &&= mark !== null && mark === markOfPart(delta, part)
        }
      }
    }
  }
  if (areKnown) writeKnownMarks(writer, count)
  else writeMarksOfParts(writer, dictionary, rows, shapes)
  writeOpenColumn(writer, heads)
  for (const contents of all) writeContents(writer, contents, isStored)
}

/** Where the values of a run lie; null if they lie apart. */
function columnOf({ cells }: Run, part: FeedPart): PackedColumn | null {
  if (cells === null || part === 'deletion' || part === 'revival') return null
  const column = cells.columns.byPart.get(part)
  return column?.cells === null ? column : null
}

function writeMarksOfParts(
  writer: Writer,
  dictionary: Dictionary,
  rows: readonly WrittenRow[],
  shapes: readonly WrittenShape[],
): void {
  const marks: (Mark | null)[] = []
  const known: (Mark | null)[] = []
  const steps: boolean[] = []
  for (const shape of shapes) {
    for (const part of shape.parts) {
      for (const index of shape.rows) {
        const { delta, mark } = rows[index] ?? missing()
        marks.push(markOfPart(delta, part))
        known.push(mark)
        steps.push(part === 'revival')
      }
    }
  }
  writeMarks(writer, dictionary, marks, known, steps)
}

function missing(): never {
  throw new Error('invariant broken: a shape names rows of its batch')
}

export function markOfPart({ cells, deletion, revival }: Row, part: FeedPart | ''): Mark | null {
  if (part === 'deletion') return deletion?.mark ?? null
  if (part === 'revival') return revival
  if (part === '') return null
  const last = cells instanceof PackedCells ? cells.lastOfLww(part) : null
  if (last !== null) return last
  const cell = cells.get(part)
  return cell === undefined ? null : lastOfCell(cell)
}

/** Everything of a part but its mark; null of a revival, which is nothing else. */
export function contentOfPart(
  dictionary: Dictionary,
  collection: string,
  row: Row,
  part: FeedPart | '',
): Uint8Array | null {
  if (part === 'revival' || part === '') return null
  if (part === 'deletion') {
    assert(row.deletion !== null, 'a shape names parts of its rows')
    const writer = createWriter()
    writeDeletionContent(writer, dictionary, collection, row.deletion)
    return finishWriting(writer)
  }
  const cell = row.cells.get(part)
  assert(cell !== undefined && hasStrategy(part, cell.strategy), 'a cell has the strategy of its part')
  if (cell.strategy === 'lww') return cell.value
  const writer = createWriter()
  writeCellContent(writer, dictionary, cell, lastOfCell(cell))
  return finishWriting(writer)
}
