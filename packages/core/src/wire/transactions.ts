/** Transactions as a replica keeps them: the writes of all of them as one batch, and beside it what each had seen. */
import { assert } from '../errors.ts'
import { keysOf, listOf } from '../listed-map.ts'
import type { WriterId } from '../mark.ts'
import { readMarks, readNoMarks, writeMarks, writeNoMarks, writeOnlyMark } from './mark-columns.ts'
import { readNumber, writeNumber } from './numbers.ts'
import { askedOfColumns } from '../packed-cells.ts'
import { emptyRow, hasStrategy, type PartName, type Row } from '../row.ts'
import { nothingCounted, nothingSeen, type SeenDocument } from '../seen-document.ts'
import {
  serialOf,
  transactionId,
  writerOf,
  type Transaction,
  type TransactionId,
  type Write,
} from '../write.ts'
import { diskBounds } from './bounds.ts'
import { readColumn, readZeros, writeColumn, writeColumnOf, writeUniform } from './columns.ts'
import { readTotal } from './contents.ts'
import type { Dictionary, Names } from './dictionary.ts'
import { compareNames } from './order.ts'
import { readName, writeName } from './positions.ts'
import { readCount, readUint, type Reader } from './reader.ts'
import { checkLimit, refuseMalformed } from './refusal.ts'
import { countOfStrategy } from './shapes.ts'
import { writeUint, type Writer } from './writer.ts'
import { readWrites, writeWrites, type WritesRead } from './writes.ts'

export function writeTransactions(
  writer: Writer,
  dictionary: Dictionary,
  transactions: readonly Transaction[],
): void {
  const { length } = transactions
  writeUint(writer, length)
  const [first] = transactions
  const isOnly = first !== undefined && length === 1
  // In one pass: thousands are written where nothing has run often enough to be fast.
  const writes: Write[] = []
  const seen: SeenDocument[] = []
  const counts: number[] = []
  for (let i = 0; i < length; i++) {
    const transaction = transactions[i] as Transaction
    writeTransactionId(writer, dictionary, transaction.id)
    writeNumber(writer, transaction.correction)
    writeUint(writer, transaction.heard)
    counts.push(transaction.writes.length)
    if (isOnly) break
    for (let k = 0; k < transaction.writes.length; k++) writes.push(transaction.writes[k] as Write)
    for (let k = 0; k < transaction.seen.length; k++) seen.push(transaction.seen[k] as SeenDocument)
  }
  writeColumn(writer, counts)
  // Most chunks are one transaction, which has such lists.
  writeInside(writer, dictionary, isOnly ? first.writes : writes, isOnly ? first.seen : seen)
}

/** The writes of all, and what each had seen. */
function writeInside(
  writer: Writer,
  dictionary: Dictionary,
  writes: readonly Write[],
  seen: readonly SeenDocument[],
): void {
  assert(seen.length === writes.length, 'a transaction says for each write what it had seen')
  const shapes = writeWrites(writer, dictionary, writes, { isStored: true })
  writeSeen(writer, dictionary, seen, writes)
  if (shapes !== null && countOfStrategy(shapes, 'counter') === 0) return
  writes.forEach(({ delta }, i) => {
    for (const part of countersOf(delta.cells)) writeNumber(writer, seen[i]?.counted.get(part) ?? 0)
  })
}

function writeSeen(
  writer: Writer,
  dictionary: Dictionary,
  seen: readonly SeenDocument[],
  writes: readonly Write[],
): void {
  const { length } = seen
  // As of all inserts, of which there may be thousands.
  if (seen.every(isNothing)) {
    writeUniform(writer, 0, length)
    return writeNoMarks(writer, length)
  }
  const [[only], [write]] = [seen, writes]
  if (only !== undefined && only.last !== null && write !== undefined && length === 1) {
    writeUniform(writer, only.exists ? 1 : 0, 1)
    return writeOnlyMark(writer, dictionary, only.last, write.mark)
  }
  writeColumnOf(writer, length, i => (seen[i]?.exists === true ? 1 : 0))
  writeMarks(
    writer,
    dictionary,
    seen.map(({ last }) => last),
    writes.map(({ mark }) => mark),
  )
}

function isNothing(seen: SeenDocument): boolean {
  return seen === nothingSeen
}

export function readTransactions(reader: Reader, names: Names): readonly Transaction[] {
  const count = readCount(reader, 'transactions', diskBounds.rows, 4)
  const heads: Pick<Transaction, 'id' | 'correction' | 'heard'>[] = []
  for (let i = 0; i < count; i++) {
    const id = readTransactionId(reader, names)
    heads.push({ id, correction: readNumber(reader), heard: readUint(reader) })
  }
  const counts = readColumn(reader, count)
  let total = 0
  for (const writes of counts) checkLimit('writes', diskBounds.rows, (total += writes))
  const read = readWrites(reader, names, diskBounds)
  const { writes } = read
  if (writes.length !== total) refuseMalformed('the writes do not fit their transactions')
  const seen = readSeenDocuments(reader, names, read)
  let at = 0
  return heads.map((head, i) => {
    const from = at
    at += counts[i] ?? 0
    return { ...head, writes: writes.slice(from, at), seen: seen.slice(from, at) }
  })
}

function readSeenDocuments(
  reader: Reader,
  names: Names,
  { writes, alike }: WritesRead,
): readonly SeenDocument[] {
  const { length } = writes
  const exists = readZeros(reader, length) ? null : readColumn(reader, length)
  const marks = readNoMarks(reader, length)
    ? null
    : readMarks(
        reader,
        names,
        length,
        writes.map(({ mark }) => mark),
      )
  const countersIn = askedOfColumns(countersOf)
  // As of all inserts, of which there may be thousands.
  if (marks === null && exists === null && alike !== null && countersIn(alike.cells).length === 0)
    return listOf<SeenDocument>(length).fill(nothingSeen)
  const seen: SeenDocument[] = []
  for (let i = 0; i < length; i++) {
    const flag = exists?.[i] ?? 0
    if (flag > 1) refuseMalformed('what a write had seen has unknown flags')
    const last = marks?.[i] ?? null
    const counters = countersIn(writes[i]?.delta.cells ?? emptyRow.cells)
    const counted = counters.length === 0 ? nothingCounted : readCounted(reader, counters)
    const isNothing = flag === 0 && last === null && counted === nothingCounted
    seen.push(isNothing ? nothingSeen : { exists: flag === 1, last, counted })
  }
  return seen
}

function readCounted(reader: Reader, parts: readonly PartName[]): SeenDocument['counted'] {
  let counted: Map<PartName, number> | null = null
  for (const part of parts) {
    const total = readTotal(reader)
    if (total === 0) continue
    counted ??= new Map()
    counted.set(part, total)
  }
  return counted ?? nothingCounted
}

/** The counters of a delta in the order of their names. */
function countersOf(cells: Row['cells']): readonly PartName[] {
  let parts: PartName[] | null = null
  const names = keysOf(cells)
  for (let i = 0; i < names.length; i++)
    if (hasStrategy(names[i] as PartName, 'counter')) (parts ??= []).push(names[i] as PartName)
  if (parts === null) return noParts
  return parts.length < 2 ? parts : parts.sort(compareNames)
}

const noParts: readonly PartName[] = []

export function writeTransactionId(writer: Writer, dictionary: Dictionary, id: TransactionId): void {
  const serial = serialOf(id)
  assert(serial >= 0, 'a transaction is writer.serial')
  writeName(writer, dictionary, writerOf(id))
  writeUint(writer, serial)
}

export function readTransactionId(reader: Reader, names: Names): TransactionId {
  return transactionId(readName<WriterId>(reader, names), readUint(reader))
}
