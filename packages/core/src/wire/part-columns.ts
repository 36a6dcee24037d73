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
import { writeColumn, writeKnownMarks, writeMarks } from './columns.ts'
import { createContentList } from './content-columns.ts'
import { writeCellContent, writeDeletionContent } from './contents.ts'
import type { Dictionary } from './dictionary.ts'
import type { Shape } from './shapes.ts'
import { createWriter, finishWriting, type Writer } from './writer.ts'

export function writeParts(
  writer: Writer,
  dictionary: Dictionary,
  rows: readonly WrittenRow[],
  shapes: readonly Shape[],
): void {
  const contents = createContentList(
    shapes.reduce((count, shape) => count + shape.rows.length * shape.parts.length, 0),
  )
  let areKnown = true
  for (const shape of shapes) {
    const ofShape =
      shape.rows.length === rows.length ? rows : shape.rows.map(index => rows[index] ?? missing())
    const runs = runsOf(ofShape)
    for (const part of shape.parts) {
      if (part === 'revival') {
        contents.addNone(ofShape.length)
        areKnown &&= ofShape.every(isRevivedByMark)
        continue
      }
      for (const run of runs) {
        const column = columnOf(run, part)
        if (column !== null) {
          contents.addPacked(column, run.index, run.count)
          areKnown &&= run.first === column.first || haveKnownMarks(ofShape, run, column)
          continue
        }
        for (let i = run.start; i < run.start + run.count; i++) {
          const { delta, mark } = ofShape[i] ?? missing()
          contents.add(contentOfPart(dictionary, shape.collection, delta, part))
          areKnown &&= mark !== null && mark === markOfPart(delta, part)
        }
      }
    }
  }
  if (areKnown) writeKnownMarks(writer, contents.heads.length)
  else writeMarksOfParts(writer, dictionary, rows, shapes)
  writeColumn(writer, contents.heads)
  for (const { rows, parts } of shapes) for (const _ of parts) contents.write(writer, rows.length)
}

/** As of all inserts, of which there may be thousands. */
function isRevivedByMark({ delta, mark }: WrittenRow): boolean {
  return mark !== null && mark === delta.revival
}

/** Rows one after the other whose cells lie so in the same columns, or others. */
interface Run {
  readonly start: number
  count: number
  readonly cells: PackedCells | null
  /** Where in the columns the first one is. */
  readonly index: number
  /** Columns that begin at this place of theirs bear the marks of the rows, as was found of one of them. */
  first: number
}

function runsOf(rows: readonly WrittenRow[]): readonly Run[] {
  const runs: Run[] = []
  let last: Run | null = null
  for (let i = 0; i < rows.length; i++) {
    const { cells } = rows[i]?.delta ?? missing()
    const packed = cells instanceof PackedCells ? cells : null
    if (last !== null && goesOn(last, packed)) {
      last.count += 1
      continue
    }
    last = { start: i, count: 1, cells: packed, index: packed?.index ?? 0, first: -1 }
    runs.push(last)
  }
  return runs
}

function goesOn({ cells, index, count }: Run, next: PackedCells | null): boolean {
  if (cells === null || next === null) return cells === next
  return cells.open === next.open && index + count === next.index
}

/** Where the values of a run lie; null if they lie apart. */
function columnOf({ cells }: Run, part: FeedPart): PackedColumn | null {
  if (cells === null || part === 'deletion' || part === 'revival') return null
  const column = cells.columns.byPart.get(part)
  return column?.cells === null ? column : null
}

function haveKnownMarks(rows: readonly WrittenRow[], run: Run, { first }: PackedColumn): boolean {
  const marks = run.cells?.columns.marks ?? []
  for (let i = 0; i < run.count; i++) {
    const mark = rows[run.start + i]?.mark ?? null
    if (mark === null || mark !== marks[first + run.index + i]) return false
  }
  run.first = first
  return true
}

function writeMarksOfParts(
  writer: Writer,
  dictionary: Dictionary,
  rows: readonly WrittenRow[],
  shapes: readonly Shape[],
): void {
  const marks: (Mark | null)[] = []
  const known: (Mark | null)[] = []
  for (const shape of shapes) {
    for (const part of shape.parts) {
      for (const index of shape.rows) {
        const { delta, mark } = rows[index] ?? missing()
        marks.push(markOfPart(delta, part))
        known.push(mark)
      }
    }
  }
  writeMarks(writer, dictionary, marks, known)
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
