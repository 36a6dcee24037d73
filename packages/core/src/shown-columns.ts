/**
 * What fields show of rows that lie in the same columns (packed-cells.ts). Most of these are read one after the other, by
 * whoever shows a collection; so each column is read as a whole, in one loop, once it is clear that it is worth it, and its
 * texts are cut out of one, which costs a fraction of decoding each by itself.
 *
 * What was read is kept until all rows were asked for: by then it is in their documents.
 */
import type { ReadableField } from './field.ts'
import { PackedCells, type PackedColumn, type PackedColumns, type ReadEncoded } from './packed-cells.ts'
import type { PartName, Row } from './row.ts'
import { decodeAscii } from './wire/reader.ts'

/** A field, and the part that it reads. */
export interface ShownField {
  readonly part: PartName
  readonly field: ReadableField
}

/** What the rows of some columns show, as far as somebody asked. */
export interface ShownColumns {
  readonly rows: number
  asked: number
  /** Who asks, known by the list of what they read: the first alone. */
  fields: readonly ShownField[] | null
  /** By field, then by row; null while rows are read one by one. */
  values: readonly (readonly unknown[])[] | null
}

/** Once every eighth row was asked for: who reads a few would keep all of them. */
const askedShare = 8

/** Nothing was asked yet of so many rows. */
export function createShownColumns(rows: number): ShownColumns {
  return { rows, asked: 0, fields: null, values: null }
}

/**
 * What each field shows of all rows that lie with this one, which is at `placeInColumns`; null if it is to be read by
 * itself. `areAll`: whether all of them will be asked for.
 */
export function readTogether(
  { cells }: Row,
  fields: readonly ShownField[],
  areAll: boolean,
): readonly (readonly unknown[])[] | null {
  if (!(cells instanceof PackedCells)) return null
  // Of those that still grow nothing is shown together, so nothing of them is put into bytes for this.
  const columns = cells.open
  const { shown } = columns
  if (shown === null) return null
  if (shown.fields !== fields) {
    if (shown.fields !== null) return null
    shown.fields = fields
  }
  shown.asked += 1
  if (shown.values === null && (areAll || shown.asked * askedShare >= shown.rows))
    shown.values = fields.map(field => readColumn(columns, shown.rows, field))
  if (shown.asked >= shown.rows) columns.shown = null
  return shown.values
}

/** Of a row whose cells do not lie in columns it means nothing. */
export function placeInColumns({ cells }: Row): number {
  return cells instanceof PackedCells ? cells.index : 0
}

function readColumn(columns: PackedColumns, rows: number, { part, field }: ShownField): readonly unknown[] {
  if (field.strategy === 'text') return []
  const column = columns.byPart.get(part)
  const { readEncoded } = field
  if (column?.cells === null && readEncoded !== undefined) return readValues(column, rows, readEncoded)
  return Array.from({ length: rows }, (_, i) =>
    field.read(column === undefined ? undefined : new PackedCells(columns, i).cellIn(column)),
  )
}

function readValues<T>({ bytes, starts }: PackedColumn, rows: number, read: ReadEncoded<T>): readonly T[] {
  const first = starts[0] ?? 0
  const text = decodeAscii(bytes.subarray(first, starts[rows]))
  const values: T[] = []
  let from = first
  for (let i = 0; i < rows; i++) {
    const to = starts[i + 1] ?? 0
    values.push(read(bytes, from, to, text, from - first))
    from = to
  }
  return values
}
