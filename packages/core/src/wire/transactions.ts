/** Transactions as a replica keeps them: the writes of all of them as one batch, and beside it what each had seen. */
import { assert } from '../errors.ts'
import type { WriterId } from '../mark.ts'
import { readNumber, writeNumber } from './numbers.ts'
import { hasStrategy, type PartName, type Row } from '../row.ts'
import { nothingCounted, nothingSeen, type SeenDocument } from '../seen-document.ts'
import { transactionId, type Transaction, type TransactionId, type Write } from '../write.ts'
import { diskBounds } from './bounds.ts'
import { readColumn, readMarks, writeColumn, writeMarks } from './columns.ts'
import { readTotal } from './contents.ts'
import type { Dictionary, Names } from './dictionary.ts'
import { compareNames } from './order.ts'
import { readName, writeName } from './positions.ts'
import { readCount, readUint, type Reader } from './reader.ts'
import { checkLimit, refuseMalformed } from './refusal.ts'
import { writeUint, type Writer } from './writer.ts'
import { readWrites, writeWrites } from './writes.ts'

export function writeTransactions(
  writer: Writer,
  dictionary: Dictionary,
  transactions: readonly Transaction[],
): void {
  writeUint(writer, transactions.length)
  for (const { id, correction, heard } of transactions) {
    writeTransactionId(writer, dictionary, id)
    writeNumber(writer, correction)
    writeUint(writer, heard)
  }
  writeColumn(
    writer,
    transactions.map(({ writes }) => writes.length),
  )
  const writes = transactions.flatMap(transaction => transaction.writes)
  const seen = transactions.flatMap(transaction => transaction.seen)
  assert(seen.length === writes.length, 'a transaction says for each write what it had seen')
  writeWrites(writer, dictionary, writes)
  writeColumn(
    writer,
    seen.map(({ exists }) => (exists ? 1 : 0)),
  )
  writeMarks(
    writer,
    dictionary,
    seen.map(({ last }) => last),
    writes.map(({ mark }) => mark),
  )
  writes.forEach(({ delta }, i) => {
    for (const part of countersOf(delta)) writeNumber(writer, seen[i]?.counted.get(part) ?? 0)
  })
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
  const writes = readWrites(reader, names, diskBounds)
  if (writes.length !== total) refuseMalformed('the writes do not fit their transactions')
  const seen = readSeenDocuments(reader, names, writes)
  let at = 0
  return heads.map((head, i) => {
    const from = at
    at += counts[i] ?? 0
    return { ...head, writes: writes.slice(from, at), seen: seen.slice(from, at) }
  })
}

function readSeenDocuments(reader: Reader, names: Names, writes: readonly Write[]): readonly SeenDocument[] {
  const exists = readColumn(reader, writes.length)
  const known = writes.map(({ mark }) => mark)
  const marks = readMarks(reader, names, writes.length, known)
  return writes.map(({ delta }, i) => {
    const flag = exists[i] ?? 0
    if (flag > 1) refuseMalformed('what a write had seen has unknown flags')
    const last = marks[i] ?? null
    const counted = readCounted(reader, countersOf(delta))
    if (flag === 0 && last === null && counted === nothingCounted) return nothingSeen
    return { exists: flag === 1, last, counted }
  })
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
function countersOf(delta: Row): readonly PartName[] {
  let parts: PartName[] | null = null
  for (const name of delta.cells.keys()) if (hasStrategy(name, 'counter')) (parts ??= []).push(name)
  if (parts === null) return noParts
  return parts.length < 2 ? parts : parts.sort(compareNames)
}

const noParts: readonly PartName[] = []

export function writeTransactionId(writer: Writer, dictionary: Dictionary, id: TransactionId): void {
  const dot = id.indexOf('.')
  const serial = Number(id.slice(dot + 1))
  assert(
    dot === 11 && transactionId(id.slice(0, dot) as WriterId, serial) === id,
    'a transaction is writer.serial',
  )
  writeName(writer, dictionary, id.slice(0, dot))
  writeUint(writer, serial)
}

export function readTransactionId(reader: Reader, names: Names): TransactionId {
  return transactionId(readName<WriterId>(reader, names), readUint(reader))
}
