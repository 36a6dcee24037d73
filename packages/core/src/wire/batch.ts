/**
 * Batches: rows in columns, one layout from a single change to a page of thousands.
 *
 *   batch  := number: of one part 2 × field + 1, then single; else 2 × rows, then shapes ids marks parts
 *   single := id, 2 × writer + 1 if there is a tick, milliseconds, [tick], [content]
 *   shapes := how many; of each how many parts and their numbers; of more than one, a column: the shape of each row
 *   ids    := column of mints (0 for a string); column of serials; of strings what each shares with the last, lengths, rests
 *   marks  := of each row its greatest mark (of a write: its own)
 *   parts  := field by field, all rows of a shape: marks, as differences from the row's; lengths; contents
 *
 * Rows keep their order, parts are in the order of their names, so a batch is decided by its rows and dictionary.
 */
import { listOf } from '../listed-map.ts'
import { isSameMark, type Mark } from '../mark.ts'
import { collectionOfKey, countParts, documentKey, type DocumentKey, type Row } from '../row.ts'
import type { Bounds } from './bounds.ts'
import { writeColumn } from './columns.ts'
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
import { readMarks, writeMarks } from './mark-columns.ts'
import { createMark } from './marks.ts'
import { contentOfPart, markOfPart, writeParts } from './part-columns.ts'
import { bytesLeft, readInt, readUint, type Reader } from './reader.ts'
import { checkLimit, refuseMalformed } from './refusal.ts'
import { readOnlyPart, readParts } from './row-parts.ts'
import { partsOf, readShapes, shapesOf, type ShapeRead, type WrittenShape } from './shapes.ts'
import { writeBytes, writeInt, writeUint, type Writer } from './writer.ts'

/** What a batch is made of: a write is one. `mark` is the write's, or the greatest of the row; null if the row has none. */
export interface WrittenRow {
  readonly key: DocumentKey
  readonly delta: Row
  readonly mark: Mark | null
}

/**
 * Gives back which parts its rows bring, unless that goes without saying. `isStored`: it goes to this device's disk, and
 * nowhere else.
 */
export function writeBatch(
  writer: Writer,
  dictionary: Dictionary,
  rows: readonly WrittenRow[],
  isStored: boolean = false,
): readonly WrittenShape[] | null {
  const only = rows.length === 1 ? rows[0] : undefined
  const shapes =
    only !== undefined && writeSingle(writer, dictionary, only)
      ? null
      : writeMany(writer, dictionary, rows, isStored)
  const last = rows.findLast(({ mark }) => mark !== null)?.mark
  if (last) dictionary.ms = last.ms
  return shapes
}

/** What a batch holds, each of a row by its index: thousands of rows come without an object for each beside it. */
export interface BatchColumns {
  readonly keys: readonly DocumentKey[]
  readonly rows: readonly Row[]
  readonly marks: readonly (Mark | null)[]
  /** The first row, if all bring the same parts: what is asked of these is asked once. */
  readonly alike: Row | null
}

export function readBatch(reader: Reader, names: Names, bounds: Bounds): BatchColumns {
  const head = readUint(reader)
  if (head % 2 === 0) return readMany(reader, names, bounds, head / 2)
  return readSingle(reader, names, bounds, (head - 1) / 2)
}

/** One row with one part whose mark is the row's: the form of nearly every live change. */
function writeSingle(writer: Writer, dictionary: Dictionary, { key, delta, mark }: WrittenRow): boolean {
  if (mark === null || countParts(delta) !== 1) return false
  const part = partsOf(delta)[0] ?? ''
  if (!isSameMark(markOfPart(delta, part), mark)) return false
  const collection = collectionOfKey(key)
  writeUint(writer, numberOfField(dictionary, collection, part) * 2 + 1)
  writeId(writer, dictionary, key.slice(collection.length + 1))
  const hasTick = mark.tick > 0
  writeUint(writer, numberOfWriter(dictionary, mark.writer) * 2 + (hasTick ? 1 : 0))
  writeInt(writer, mark.ms - dictionary.ms)
  if (hasTick) writeUint(writer, mark.tick)
  const content = contentOfPart(dictionary, collection, delta, part)
  if (content !== null) writeBytes(writer, content)
  return true
}

function readSingle(reader: Reader, names: Names, bounds: Bounds, number: number): BatchColumns {
  const { collection, part } = fieldAt(names, number)
  if (part === '') refuseMalformed('a row of one part has none')
  const key = keyOf(collection, readId(reader, names))
  const by = readUint(reader)
  const hasTick = by % 2 === 1
  const writer = writerAt(names, Math.floor(by / 2))
  const ms = names.ms + readInt(reader)
  const tick = hasTick ? readUint(reader) : 0
  if (hasTick && tick === 0) refuseMalformed('a tick is not in its one form')
  const mark = createMark(ms, tick, writer)
  const head = part === 'revival' ? 0 : readUint(reader) + 1
  names.ms = ms
  const row = readOnlyPart(reader, names, bounds, { collection, part, mark, head })
  return { keys: [key], rows: [row], marks: [mark], alike: row }
}

function writeMany(
  writer: Writer,
  dictionary: Dictionary,
  rows: readonly WrittenRow[],
  isStored: boolean,
): readonly WrittenShape[] {
  writeUint(writer, rows.length * 2)
  if (rows.length === 0) return []
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
  writeParts(writer, dictionary, rows, shapes, isStored)
  return shapes
}

function readMany(reader: Reader, names: Names, bounds: Bounds, count: number): BatchColumns {
  checkLimit('rows', bounds.rows, count)
  if (count === 0) return noRows
  const shapes = readShapes(reader, names, bounds, count)
  let parts = 0
  let contents = 0
  for (const shape of shapes) {
    parts += shape.parts.length * shape.count
    contents += (shape.parts.length - (shape.parts.includes('revival') ? 1 : 0)) * shape.count
  }
  checkLimit('parts', bounds.parts, parts)
  if (contents * bounds.contentBytesMin > bytesLeft(reader))
    refuseMalformed('there are fewer parts than declared')
  const [only] = shapes
  const keys =
    only !== undefined && shapes.length === 1
      ? readIds(reader, names, count, prefixOf(only))
      : keysOf(shapes, readIds(reader, names, count))
  const marks = readMarks(reader, names, count, { ms: names.ms })
  const rows = readParts(reader, names, bounds, { shapes, marks, parts })
  const last = marks.findLast(mark => mark !== null)
  if (last) names.ms = last.ms
  const alike = shapes.length === 1 ? (rows[0] ?? null) : null
  return { keys: keys as readonly DocumentKey[], rows, marks, alike }
}

function keysOf(shapes: readonly ShapeRead[], ids: readonly string[]): readonly DocumentKey[] {
  const keys = listOf<DocumentKey>(ids.length)
  for (const shape of shapes) {
    const { rows, count } = shape
    const prefix = prefixOf(shape)
    for (let i = 0; i < count; i++) {
      const row = rows === null ? i : (rows[i] as number)
      keys[row] = (prefix + (ids[row] as string)) as DocumentKey
    }
  }
  return keys
}

/** What stands before the ids of its rows in their keys. */
function prefixOf({ collection }: ShapeRead): DocumentKey {
  if (collection === '') refuseMalformed('the name of a collection is empty')
  return documentKey(collection, '')
}

const noRows: BatchColumns = { keys: [], rows: [], marks: [], alike: null }
