/** The bodies of frames that carry rows, writes and texts, or ask for them. */
import type {
  ChangesFrame,
  Cut,
  GivenFrame,
  GiveFrame,
  SubmitFrame,
  SubmittedTransaction,
  TextFrame,
  WantedText,
  WantFrame,
} from '../frames.ts'
import { assert } from '../errors.ts'
import type { GenerationId } from '../generations.ts'
import { limits } from '../limits.ts'
import type { Mark, WriterId } from '../mark.ts'
import { collectionOfKey, lastOfRow, type DocumentKey } from '../row.ts'
import { noTexts, type Write } from '../write.ts'
import { readBatch, writeBatch } from './batch.ts'
import { frameBounds, judgedBounds } from './bounds.ts'
import { readChangedRows, writeChangedRows } from './changed-rows.ts'
import { readColumn, writeColumn } from './columns.ts'
import type { Dictionary, Names } from './dictionary.ts'
import { readFailure, writeFailure } from './failures.ts'
import { readKey, readPart, writeKey, writePart } from './keys.ts'
import { readMark, writeMark } from './marks.ts'
import {
  isFirstName,
  readFingerprint,
  readGeneration,
  readGenerations,
  readName,
  readPositions,
  writeFingerprint,
  writeGenerations,
  writeName,
  writePositions,
} from './positions.ts'
import { readBytes, readCount, readUint, type Reader } from './reader.ts'
import { checkLimit, refuseMalformed } from './refusal.ts'
import { readFlags, writeFlags } from './session-frames.ts'
import { readStateVector, writeStateVector } from './state-vector.ts'
import { readTextUpdates, writeTextUpdates } from './text-updates.ts'
import { writeBytes, writeUint, type Writer } from './writer.ts'
import { readWriterRecords, writeWriterRecords } from './writer-records.ts'
import { isPlain, readWrites, writeWrites } from './writes.ts'

/** A live change ends at a cut whose position is its place and whose frontier is that position: one byte says so. */
export function writeChanges(writer: Writer, dictionary: Dictionary, frame: ChangesFrame): void {
  const { cut, place, answer, writers } = frame
  const isAtPlace = cut !== null && cut.position === place
  const isOwn = cut !== null && cut.frontier.size === 1 && cut.frontier.get(cut.generation) === cut.position
  writeFlags(writer, [
    answer,
    writers.length > 0,
    cut !== null,
    isAtPlace,
    isOwn,
    cut !== null && cut.generations.length > 0,
    cut !== null && cut.fingerprint !== null,
    cut !== null && isFirstName(dictionary, cut.generation),
  ])
  writeUint(writer, place)
  if (cut === null) {
    assert(frame.head >= place, 'a place is not beyond the end of its feed')
    writeUint(writer, frame.head - place)
  } else {
    assert(frame.head === cut.position, 'at a cut the feed ends')
    if (!isFirstName(dictionary, cut.generation)) writeName(writer, dictionary, cut.generation)
    if (!isAtPlace) writeUint(writer, cut.position)
    if (!isOwn) writePositions(writer, dictionary, cut.frontier)
    if (cut.generations.length > 0) writeGenerations(writer, dictionary, cut.generations)
    if (cut.fingerprint !== null) writeFingerprint(writer, cut.fingerprint)
  }
  if (writers.length > 0) writeWriterRecords(writer, dictionary, writers)
  writeChangedRows(writer, dictionary, frame.rows)
}

export function readChanges(reader: Reader, names: Names): ChangesFrame {
  const flags = readFlags(reader, 8)
  const place = readUint(reader)
  const ahead = flags[2] ? 0 : readUint(reader)
  const cut = readCut(reader, names, place, flags.slice(2))
  const head = cut?.position ?? place + ahead
  const writers = flags[1] ? readWriterRecords(reader, names) : []
  const rows = readChangedRows(reader, names, frameBounds)
  return { type: 'changes', rows, place, head, cut, answer: flags[0] ?? false, writers }
}

function readCut(reader: Reader, names: Names, place: number, flags: readonly boolean[]): Cut | null {
  const [hasCut, isAtPlace, isOwn, hasGenerations, hasFingerprint, isFirst] = flags
  if (!hasCut) {
    if (isAtPlace || isOwn || hasGenerations || hasFingerprint || isFirst)
      refuseMalformed('what a cut holds is said of none')
    return null
  }
  const generation = readGeneration(reader, names, isFirst ?? false)
  const position = isAtPlace ? place : readUint(reader)
  return {
    generation,
    position,
    frontier: isOwn ? new Map([[generation, position]]) : readPositions(reader, names),
    generations: hasGenerations ? readGenerations(reader, names) : [],
    fingerprint: hasFingerprint ? readFingerprint(reader) : null,
  }
}

export function writeWant(writer: Writer, dictionary: Dictionary, frame: WantFrame): void {
  writeKeys(writer, dictionary, frame.keys)
  writeUint(writer, frame.texts.length)
  for (const { key, part, stateVector } of frame.texts) {
    writePart(writer, dictionary, key, part)
    writeStateVector(writer, stateVector)
  }
  writeUint(writer, frame.writers.length)
  for (const id of frame.writers) writeName(writer, dictionary, id)
}

export function readWant(reader: Reader, names: Names): WantFrame {
  const keys = readKeys(reader, names, limits.rowsPerFrameMax)
  const texts: WantedText[] = []
  for (let left = readCount(reader, 'texts', limits.rowsPerFrameMax, 3); left > 0; left--)
    texts.push({ ...readPart(reader, names), stateVector: readStateVector(reader) })
  const writers: WriterId[] = []
  for (let left = readCount(reader, 'writers', limits.frameBytesMax, 1); left > 0; left--)
    writers.push(readName<WriterId>(reader, names))
  return { type: 'want', keys, texts, writers }
}

export function writeKeys(writer: Writer, dictionary: Dictionary, keys: readonly DocumentKey[]): void {
  writeUint(writer, keys.length)
  for (const key of keys) writeKey(writer, dictionary, key)
}

export function readKeys(reader: Reader, names: Names, limit: number): readonly DocumentKey[] {
  const keys: DocumentKey[] = []
  for (let left = readCount(reader, 'rows', limit, 2); left > 0; left--) keys.push(readKey(reader, names))
  return keys
}

export function writeText(writer: Writer, dictionary: Dictionary, frame: TextFrame): void {
  writePart(writer, dictionary, frame.key, frame.part)
  writeFlags(writer, [frame.more])
  writeBytes(writer, frame.update)
}

export function readText(reader: Reader, names: Names): TextFrame {
  const { key, part } = readPart(reader, names)
  const [more] = readFlags(reader, 1)
  const update = readBytes(reader, 'bytes of an update of a text', limits.frameBytesMax)
  return { type: 'text', key, part, update, more: more ?? false }
}

const submitFlags = {
  preconditions: 1,
  /** Of a round behind the first. */
  round: 2,
  /** Some transaction has not just one write. */
  counts: 4,
  /** No write is whole or brings texts. */
  plain: 8,
} as const

/** The writes of all transactions are one batch, so a burst costs what its content does. */
export function writeSubmit(writer: Writer, dictionary: Dictionary, frame: SubmitFrame): void {
  const { transactions } = frame
  const hasPreconditions = transactions.some(({ preconditions }) => preconditions.length > 0)
  const counts = transactions.map(({ writes }) => writes.length)
  const hasCounts = counts.some(count => count !== 1)
  const writes = transactions.flatMap(transaction => transaction.writes)
  const arePlain = writes.every(isPlain)
  writeUint(
    writer,
    transactions.length * 16 +
      (hasPreconditions ? submitFlags.preconditions : 0) +
      (frame.round > 0 ? submitFlags.round : 0) +
      (hasCounts ? submitFlags.counts : 0) +
      (arePlain ? submitFlags.plain : 0),
  )
  if (frame.round > 0) writeUint(writer, frame.round)
  if (hasCounts) writeColumn(writer, counts)
  writeWrites(writer, dictionary, writes, { arePlain })
  if (!hasPreconditions) return
  for (const { preconditions } of transactions) {
    writeUint(writer, preconditions.length)
    for (const { key, part, mark } of preconditions) {
      writePart(writer, dictionary, key, part)
      writeMark(writer, dictionary, mark, null)
    }
  }
}

export function readSubmit(reader: Reader, names: Names): SubmitFrame {
  const head = readUint(reader)
  const arePlain = hasFlag(head, submitFlags.plain)
  const hasCounts = hasFlag(head, submitFlags.counts)
  const hasPreconditions = hasFlag(head, submitFlags.preconditions)
  const count = Math.floor(head / 16)
  checkLimit('transactions', limits.transactionsPerFrameMax, count)
  const round = hasFlag(head, submitFlags.round) ? readUint(reader) : 0
  const counts = hasCounts ? readCounts(reader, count) : null
  const { writes } = readWrites(reader, names, judgedBounds, arePlain)
  const isOneForm = hasFlag(head, submitFlags.round) === round > 0 && writes.every(isPlain) === arePlain
  if (!isOneForm) refuseMalformed('a submit is not in its one form')
  if (counts === null && !hasPreconditions) {
    if (count !== writes.length) refuseMalformed('the writes do not fit their transactions')
    return { type: 'submit', round, transactions: writes.map(transactionOf) }
  }
  const transactions: SubmittedTransaction[] = []
  let at = 0
  for (let i = 0; i < count; i++) {
    const from = at
    at += counts?.[i] ?? 1
    if (at > writes.length) refuseMalformed('the writes do not fit their transactions')
    const preconditions = hasPreconditions ? readPreconditions(reader, names) : noPreconditions
    transactions.push({ writes: writes.slice(from, at), preconditions })
  }
  if (at !== writes.length) refuseMalformed('the writes do not fit their transactions')
  return { type: 'submit', round, transactions }
}

function transactionOf(write: Write): SubmittedTransaction {
  return { writes: [write], preconditions: noPreconditions }
}

function hasFlag(head: number, flag: number): boolean {
  return Math.floor(head / flag) % 2 === 1
}

/** How many writes each transaction has: not one each, or nothing would be said of it. */
function readCounts(reader: Reader, count: number): readonly number[] {
  const counts = readColumn(reader, count)
  for (const writes of counts) checkLimit('writes of a transaction', limits.writesPerTransactionMax, writes)
  return counts.some(writes => writes !== 1) ? counts : refuseMalformed('a submit is not in its one form')
}

const noPreconditions: SubmittedTransaction['preconditions'] = []

function readPreconditions(reader: Reader, names: Names): SubmittedTransaction['preconditions'] {
  const preconditions: { key: DocumentKey; part: ReturnType<typeof readPart>['part']; mark: Mark | null }[] =
    []
  for (let left = readCount(reader, 'preconditions', limits.writesPerTransactionMax, 3); left > 0; left--)
    preconditions.push({ ...readPart(reader, names), mark: readMark(reader, names, null) })
  return preconditions
}

export function writeGive(writer: Writer, dictionary: Dictionary, frame: GiveFrame): void {
  writeFlags(writer, [frame.last])
  writeBatch(
    writer,
    dictionary,
    frame.rows.map(({ key, row }) => ({ key, delta: row, mark: lastOfRow(row) })),
  )
  writeColumn(
    writer,
    frame.rows.map(({ texts }) => (texts.size > 0 ? 1 : 0)),
  )
  for (const { key, row, texts } of frame.rows)
    if (texts.size > 0) writeTextUpdates(writer, dictionary, collectionOfKey(key), row, texts)
}

export function readGive(reader: Reader, names: Names): GiveFrame {
  const [last = false] = readFlags(reader, 1)
  const batch = readBatch(reader, names, judgedBounds)
  const flags = readColumn(reader, batch.rows.length)
  const rows = batch.rows.map((row, i) => {
    const key = batch.keys[i] as DocumentKey
    const flag = flags[i] ?? 0
    if (flag > 1) refuseMalformed('a given row has unknown flags')
    const texts = flag === 1 ? readTextUpdates(reader, names, collectionOfKey(key), row) : noTexts
    return { key, row, texts }
  })
  return { type: 'give', rows, last }
}

export function writeGiven(writer: Writer, dictionary: Dictionary, frame: GivenFrame): void {
  writeUint(writer, frame.count)
  writeName(writer, dictionary, frame.generation)
  writeUint(writer, frame.position)
  writeUint(writer, frame.refused.length)
  for (const { key, error } of frame.refused) {
    writeKey(writer, dictionary, key)
    writeFailure(writer, error)
  }
}

export function readGiven(reader: Reader, names: Names): GivenFrame {
  const count = readUint(reader)
  const generation = readName<GenerationId>(reader, names)
  const position = readUint(reader)
  const refused: GivenFrame['refused'][number][] = []
  for (let left = readCount(reader, 'rows', limits.rowsPerFrameMax, 4); left > 0; left--)
    refused.push({ key: readKey(reader, names), error: readFailure(reader) })
  return { type: 'given', count, generation, position, refused }
}
