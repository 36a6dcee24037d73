/**
 * Cells of a row that lie encoded in the batch that brought it, beside those of all other rows, and are decoded one by
 * one, when somebody asks: most rows of a cold start are stored, counted and shown without ever having been cells.
 *
 * Everything was checked when the batch was read, so nothing can be amiss later. Only `lww` is left encoded, whose check
 * takes no decoding; cells of other strategies were decoded then. The bytes of a batch stay as long as one row of it does,
 * and a value that is asked for twice is decoded twice: so it is for replicas that read, not for relays that judge and
 * tell cells apart as objects. Whoever shows most of them reads whole columns (shown-columns.ts).
 */
import type { Cell } from './cells/cell.ts'
import { assert } from './errors.ts'
import { ListedMap } from './listed-map.ts'
import { greaterMark, type Mark } from './mark.ts'
import type { PackedValue } from './row-packer.ts'
import type { PartName } from './row.ts'
import type { ShownColumns } from './shown-columns.ts'
import { createWriter, finishWriting, writeString } from './wire/writer.ts'

/** The columns of the rows that bring the same parts. */
export interface PackedColumns {
  /** Of each place. */
  readonly marks: readonly (Mark | null)[]
  /** The places of first rows that its columns have, each once: most have one, since most rows bear one mark. */
  readonly firsts: readonly number[]
  /** The names of the parts, in their order. */
  readonly names: readonly PartName[]
  readonly byPart: ReadonlyMap<PartName, PackedColumn>
  /** Of columns that grow, what is perhaps not in their bytes yet (row-packer.ts). */
  readonly waiting: WaitingValues | null
  /** Null while they still grow, and once everything was shown: then rows are read one by one. */
  shown: ShownColumns | null
}

export interface WaitingValues {
  /** Puts all of them into the bytes of the columns. */
  write(): void
  /** The value of a row in a column; undefined if it is there. */
  valueOf(index: number, column: PackedColumn): PackedValue | undefined
  /** How many bytes the cells of a row take at most, as `sizeOfCells` counts; null if their values are there. */
  sizeAtMost(index: number): number | null
}

export interface PackedColumn {
  /** The name of its part, as canonical rows have it. */
  readonly name: Uint8Array
  /** The place of its first row; those of the others follow. */
  readonly first: number
  /** Null of `lww`: its values are in the bytes. */
  readonly cells: readonly Cell[] | null
  readonly bytes: Uint8Array
  /** Where in the bytes the content of each row begins; that of the next one is its end. */
  readonly starts: Uint32Array
}

/** The name of a part, as canonical rows have it. */
export function nameOfColumn(part: PartName): Uint8Array {
  const writer = createWriter()
  writeString(writer, part)
  return finishWriting(writer)
}

/** What is asked of the names of parts of rows, thousands of which have the same ones: of these it is asked once. */
export function askedOfColumns<T>(
  ask: (cells: ReadonlyMap<PartName, Cell>) => T,
): (cells: ReadonlyMap<PartName, Cell>) => T {
  let known: { readonly of: PackedColumns | readonly PartName[]; readonly answer: T } | null = null
  return cells => {
    const of = cells instanceof PackedCells ? cells.open : cells instanceof ListedMap ? cells.names : null
    if (of === null) return ask(cells)
    if (known?.of !== of) known = { of, answer: ask(cells) }
    return known.answer
  }
}

/** What of an encoded value is read where it lies; if all around it is ASCII, that as a text, and where in it the value lies. */
export type ReadEncoded<T> = (
  bytes: Uint8Array,
  from: number,
  to: number,
  text: string | null,
  at: number,
) => T

/** A class, since thousands are made at once and each is to be as small as can be. */
export class PackedCells implements ReadonlyMap<PartName, Cell> {
  /** The same as `columns`; there may be values that are not in their bytes yet. */
  readonly open: PackedColumns
  /** Which of the rows that have these columns. */
  readonly index: number

  constructor(columns: PackedColumns, index: number) {
    this.open = columns
    this.index = index
  }

  get columns(): PackedColumns {
    this.open.waiting?.write()
    return this.open
  }

  /** As of listed maps: all rows of these columns share one list. */
  get names(): readonly PartName[] {
    return this.open.names
  }

  get size(): number {
    return this.open.names.length
  }

  has(part: PartName): boolean {
    return this.open.byPart.has(part)
  }

  get(part: PartName): Cell | undefined {
    const column = this.columns.byPart.get(part)
    return column === undefined ? undefined : this.cellIn(column)
  }

  /** Reads the value of an `lww` cell where it lies; `column` of `columns`, as of all that follows. */
  readValue<T>(column: PackedColumn, read: ReadEncoded<T>): T {
    const { bytes, starts } = column
    return read(bytes, starts[this.index] ?? 0, starts[this.index + 1] ?? 0, null, 0)
  }

  /** As it was given, if it is not in the bytes yet: what is shown at once is not encoded by itself for that. */
  waitingIn(column: PackedColumn): PackedValue | undefined {
    return this.open.waiting?.valueOf(this.index, column)
  }

  /** The greatest mark of the cell that has this column. */
  markIn({ first }: PackedColumn): Mark | null {
    return this.open.marks[first + this.index] ?? null
  }

  /** The mark of an `lww` cell; null if this is none. */
  lastOfLww(part: PartName): Mark | null {
    const column = this.open.byPart.get(part)
    return column === undefined || column.cells !== null ? null : this.markIn(column)
  }

  /** The mark of all of them, if their columns have one; else null. */
  get only(): Mark | null {
    const { marks, firsts } = this.open
    return firsts.length === 1 ? (marks[(firsts[0] ?? 0) + this.index] ?? null) : null
  }

  /** The greatest mark of them. */
  get last(): Mark | null {
    const { marks, firsts } = this.columns
    let last: Mark | null = null
    for (let i = 0; i < firsts.length; i++)
      last = greaterMark(last, marks[(firsts[i] ?? 0) + this.index] ?? null)
    return last
  }

  keys(): MapIterator<PartName> {
    return this.open.byPart.keys()
  }

  values(): MapIterator<Cell> {
    return this.decoded().values()
  }

  entries(): MapIterator<[PartName, Cell]> {
    return this.decoded().entries()
  }

  [Symbol.iterator](): MapIterator<[PartName, Cell]> {
    return this.entries()
  }

  forEach(call: (cell: Cell, part: PartName, cells: ReadonlyMap<PartName, Cell>) => void): void {
    for (const [part, cell] of this.decoded()) call(cell, part, this)
  }

  /** The cell that has this column. */
  cellIn(column: PackedColumn): Cell {
    const cell = column.cells?.[this.index]
    if (cell !== undefined) return cell
    const last = this.markIn(column)
    assert(last !== null, 'every value has its mark')
    const { bytes, starts } = column
    return { strategy: 'lww', last, value: bytes.slice(starts[this.index], starts[this.index + 1]) }
  }

  /** All of them, in a map of the caller's own; those of which there is news, as they are there. */
  decoded(news: ReadonlyMap<PartName, Cell> | null = null): ListedMap<PartName, Cell> {
    const list: Cell[] = []
    this.columns.byPart.forEach((column, part) => list.push(news?.get(part) ?? this.cellIn(column)))
    const cells = new ListedMap(this.open.names, list)
    news?.forEach((cell, part) => {
      if (!this.has(part)) cells.set(part, cell)
    })
    return cells
  }
}
