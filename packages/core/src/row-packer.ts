/**
 * Rows of new documents, packed together (packed-cells.ts): their values lie in columns behind those of the documents
 * before them, and a row is its place there. Documents are made by the thousands; so each leaves one object in the place of
 * three for each field, and goes to the disk with its neighbours by one copy for each field.
 *
 * A value is put into bytes when somebody looks at its row, which the journal does with all that one tick made: to encode
 * a column of texts at once costs a fraction of encoding each by itself.
 *
 * Only of collections whose fields are all `lww`, and of documents that have all of them.
 */
import { assert } from './errors.ts'
import type { Mark } from './mark.ts'
import { nameOfColumn, PackedCells, type PackedColumn, type PackedColumns } from './packed-cells.ts'
import type { PartName, Row } from './row.ts'
import { createShownColumns } from './shown-columns.ts'
import { sizeOfParts } from './size.ts'
import { encodeValue } from './value.ts'
import { writeNumber } from './wire/numbers.ts'
import { headOfText, textHeadMax } from './wire/value-tags.ts'
import { writeText } from './wire/value-writer.ts'
import { createWriter, lendWritten, lengthWritten, writeAscii, writeRaw } from './wire/writer.ts'

/** A value that never changes, which may wait for its encoding; or one that is encoded. */
export type PackedValue = string | number | Uint8Array

export interface RowPacker {
  /** The cells of a row, whose values are in the order of the parts and bear the mark; null if they are too many bytes. */
  pack(values: readonly PackedValue[], mark: Mark): Row['cells'] | null
}

/** Few, since one row that stands keeps all of them in memory. */
const rowsMax = 256
/** A larger one has cells of its own, and keeps nothing but itself. */
const rowBytesMax = 1024
/** Longer ones do not wait: they may be parts of still longer ones, which they would keep in memory. */
const waitingCharacters = 1024
/** So many texts are encoded at once. */
const togetherMin = 8

/** Throws what `encodeValue` does. */
export function packValue(value: unknown): PackedValue {
  if (typeof value === 'number') return value
  if (typeof value === 'string' && value.length < waitingCharacters && isWellFormed(value)) return value
  return encodeValue(value)
}

/** What has halves of surrogate pairs is another text once it was encoded. The library of ES2023 does not list it. */
function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed()
}

const numberBytesMax = 9
/** What a character of a text may take beyond a byte. */
const moreOfCharacter = 2

/** A column that still grows. */
interface OpenColumn extends PackedColumn {
  bytes: Uint8Array
  starts: Uint32Array
}

interface OpenColumns extends PackedColumns {
  readonly marks: Mark[]
  readonly byPart: ReadonlyMap<PartName, OpenColumn>
  /** The last rows, of which nothing is in the columns yet. */
  rows: (readonly PackedValue[])[]
  /** How many bytes the cells of each of them take at most. */
  sizes: number[]
}

/** `parts`: in the order of their names. */
export function createRowPacker(parts: readonly PartName[]): RowPacker {
  const names = parts.map(nameOfColumn)
  const besideValues = sizeOfParts(parts)
  let columns = openColumns(parts, names)
  return {
    pack(values, mark) {
      assert(values.length === parts.length, 'a row has a value of each part')
      let bytes = 0
      let more = 0
      for (let i = 0; i < values.length; i++) {
        const value = values[i] ?? ''
        if (typeof value === 'string') {
          bytes += value.length + textHeadMax
          more += value.length * moreOfCharacter
        } else bytes += typeof value === 'number' ? numberBytesMax : value.length
      }
      if (bytes > rowBytesMax) return null
      const cells = new PackedCells(columns, columns.marks.length)
      columns.rows.push(values)
      columns.sizes.push(besideValues + bytes + more)
      if (columns.marks.push(mark) === rowsMax) columns = openColumns(parts, names)
      return cells
    },
  }
}

function openColumns(parts: readonly PartName[], names: readonly Uint8Array[]): OpenColumns {
  const byPart = new Map<PartName, OpenColumn>()
  parts.forEach((part, i) => {
    byPart.set(part, {
      name: names[i] ?? nameOfColumn(part),
      first: 0,
      cells: null,
      bytes: noBytes,
      starts: noStarts,
    })
  })
  const marks: Mark[] = []
  const inOrder: readonly PackedColumn[] = [...byPart.values()]
  /** Which of those that wait it is. */
  const waitingAt = (index: number): number => index - (marks.length - columns.rows.length)
  const columns: OpenColumns = {
    marks,
    firsts: parts.length === 0 ? [] : [0],
    names: parts,
    byPart,
    rows: [],
    sizes: [],
    shown: null,
    waiting: {
      write: () => writeRows(columns),
      valueOf: (index, column) => columns.rows[waitingAt(index)]?.[inOrder.indexOf(column)],
      sizeAtMost: index => columns.sizes[waitingAt(index)] ?? null,
    },
  }
  return columns
}

/** Of columns in which nothing is yet: the first rows that come have others made. */
const noBytes: Uint8Array = new Uint8Array(0)
const noStarts: Uint32Array = new Uint32Array(1)

function writeRows(columns: OpenColumns): void {
  const { marks, rows } = columns
  if (rows.length === 0) return
  columns.rows = []
  columns.sizes = []
  const isWhole = marks.length === rowsMax
  let part = 0
  for (const column of columns.byPart.values()) writeColumn(column, rows, part++, marks.length, isWhole)
  if (isWhole) columns.shown = createShownColumns(rowsMax)
}

/** Writes one value of each of these rows behind what is there; `count`: how many there are then. */
function writeColumn(
  column: OpenColumn,
  rows: readonly (readonly PackedValue[])[],
  part: number,
  count: number,
  isWhole: boolean,
): void {
  const at = count - rows.length
  const starts =
    isWhole || count >= column.starts.length ? grown(column.starts, at, count, isWhole) : column.starts
  column.starts = starts
  const writer = createWriter()
  const before = starts[at] ?? 0
  const text = rows.length < togetherMin ? null : textOf(rows, part, starts, at)
  if (text === null || !writeAscii(writer, text)) {
    for (let i = 0; i < rows.length; i++) {
      const value = rows[i]?.[part] ?? ''
      if (typeof value === 'string') writeText(writer, value)
      else if (typeof value === 'number') writeNumber(writer, value)
      else writeRaw(writer, value)
      starts[at + i + 1] = before + lengthWritten(writer)
    }
  }
  lendWritten(writer, (bytes, length) => {
    const end = before + length
    if (isWhole || end > column.bytes.length) {
      const larger = new Uint8Array(isWhole ? end : 2 * end)
      if (before > 0) larger.set(column.bytes.subarray(0, before))
      column.bytes = larger
    }
    column.bytes.set(bytes.subarray(0, length), before)
  })
}

function grown(starts: Uint32Array, at: number, count: number, isWhole: boolean): Uint32Array {
  const larger = new Uint32Array((isWhole ? count : Math.min(rowsMax, 2 * count)) + 1)
  if (at > 0) larger.set(starts.subarray(0, at + 1))
  return larger
}

/** Short texts with what stands before each, and where each begins if all of it is ASCII; null if others are among them. */
function textOf(
  rows: readonly (readonly PackedValue[])[],
  part: number,
  starts: Uint32Array,
  at: number,
): string | null {
  // Put together by one call: a text to which each is added is thousands of pieces, until somebody looks into it.
  const pieces = Array<string>(2 * rows.length)
  let end = starts[at] ?? 0
  for (let i = 0; i < rows.length; i++) {
    const value = rows[i]?.[part]
    const head = typeof value === 'string' ? headOfText[value.length] : undefined
    if (head === undefined) return null
    pieces[2 * i] = head
    pieces[2 * i + 1] = value as string
    end += head.length + (value as string).length
    starts[at + i + 1] = end
  }
  return pieces.join('')
}
