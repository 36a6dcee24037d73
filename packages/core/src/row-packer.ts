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
import { createLastingWriter, cutWriter, lengthWritten, writtenInPlace, type Writer } from './wire/writer.ts'

export interface RowPacker {
  /** Begins a row, unless another one is not ended. */
  begin(): boolean
  /** Where the next value of it is written, in the order of the parts. */
  next(): Writer
  /** The cells of the row, each of which bears the mark. */
  end(mark: Mark): Row['cells']
  /** There is no row after all. */
  drop(): void
}

/** Few, since one row that stands keeps all of them in memory. */
const rowsMax = 256
/** A larger one has cells of its own, and keeps nothing but itself. */
const rowBytesMax = 1024
const rowsAtFirst = 16

/** A column that still grows: values are written where they stay. */
interface OpenColumn extends PackedColumn {
  readonly writer: Writer
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
  let columns = openColumns(parts, names)
  /** How many values of a row were begun; null while there is none. */
  let begun: number | null = null

  function drop(): void {
    begun = null
    const index = columns.marks.length
    for (const { writer, starts } of columns.inOrder) cutWriter(writer, starts[index] ?? 0)
  }

  return {
    begin() {
      if (begun !== null) return false
      begun = 0
      return true
    },
    next() {
      const column = columns.inOrder[begun ?? -1]
      assert(begun !== null && column !== undefined, 'a row has a value of each part')
      begun += 1
      return column.writer
    },
    end(mark) {
      assert(begun === parts.length, 'a row has a value of each part')
      const { inOrder, marks } = columns
      const index = marks.length
      let bytes = 0
      for (let i = 0; i < inOrder.length; i++) bytes += settle(inOrder[i], index)
      if (bytes > rowBytesMax) {
        const cells = ownCells(columns, index, mark)
        drop()
        return cells
      }
      begun = null
      const packed = new PackedCells(columns, index)
      if (marks.push(mark) === rowsMax) {
        inOrder.forEach(close)
        columns = openColumns(parts, names)
      }
      return packed
    },
    drop,
  }
}

function openColumns(parts: readonly PartName[], names: readonly Uint8Array[]): OpenColumns {
  const byPart = new Map<PartName, OpenColumn>()
  parts.forEach((part, i) => {
    const writer = createLastingWriter()
    byPart.set(part, {
      name: names[i] ?? nameOfColumn(part),
      first: 0,
      cells: null,
      writer,
      bytes: writtenInPlace(writer),
      starts: new Uint32Array(rowsAtFirst + 1),
      // Not to be decoded as a whole before it is whole.
      whole: { asked: 0, text: null },
    })
  })
  return { marks: [], byPart, inOrder: [...byPart.values()] }
}

/** Says where the value of a row ends. How long it is. */
function settle(column: OpenColumn | undefined, index: number): number {
  if (column === undefined) return 0
  column.bytes = writtenInPlace(column.writer)
  const length = lengthWritten(column.writer)
  if (index + 1 === column.starts.length) {
    const starts = new Uint32Array(2 * index + 1)
    starts.set(column.starts)
    column.starts = starts
  }
  column.starts[index + 1] = length
  return length - (column.starts[index] ?? 0)
}

function ownCells({ byPart }: OpenColumns, index: number, last: Mark): ReadonlyMap<PartName, Cell> {
  const cells = new Map<PartName, Cell>()
  for (const [part, { bytes, starts }] of byPart)
    cells.set(part, { strategy: 'lww', last, value: bytes.slice(starts[index], starts[index + 1]) })
  return cells
}

/** No row comes any more. */
function close(column: OpenColumn): void {
  column.starts = column.starts.slice(0, rowsMax + 1)
  column.bytes = column.bytes.slice(0, column.starts[rowsMax])
  column.whole.text = undefined
}
