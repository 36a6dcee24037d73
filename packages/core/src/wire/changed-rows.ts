/** Rows of a pull: a batch, and beside it how many parts each row has at its source, and what of its texts comes. */
import { limits } from '../limits.ts'
import { listOf } from '../listed-map.ts'
import { lastOfRow, type DocumentKey, type PartName, type Row, collectionOfKey } from '../row.ts'
import type { ChangedRow, TextHead, TextPart } from '../frames.ts'
import { readBatch, writeBatch } from './batch.ts'
import type { Bounds } from './bounds.ts'
import { readColumn, readUniform, writeColumn } from './columns.ts'
import { readCellName } from './contents.ts'
import { numberOfField, type Dictionary, type Names, type Span } from './dictionary.ts'
import { readDigest, writeDigest } from './digests.ts'
import { sortedEntries } from './order.ts'
import { readCount, readUint, type Reader } from './reader.ts'
import { refuseMalformed } from './refusal.ts'
import { readStateVector, writeStateVector } from './state-vector.ts'
import { authorOf, readUpdates, writeUpdates } from './text-updates.ts'
import { writeUint, type Writer } from './writer.ts'

export function writeChangedRows(writer: Writer, dictionary: Dictionary, rows: readonly ChangedRow[]): void {
  writeBatch(
    writer,
    dictionary,
    rows.map(({ key, delta }) => ({ key, delta, mark: lastOfRow(delta) })),
  )
  writeColumn(
    writer,
    rows.map(({ parts, texts }) => parts * 2 + (texts.size > 0 ? 1 : 0)),
  )
  for (const row of rows) if (row.texts.size > 0) writeTexts(writer, dictionary, row)
}

export function readChangedRows(reader: Reader, names: Names, bounds: Bounds): readonly ChangedRow[] {
  const from = reader.at
  const { keys, rows: deltas } = readBatch(reader, names, bounds)
  // As of rows that are alike.
  const uniform = readUniform(reader, deltas.length)
  const heads = uniform === null ? readColumn(reader, deltas.length) : null
  const rows = listOf<ChangedRow>(deltas.length)
  for (let i = 0; i < rows.length; i++) {
    const key = keys[i] as DocumentKey
    const delta = deltas[i] as Row
    const head = uniform ?? heads?.[i] ?? 0
    const texts = head % 2 === 1 ? readTexts(reader, names, key, delta) : noTextParts
    rows[i] = { key, delta, parts: Math.floor(head / 2), texts }
  }
  const { defined } = names
  if (defined !== null) keepEncoded(reader.bytes, defined, { from, to: reader.at }, rows)
  return rows
}

/** Rows as they came: together with the names that they are written in. */
export interface EncodedRows {
  readonly rows: readonly ChangedRow[]
  readonly names: Uint8Array
  readonly body: Uint8Array
}

/** So many rows are stored as they came. */
const encodedFrom = 2
const encodedByFirst = new WeakMap<ChangedRow, EncodedRows>()

function keepEncoded(bytes: Uint8Array, names: Span, body: Span, rows: readonly ChangedRow[]): void {
  const [first] = rows
  if (first === undefined || rows.length < encodedFrom) return
  const part = ({ from, to }: Span): Uint8Array => bytes.subarray(from, to)
  encodedByFirst.set(first, { rows, names: part(names), body: part(body) })
}

/** What came together and begins at an index, if all of it is there. */
export function encodedRowsAt(rows: readonly ChangedRow[], index: number): EncodedRows | null {
  const first = rows[index]
  const encoded = first === undefined ? undefined : encodedByFirst.get(first)
  return encoded?.rows.every((row, i) => row === rows[index + i]) === true ? encoded : null
}

const noTextParts: ReadonlyMap<PartName, TextPart> = new Map()

/** A part's number, doubled, and one more for a head. */
function writeTexts(writer: Writer, dictionary: Dictionary, { key, delta, texts }: ChangedRow): void {
  const collection = collectionOfKey(key)
  writeUint(writer, texts.size)
  for (const [name, text] of sortedEntries(texts)) {
    const number = numberOfField(dictionary, collection, name)
    writeUint(writer, number * 2 + (text.kind === 'head' ? 1 : 0))
    if (text.kind === 'head') writeTextHead(writer, text.head)
    else writeUpdates(writer, text.updates, authorOf(delta, name))
  }
}

function readTexts(
  reader: Reader,
  names: Names,
  key: DocumentKey,
  row: Row,
): ReadonlyMap<PartName, TextPart> {
  const collection = collectionOfKey(key)
  const texts = new Map<PartName, TextPart>()
  const count = readCount(reader, 'texts of a row', limits.partsPerFrameMax, 2)
  for (let i = 0; i < count; i++) {
    const head = readUint(reader)
    const name = readCellName(names, Math.floor(head / 2), collection)
    texts.set(
      name,
      head % 2 === 1
        ? { kind: 'head', head: readTextHead(reader) }
        : { kind: 'tail', updates: readUpdates(reader, authorOf(row, name)) },
    )
  }
  if (texts.size !== count || count === 0) refuseMalformed('the texts of a row are not in their one form')
  return texts
}

function writeTextHead(writer: Writer, head: TextHead): void {
  writeStateVector(writer, head.stateVector)
  writeDigest(writer, head.digest)
  writeUint(writer, head.bytes)
}

function readTextHead(reader: Reader): TextHead {
  return { stateVector: readStateVector(reader), digest: readDigest(reader), bytes: readUint(reader) }
}
