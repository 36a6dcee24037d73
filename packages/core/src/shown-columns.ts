/**
 * What fields show of rows that lie in the same columns (packed-cells.ts). Most of these are read one after the other, by
 * whoever shows a collection; so all their documents are made together once it is clear that it is worth it, column by
 * column, each in one loop, and its texts are cut out of one, which costs a fraction of decoding each by itself.
 *
 * What was made is kept until all rows were asked for: by then somebody else has it.
 */
import type { ReadableField } from './field.ts'
import { PackedCells, type PackedColumn, type PackedColumns } from './packed-cells.ts'
import type { PartName, Row } from './row.ts'
import { decodeAscii } from './wire/reader.ts'

/** A field, the part that it reads, and how documents call it. */
export interface ShownField {
  readonly name: string
  readonly part: PartName
  readonly field: ReadableField
}

/** A document that is being made. */
export type OpenDocument = Record<string, unknown> & { id: string }

/** What the rows of some columns show, as far as somebody asked. */
export interface ShownColumns {
  readonly rows: number
  asked: number
  /** Who asks, known by the list of what they read: the first alone. */
  fields: readonly ShownField[] | null
  /** By row; null while rows are read one by one. */
  documents: readonly OpenDocument[] | null
}

/** Once every eighth row was asked for: who reads a few would keep all of them. */
const askedShare = 8

/** Nothing was asked yet of so many rows. */
export function createShownColumns(rows: number): ShownColumns {
  return { rows, asked: 0, fields: null, documents: null }
}

/**
 * The document of a row, which was made with those of all rows that lie with this one; null if it is to be read by itself.
 * It has no id until who asked has given it one, and is the same when it is asked for again. `areAll`: whether all of them
 * will be asked for. `freeze` is called with what is no primitive.
 */
export function readTogether(
  { cells }: Row,
  fields: readonly ShownField[],
  areAll: boolean,
  freeze: (value: object) => void,
): OpenDocument | null {
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
  if (shown.documents === null && (areAll || shown.asked * askedShare >= shown.rows))
    shown.documents = makeDocuments(columns, shown.rows, fields, freeze)
  if (shown.asked >= shown.rows) columns.shown = null
  return shown.documents?.[cells.index] ?? null
}

function makeDocuments(
  columns: PackedColumns,
  rows: number,
  fields: readonly ShownField[],
  freeze: (value: object) => void,
): readonly OpenDocument[] {
  const read = fields.filter(({ field }) => field.strategy !== 'text')
  const blank: OpenDocument = { id: '' }
  for (const { name } of read) blank[name] = undefined
  const documents: OpenDocument[] = []
  // A copy has room for all of its fields at once, and no field is added to it.
  for (let i = 0; i < rows; i++) documents.push({ ...blank })
  for (const field of read) readColumn(columns, documents, field, freeze)
  return documents
}

function readColumn(
  columns: PackedColumns,
  documents: readonly OpenDocument[],
  { name, part, field }: ShownField,
  freeze: (value: object) => void,
): void {
  const column = columns.byPart.get(part)
  const { readEncoded } = field
  const isEncoded = column?.cells === null && readEncoded !== undefined
  const text = isEncoded ? textOf(column, documents.length) : null
  const first = column?.starts[0] ?? 0
  let from = first
  for (let i = 0; i < documents.length; i++) {
    let value: unknown
    if (isEncoded) {
      const to = column.starts[i + 1] ?? 0
      value = readEncoded(column.bytes, from, to, text, from - first)
      from = to
    } else value = field.read(column === undefined ? undefined : new PackedCells(columns, i).cellIn(column))
    if (typeof value === 'object' && value !== null) freeze(value)
    ;(documents[i] as OpenDocument)[name] = value
  }
}

/** All values of a column, if they are ASCII. */
function textOf({ bytes, starts }: PackedColumn, rows: number): string | null {
  return decodeAscii(bytes.subarray(starts[0], starts[rows]))
}
