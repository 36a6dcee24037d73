/**
 * Batches: rows in columns, one layout from a single change to a page of thousands.
 *
 *   batch  := number: of one part 2 × field + 1, then single; else 2 × rows, then shapes ids marks parts
 *   single := id writer milliseconds tick [content]
 *   shapes := how many; of each how many parts and their numbers; of more than one, a column: the shape of each row
 *   ids    := column of mints (0 for a string); column of serials; strings, each with what it shares with the last
 *   marks  := of each row its greatest mark (of a write: its own)
 *   parts  := field by field, all rows of a shape: marks, as differences from the row's; lengths; contents
 *
 * Rows keep their order, parts are in the order of their names, so a batch is decided by its rows and dictionary.
 */
import type { Cell } from '../cells/cell.ts'
import { lastOfCell } from '../cells/cell.ts'
import type { Deletion } from '../deletion.ts'
import { assert } from '../errors.ts'
import { isSameMark, type Mark } from '../mark.ts'
import type { FeedPart } from '../relay-store.ts'
import {
  collectionOfKey,
  countParts,
  strategyOfPart,
  type DocumentKey,
  type PartName,
  type Row,
} from '../row.ts'
import type { Bounds } from './bounds.ts'
import { readColumn, readMarks, writeColumn, writeMarks } from './columns.ts'
import { readCellContent, readDeletionContent, writeCellContent, writeDeletionContent } from './contents.ts'
import {
  fieldAt,
  numberOfField,
  numberOfWriter,
  writerAt,
  type Dictionary,
  type Names,
} from './dictionary.ts'
import { readIds, writeIds } from './id-columns.ts'
import { keyOf, readId, writeId } from './keys.ts'
import { createMark, expectMark } from './marks.ts'
import { bytesLeft, readInt, readUint, readWithin, type Reader } from './reader.ts'
import { checkLimit, refuseMalformed } from './refusal.ts'
import { partsOf, readShapes, shapesOf, type Shape } from './shapes.ts'
import {
  createWriter,
  writeBytes,
  writeInt,
  writeRaw,
  writeUint,
  finishWriting,
  type Writer,
} from './writer.ts'

/** What a batch holds of each row. `mark` is the write's, or the greatest of the row; null if the row has none. */
export interface BatchRow {
  readonly key: DocumentKey
  readonly row: Row
  readonly mark: Mark | null
}

export function writeBatch(writer: Writer, dictionary: Dictionary, rows: readonly BatchRow[]): void {
  const only = rows.length === 1 ? rows[0] : undefined
  if (only === undefined || !writeSingle(writer, dictionary, only)) writeMany(writer, dictionary, rows)
  const last = rows.findLast(({ mark }) => mark !== null)?.mark
  if (last) dictionary.ms = last.ms
}

export function readBatch(reader: Reader, names: Names, bounds: Bounds): readonly BatchRow[] {
  const head = readUint(reader)
  const rows =
    head % 2 === 1
      ? [readSingle(reader, names, bounds, (head - 1) / 2)]
      : readMany(reader, names, bounds, head / 2)
  const last = rows.findLast(({ mark }) => mark !== null)?.mark
  if (last) names.ms = last.ms
  return rows
}

/** One row with one part whose mark is the row's: the form of nearly every live change. */
function writeSingle(writer: Writer, dictionary: Dictionary, { key, row, mark }: BatchRow): boolean {
  if (mark === null || countParts(row) !== 1) return false
  const part = partsOf(row)[0] ?? ''
  if (!isSameMark(markOfPart(row, part), mark)) return false
  const collection = collectionOfKey(key)
  writeUint(writer, numberOfField(dictionary, collection, part) * 2 + 1)
  writeId(writer, dictionary, key.slice(collection.length + 1))
  writeUint(writer, numberOfWriter(dictionary, mark.writer))
  writeInt(writer, mark.ms - dictionary.ms)
  writeUint(writer, mark.tick)
  const content = contentOfPart(dictionary, collection, row, part)
  if (content !== null) writeBytes(writer, content)
  return true
}

function readSingle(reader: Reader, names: Names, bounds: Bounds, number: number): BatchRow {
  const { collection, part } = fieldAt(names, number)
  if (part === '') refuseMalformed('a row of one part has none')
  const key = keyOf(collection, readId(reader, names))
  const writer = writerAt(names, readUint(reader))
  const ms = names.ms + readInt(reader)
  const mark = createMark(ms, readUint(reader), writer)
  const row = createOpenRow()
  const head = part === 'revival' ? 0 : readUint(reader) + 1
  readContent(reader, names, bounds, { row, collection, part, mark, head })
  return { key, row, mark }
}

function writeMany(writer: Writer, dictionary: Dictionary, rows: readonly BatchRow[]): void {
  writeUint(writer, rows.length * 2)
  if (rows.length === 0) return
  const shapes = shapesOf(dictionary, rows)
  writeUint(writer, shapes.length)
  for (const { numbers } of shapes) {
    writeUint(writer, numbers.length)
    for (const number of numbers) writeUint(writer, number)
  }
  if (shapes.length > 1) {
    const shapeOfRow: number[] = rows.map(() => 0)
    shapes.forEach((shape, i) => {
      for (const row of shape.rows) shapeOfRow[row] = i
    })
    writeColumn(writer, shapeOfRow)
  }
  writeIds(writer, dictionary, rows)
  writeMarks(
    writer,
    dictionary,
    rows.map(({ mark }) => mark),
    { ms: dictionary.ms },
  )
  writeParts(writer, dictionary, rows, shapes)
}

function writeParts(
  writer: Writer,
  dictionary: Dictionary,
  rows: readonly BatchRow[],
  shapes: readonly Shape[],
): void {
  const marks: (Mark | null)[] = []
  const known: (Mark | null)[] = []
  const heads: number[] = []
  const contents: Uint8Array[] = []
  for (const shape of shapes) {
    for (const part of shape.parts) {
      for (const index of shape.rows) {
        const entry = rows[index]
        assert(entry !== undefined, 'a shape names rows of its batch')
        marks.push(markOfPart(entry.row, part))
        known.push(entry.mark)
        const content = contentOfPart(dictionary, shape.collection, entry.row, part)
        heads.push(content === null ? 0 : content.length + 1)
        if (content !== null) contents.push(content)
      }
    }
  }
  writeMarks(writer, dictionary, marks, known)
  writeColumn(writer, heads)
  for (const content of contents) writeRaw(writer, content)
}

function readMany(reader: Reader, names: Names, bounds: Bounds, count: number): readonly BatchRow[] {
  checkLimit('rows', bounds.rows, count)
  if (count === 0) return []
  const shapes = readShapes(reader, names, bounds, count)
  const shapeOfRow = shapes.length > 1 ? readColumn(reader, count) : null
  const rows: OpenRow[] = []
  const collections: string[] = []
  let parts = 0
  let contents = 0
  for (let i = 0; i < count; i++) {
    const shape = shapes[shapeOfRow?.[i] ?? 0] ?? refuseMalformed('a shape was not defined')
    parts += shape.parts.length
    checkLimit('parts', bounds.parts, parts)
    contents += shape.parts.length - (shape.parts.includes('revival') ? 1 : 0)
    if (contents * bounds.contentBytesMin > bytesLeft(reader))
      refuseMalformed('there are fewer parts than declared')
    shape.rows.push(i)
    collections.push(shape.collection)
    rows.push(createOpenRow())
  }
  const ids = readIds(reader, names, count)
  const marks = readMarks(reader, names, count, { ms: names.ms })
  readParts(reader, names, bounds, { shapes, rows, marks, parts })
  return rows.map((row, i) => ({
    key: keyOf(collections[i] ?? '', ids[i] ?? ''),
    row,
    mark: marks[i] ?? null,
  }))
}

function readParts(
  reader: Reader,
  names: Names,
  bounds: Bounds,
  batch: {
    readonly shapes: readonly Shape[]
    readonly rows: readonly OpenRow[]
    readonly marks: readonly (Mark | null)[]
    readonly parts: number
  },
): void {
  const { shapes, rows, parts } = batch
  const known: (Mark | null)[] = []
  for (const shape of shapes)
    for (let i = 0; i < shape.parts.length; i++)
      for (const index of shape.rows) known.push(batch.marks[index] ?? null)
  const marks = readMarks(reader, names, parts, known)
  const heads = readColumn(reader, parts)
  let at = 0
  for (const { collection, parts: ofShape, rows: indices } of shapes) {
    for (const part of ofShape) {
      for (const index of indices) {
        const row = rows[index]
        assert(row !== undefined, 'a shape names rows of its batch')
        readContent(reader, names, bounds, {
          row,
          collection,
          part,
          mark: marks[at] ?? null,
          head: heads[at] ?? 0,
        })
        at++
      }
    }
  }
}

function markOfPart(row: Row, part: FeedPart | ''): Mark | null {
  if (part === 'deletion') return row.deletion?.mark ?? null
  if (part === 'revival') return row.revival
  const cell = part === '' ? undefined : row.cells.get(part)
  return cell === undefined ? null : lastOfCell(cell)
}

/** Everything of a part but its mark; null of a revival, which is nothing else. */
function contentOfPart(
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
  assert(cell?.strategy === strategyOfPart(part), 'a cell has the strategy of its part')
  if (cell.strategy === 'lww') return cell.value
  const writer = createWriter()
  writeCellContent(writer, dictionary, cell, lastOfCell(cell))
  return finishWriting(writer)
}

/** A row while it is read. */
interface OpenRow {
  readonly cells: Map<PartName, Cell>
  deletion: Deletion | null
  revival: Mark | null
}

function createOpenRow(): OpenRow {
  return { cells: new Map(), deletion: null, revival: null }
}

/** Reads a part into its row. `head` is 0 for no content, else one more than its length. */
function readContent(
  reader: Reader,
  names: Names,
  bounds: Bounds,
  slot: {
    readonly row: OpenRow
    readonly collection: string
    readonly part: FeedPart
    readonly mark: Mark | null
    readonly head: number
  },
): void {
  const { row, collection, part, mark, head } = slot
  if (part === 'revival') {
    if (head > 0) refuseMalformed('a revival has no content')
    row.revival = expectMark(mark)
    return
  }
  if (head <= bounds.contentBytesMin) refuseMalformed('a part has no content')
  if (part === 'deletion')
    row.deletion = readWithin(reader, head - 1, within =>
      readDeletionContent(within, names, bounds, collection, expectMark(mark)),
    )
  else
    row.cells.set(
      part,
      readWithin(reader, head - 1, within =>
        readCellContent(within, names, bounds, strategyOfPart(part), mark),
      ),
    )
}
