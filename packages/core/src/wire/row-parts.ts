/**
 * The parts of rows, on their way in: checked as they are read, so that what is left encoded needs no check later.
 *
 * Of rows that are alike, the cells stay as they lie (packed-cells.ts) if the reader wants that; one alone, as of nearly
 * every live change, is decoded, so that it does not keep its frame in memory.
 */
import type { Cell } from '../cells/cell.ts'
import type { Deletion } from '../deletion.ts'
import { ListedMap, listOf } from '../listed-map.ts'
import type { Mark } from '../mark.ts'
import { nameOfColumn, PackedCells, type PackedColumn, type PackedColumns } from '../packed-cells.ts'
import type { FeedPart } from '../relay-store.ts'
import { emptyRow, hasStrategy, strategyOfPart, type PartName, type Row } from '../row.ts'
import { createShownColumns } from '../shown-columns.ts'
import type { Bounds } from './bounds.ts'
import { readLengths } from './columns.ts'
import { openContents } from './content-columns.ts'
import { readCellContent, readDeletionContent } from './contents.ts'
import type { Names } from './dictionary.ts'
import { readKnownMarks, readMarks } from './mark-columns.ts'
import { expectMark } from './marks.ts'
import { bytesLeft, readRaw, readWithin, type Reader } from './reader.ts'
import { checkLimit, refuseMalformed } from './refusal.ts'
import type { ShapeRead } from './shapes.ts'

/** So many rows of one shape are left as they lie. */
const packedFrom = 2

/** A row while its parts are read. */
interface OpenRow<Cells extends ReadonlyMap<PartName, Cell>> extends Row {
  readonly cells: Cells
  deletion: Deletion | null
  revival: Mark | null
}

/** A part as it comes: its mark, and `head`, which is 0 for no content, else one more than its length. */
interface Slot {
  readonly collection: string
  readonly part: FeedPart
  readonly mark: Mark | null
  readonly head: number
}

/** Where parts are read from. */
interface Source {
  readonly reader: Reader
  readonly names: Names
  readonly bounds: Bounds
}

/** What is said of all parts ahead of their contents. */
interface Places {
  readonly heads: ArrayLike<number>
  readonly marks: readonly (Mark | null)[]
  /** Where the marks of a part begin whose heads begin at a place. */
  readonly markAt: (place: number) => number
  /** Each part has one. */
  readonly areMarked: boolean
}

/** A row of one part. */
export function readOnlyPart(reader: Reader, names: Names, bounds: Bounds, slot: Slot): Row {
  const source = { reader, names, bounds }
  const { part } = slot
  if (part !== 'deletion' && part !== 'revival') {
    if (latestPart[0] !== part) latestPart = [part]
    return {
      cells: new ListedMap(latestPart, [readCell(source, part, slot.mark, slot.head)]),
      deletion: null,
      revival: null,
    }
  }
  const row = openRow(emptyRow.cells)
  readBeside(source, row, slot)
  return row
}

// Who brings one part at a time brings the same, as a rule.
let latestPart: readonly PartName[] = []

/** The rows of a batch, in its order. */
export function readParts(
  reader: Reader,
  names: Names,
  bounds: Bounds,
  batch: {
    readonly shapes: readonly ShapeRead[]
    /** Of each row. */
    readonly marks: readonly (Mark | null)[]
    /** Of all rows together. */
    readonly parts: number
  },
): readonly Row[] {
  const { shapes, parts } = batch
  // Most rows came by one write: then their marks are those of all their parts.
  const areKnown = readKnownMarks(reader, parts)
  const marks = areKnown
    ? []
    : readMarks(reader, names, parts, knownMarks(shapes, batch.marks), areRevivals(shapes))
  const heads = readLengths(reader, parts)
  const source = { reader, names, bounds }
  const rows: Row[] = []
  let first = 0
  for (const shape of shapes) {
    const places: Places = areKnown
      ? { heads, marks: marksOfRows(shape, batch.marks), markAt: () => 0, areMarked: true }
      : { heads, marks, markAt: place => place, areMarked: false }
    const isPacked = names.defined !== null && shape.count >= packedFrom
    const read = isPacked ? readPacked(source, shape, first, places) : readOpen(source, shape, first, places)
    if (shape.rows === null) return read
    shape.rows.forEach((index, i) => {
      rows[index] = read[i] ?? refuseMalformed('a row is missing')
    })
    first += shape.count * shape.parts.length
  }
  return rows
}

/** Of each part the mark of its row. */
function knownMarks(shapes: readonly ShapeRead[], marks: readonly (Mark | null)[]): (Mark | null)[] {
  const known: (Mark | null)[] = []
  for (const { parts, rows, count } of shapes)
    for (let left = parts.length; left > 0; left--)
      for (let i = 0; i < count; i++) known.push(marks[rows === null ? i : (rows[i] as number)] ?? null)
  return known
}

function areRevivals(shapes: readonly ShapeRead[]): boolean[] {
  const steps: boolean[] = []
  for (const { parts, count } of shapes)
    for (const part of parts) for (let i = 0; i < count; i++) steps.push(part === 'revival')
  return steps
}

function marksOfRows({ parts, rows }: ShapeRead, marks: readonly (Mark | null)[]): readonly (Mark | null)[] {
  const ofRows = rows === null ? marks : rows.map(index => marks[index] ?? null)
  if (parts.length > 0 && ofRows.includes(null)) refuseMalformed('a mark refers to one that is not there')
  return ofRows
}

function readOpen(source: Source, shape: ShapeRead, first: number, places: Places): readonly Row[] {
  const names: PartName[] = []
  for (const part of shape.parts) if (part !== 'deletion' && part !== 'revival') names.push(part)
  const rows = listOf<OpenRow<ListedMap<PartName, Cell>>>(shape.count)
  for (let i = 0; i < rows.length; i++) rows[i] = openRow(new ListedMap(names, listOf<Cell>(names.length)))
  let place = first
  let column = 0
  for (const part of shape.parts) {
    const within = contentsOf(source, part, rows.length, place, places)
    if (part === 'deletion' || part === 'revival')
      for (let i = 0; i < rows.length; i++)
        readBeside(within, rows[i] as (typeof rows)[number], slotAt(shape, part, places, place, i))
    else {
      const first = places.markAt(place)
      for (let i = 0; i < rows.length; i++)
        (rows[i] as (typeof rows)[number]).cells.list[column] = readCell(
          within,
          part,
          places.marks[first + i] ?? null,
          places.heads[place + i] ?? 0,
        )
      column += 1
    }
    place += rows.length
  }
  return rows
}

function readPacked(source: Source, shape: ShapeRead, first: number, places: Places): readonly Row[] {
  const { names, bounds } = source
  const byPart = new Map<PartName, PackedColumn>()
  const { marks } = places
  const firsts: number[] = []
  const parts: PartName[] = []
  const shown = createShownColumns(shape.count)
  const columns = { marks, firsts, names: parts, byPart, waiting: null, shown }
  const rows = openPacked(columns, shape, first, places)
  let place = first
  for (const part of shape.parts) {
    const within = contentsOf(source, part, rows.length, place, places)
    const { reader } = within
    if (part === 'revival') {
      place += rows.length
      continue
    }
    if (part === 'deletion') {
      rows.forEach((row, i) => readBeside(within, row, slotAt(shape, part, places, place, i)))
      place += rows.length
      continue
    }
    const first = places.markAt(place)
    if (!firsts.includes(first)) firsts.push(first)
    parts.push(part)
    const strategy = strategyOfPart(part)
    const cells: Cell[] = []
    const starts = new Uint32Array(rows.length + 1)
    byPart.set(part, {
      name: nameOfColumn(part),
      first,
      cells: strategy === 'lww' ? null : cells,
      bytes: reader.bytes,
      starts,
    })
    if (strategy === 'lww') passValues(within, places, place, starts)
    else
      for (let i = 0; i < rows.length; i++) {
        const mark = marks[first + i] ?? null
        const length = lengthOf(bounds, places.heads[place + i] ?? 0)
        starts[i] = reader.at
        cells.push(
          readWithin(reader, length, content => readCellContent(content, names, bounds, strategy, mark)),
        )
      }
    starts[rows.length] = reader.at
    place += rows.length
  }
  return rows
}

/** A source that stands at the first of them. */
function contentsOf(source: Source, part: FeedPart, count: number, place: number, { heads }: Places): Source {
  if (part === 'revival') return source
  const reader = openContents(source.reader, heads, place, count)
  return reader === source.reader ? source : { ...source, reader }
}

function openRow<Cells extends ReadonlyMap<PartName, Cell>>(cells: Cells): OpenRow<Cells> {
  return { cells, deletion: null, revival: null }
}

/** Of the part that begins at a place, that of the i-th row. */
function slotAt(
  { collection }: ShapeRead,
  part: FeedPart,
  { marks, heads, markAt }: Places,
  place: number,
  i: number,
): Slot {
  return { collection, part, mark: marks[markAt(place) + i] ?? null, head: heads[place + i] ?? 0 }
}

function readCell({ reader, names, bounds }: Source, part: PartName, mark: Mark | null, head: number): Cell {
  const length = lengthOf(bounds, head)
  if (hasStrategy(part, 'lww'))
    return { strategy: 'lww', last: expectMark(mark), value: readValue(reader, bounds, length) }
  return readWithin(reader, length, within =>
    readCellContent(within, names, bounds, strategyOfPart(part), mark),
  )
}

/** A part that is no cell. */
function readBeside(
  { reader, names, bounds }: Source,
  row: OpenRow<ReadonlyMap<PartName, Cell>>,
  slot: Slot,
): void {
  const { collection, part, mark, head } = slot
  if (part === 'revival') {
    if (head > 0) refuseMalformed('a revival has no content')
    row.revival = expectMark(mark)
    return
  }
  row.deletion = readWithin(reader, lengthOf(bounds, head), within =>
    readDeletionContent(within, names, bounds, collection, expectMark(mark)),
  )
}

/** The rows of a shape, with their revivals, of which nothing is said but their marks. */
function openPacked(
  columns: PackedColumns,
  { parts, count }: ShapeRead,
  first: number,
  { marks, heads, markAt }: Places,
): readonly OpenRow<PackedCells>[] {
  const at = parts.indexOf('revival')
  const place = first + at * count
  const firstMark = markAt(place)
  const open = listOf<OpenRow<PackedCells>>(count)
  for (let i = 0; i < count; i++) {
    let revival: Mark | null = null
    if (at >= 0) {
      if ((heads[place + i] ?? 0) > 0) refuseMalformed('a revival has no content')
      revival = marks[firstMark + i] ?? expectMark(null)
    }
    open[i] = { cells: new PackedCells(columns, i), deletion: null, revival }
  }
  return open
}

function readValue(reader: Reader, bounds: Bounds, length: number): Uint8Array {
  if (length > bytesLeft(reader)) refuseMalformed('the bytes end too early')
  checkLimit('bytes of a value', bounds.valueBytes, length)
  return readRaw(reader, length)
}

/** Checks values as reading them would, goes past them, and notes where each begins. */
function passValues(
  { reader, bounds }: Source,
  { marks, heads, markAt, areMarked }: Places,
  place: number,
  starts: Uint32Array,
): void {
  const first = markAt(place)
  const count = starts.length - 1
  let { at } = reader
  for (let i = 0; i < count; i++) {
    starts[i] = at
    // A call for each of thousands would be most of the time.
    const head = heads[place + i] ?? 0
    at += head > bounds.contentBytesMin && head <= bounds.valueBytes ? head - 1 : lengthOfValue(bounds, head)
  }
  if (!areMarked) for (let i = first; i < first + count; i++) if (marks[i] === null) expectMark(null)
  if (at > reader.end) refuseMalformed('the bytes end too early')
  reader.at = at
}

function lengthOfValue(bounds: Bounds, head: number): number {
  const length = lengthOf(bounds, head)
  checkLimit('bytes of a value', bounds.valueBytes, length)
  return length
}

function lengthOf(bounds: Bounds, head: number): number {
  if (head <= bounds.contentBytesMin) refuseMalformed('a part has no content')
  return head - 1
}
