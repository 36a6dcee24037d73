/**
 * Rows of new documents, packed as they are made (packed-cells.ts): their values lie in columns behind those of the
 * documents before them, and a row is its place there. Documents are made by the thousands; so each leaves one object in
 * the place of three for each field, and goes to the disk with its neighbours by one copy for each field.
 *
 * Only of collections whose fields are all `lww`, and of documents that have all of them.
 */
import type { Cell } from './cells/cell.ts'
import { assert } from './errors.ts'
import type { Mark } from './mark.ts'
import { nameOfColumn, PackedCells, type PackedColumn } from './packed-cells.ts'
import type { PartName, Row } from './row.ts'
import { createWriter, lengthWritten, lendWritten, type Writer } from './wire/writer.ts'

export interface RowPacker {
  /** Begins a row, whose values are written one after the other. Null while another one is not ended. */
  begin(): Writer | null
  /** After each value, in the order of the parts. */
  endValue(): void
  /** The cells of the row, each of which bears the mark. */
  end(mark: Mark): Row['cells']
  /** There is no row after all. */
  drop(): void
}

/** Few, since one row that stands keeps all of them in memory. */
const rowsMax = 256
/** A larger one has cells of its own, and keeps nothing but itself. */
const rowBytesMax = 1024

/** A column that still grows. */
interface OpenColumn extends PackedColumn {
  bytes: Uint8Array
  starts: Uint32Array
}

interface OpenColumns {
  readonly marks: Mark[]
  readonly byPart: ReadonlyMap<PartName, OpenColumn>
  readonly inOrder: readonly OpenColumn[]
}

/** `parts`: in the order of their names. */
export function createRowPacker(parts: readonly PartName[]): RowPacker {
  const names = parts.map(nameOfColumn)
  const ends: number[] = []
  let writer: Writer | null = null
  let columns = openColumns(parts, names)

  function place(mark: Mark, bytes: Uint8Array): PackedCells {
    if (columns.marks.length === rowsMax) {
      columns.inOrder.forEach(close)
      columns = openColumns(parts, names)
    }
    const index = columns.marks.push(mark) - 1
    for (let i = 0; i < ends.length; i++) {
      const column = columns.inOrder[i]
      if (column !== undefined) append(column, index, bytes, i === 0 ? 0 : (ends[i - 1] ?? 0), ends[i] ?? 0)
    }
    return new PackedCells(columns, index)
  }

  return {
    begin() {
      if (writer !== null) return null
      ends.length = 0
      return (writer = createWriter())
    },
    endValue() {
      if (writer !== null) ends.push(lengthWritten(writer))
    },
    end(mark) {
      assert(writer !== null && ends.length === parts.length, 'a row has a value of each part')
      const written = writer
      writer = null
      return lendWritten(written, (bytes, length) =>
        length > rowBytesMax ? ownCells(parts, ends, mark, bytes) : place(mark, bytes),
      )
    },
    drop() {
      if (writer !== null) lendWritten(writer, () => {})
      writer = null
    },
  }
}

function ownCells(
  parts: readonly PartName[],
  ends: readonly number[],
  last: Mark,
  bytes: Uint8Array,
): ReadonlyMap<PartName, Cell> {
  const cells = new Map<PartName, Cell>()
  parts.forEach((part, i) => {
    cells.set(part, { strategy: 'lww', last, value: bytes.slice(i === 0 ? 0 : ends[i - 1], ends[i]) })
  })
  return cells
}

const rowsAtFirst = 16
const bytesAtFirst = 128

function openColumns(parts: readonly PartName[], names: readonly Uint8Array[]): OpenColumns {
  const byPart = new Map<PartName, OpenColumn>()
  parts.forEach((part, i) => {
    byPart.set(part, {
      name: names[i] ?? new Uint8Array(0),
      first: 0,
      cells: null,
      bytes: new Uint8Array(bytesAtFirst),
      starts: new Uint32Array(rowsAtFirst + 1),
      // Not to be decoded as a whole before it is whole.
      whole: { asked: 0, text: null },
    })
  })
  return { marks: [], byPart, inOrder: [...byPart.values()] }
}

function append(column: OpenColumn, index: number, bytes: Uint8Array, from: number, to: number): void {
  if (index + 1 === column.starts.length) column.starts = grown(column.starts, new Uint32Array(2 * index + 1))
  const start = column.starts[index] ?? 0
  const end = start + to - from
  if (end > column.bytes.length) column.bytes = grown(column.bytes, new Uint8Array(2 * end))
  const held = column.bytes
  for (let i = from; i < to; i++) held[start + i - from] = bytes[i] ?? 0
  column.starts[index + 1] = end
}

function grown<List extends Uint8Array | Uint32Array>(list: List, larger: List): List {
  larger.set(list)
  return larger
}

/** No row comes any more. */
function close(column: OpenColumn): void {
  column.starts = column.starts.slice(0, rowsMax + 1)
  column.bytes = column.bytes.slice(0, column.starts[rowsMax])
  column.whole.text = undefined
}
