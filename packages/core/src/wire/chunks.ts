/**
 * Chunks as bytes: a version, a kind, the names that it uses, and a body. Each stands by itself, since the journal
 * drops them one by one. A chunk of another version is refused, and its reader starts anew from a relay.
 */
import type {
  Chunk,
  ForgottenChunk,
  OwnChunk,
  PulledChunk,
  RemadeChunk,
  SettledChunk,
  StoredVerdict,
  VerdictsChunk,
} from '../chunk.ts'
import type { Outcome } from '../errors.ts'
import type { GenerationId, StoreId } from '../generations.ts'
import type { WriterId } from '../mark.ts'
import { readNumber, writeNumber } from './numbers.ts'
import { diskBounds } from './bounds.ts'
import { readRuns, writeRuns } from './row-runs.ts'
import { readKeys, writeKeys } from './data-frames.ts'
import { readCopies, writeCopies } from './copies.ts'
import {
  borrowDictionary,
  readOwnNames,
  returnDictionary,
  stateOfDictionary,
  writeDefinitions,
  type Dictionary,
  type Names,
} from './dictionary.ts'
import { readFailure, writeFailure } from './failures.ts'
import { readPart, writePart } from './keys.ts'
import {
  readCursor,
  readGenerations,
  readList,
  readName,
  readPositions,
  writeCursor,
  writeGenerations,
  writeName,
  writePositions,
} from './positions.ts'
import { createReader, expectEnd, readByte, readBytes, readString, readUint, type Reader } from './reader.ts'
import { attempt, refuseMalformed } from './refusal.ts'
import { readFlags, writeFlags } from './session-frames.ts'
import { readSnapshot, writeSnapshot } from './snapshot-chunk.ts'
import { readTransactionId, readTransactions, writeTransactionId, writeTransactions } from './transactions.ts'
import {
  createWriter,
  writeByte,
  writeBytes,
  writeString,
  writeUint,
  finishTogether,
  type Writer,
} from './writer.ts'
import { readWriterRecords, writeWriterRecords } from './writer-records.ts'

/** 2: writes say what their writers had counted before them. 3: and what they had heard; texts made anew are kept. 4: rows that are asked for, by relay. 5: where relays' addresses lead, and when writers were made anew. 6: and which relays are meant. 7: what was pulled stays as it came. 8: what marks of writes were made anew is kept. 9: ids and ticks of writes take less. 10: what is made anew says over what. 11: updates of texts leave out who typed them. 12: contents and ids of one length take less. 13: which writers are own, and what was heard of relays last, is kept. 14: times that are not alike go byte by byte. 15: a cursor's place is said from its cut, and lanes of fingerprints take four bytes. */
const chunkVersion = 15

/** In the order of their numbers on disk. */
const chunkKinds: readonly Chunk['kind'][] = [
  'own',
  'pulled',
  'verdicts',
  'remade',
  'settled',
  'snapshot',
  'forgotten',
  'met',
]

export function encodeChunk(chunk: Chunk): Uint8Array {
  const dictionary = borrowDictionary()
  const empty = stateOfDictionary(dictionary)
  const body = createWriter()
  writeBody(body, dictionary, chunk)
  const writer = createWriter()
  writeByte(writer, chunkVersion)
  writeByte(writer, chunkKinds.indexOf(chunk.kind))
  writeDefinitions(writer, dictionary, empty)
  returnDictionary(dictionary)
  return finishTogether(writer, body)
}

export function decodeChunk(bytes: Uint8Array): Outcome<Chunk> {
  return attempt(() => {
    const reader = createReader(bytes)
    if (readByte(reader) !== chunkVersion) refuseMalformed('a chunk is of another version')
    const kind = chunkKinds[readByte(reader)] ?? refuseMalformed('a chunk is of an unknown kind')
    const names = readOwnNames(reader)
    const chunk = readBody(reader, names, kind)
    expectEnd(reader)
    return chunk
  })
}

function writeBody(writer: Writer, dictionary: Dictionary, chunk: Chunk): void {
  switch (chunk.kind) {
    case 'own':
      return writeTransactions(writer, dictionary, chunk.transactions)
    case 'pulled':
      return writePulled(writer, dictionary, chunk)
    case 'verdicts':
      return writeVerdicts(writer, dictionary, chunk)
    case 'remade':
      return writeRemade(writer, dictionary, chunk)
    case 'settled':
      writeUint(writer, chunk.ids.length)
      for (const id of chunk.ids) writeTransactionId(writer, dictionary, id)
      return
    case 'forgotten':
      return writeKeys(writer, dictionary, chunk.keys)
    case 'met':
      writeString(writer, chunk.address)
      writeName(writer, dictionary, chunk.store)
      return writeCopies(writer, chunk.copies)
    case 'snapshot':
      return writeSnapshot(writer, dictionary, chunk)
  }
}

function readBody(reader: Reader, names: Names, kind: Chunk['kind']): Chunk {
  switch (kind) {
    case 'own':
      return { kind, transactions: readTransactions(reader, names) } satisfies OwnChunk
    case 'pulled':
      return readPulled(reader, names)
    case 'verdicts':
      return readVerdicts(reader, names)
    case 'remade':
      return readRemade(reader, names)
    case 'settled':
      return {
        kind,
        ids: readList(reader, 2, () => readTransactionId(reader, names)),
      } satisfies SettledChunk
    case 'forgotten':
      return { kind, keys: readKeys(reader, names, diskBounds.rows) } satisfies ForgottenChunk
    case 'met':
      return {
        kind,
        address: readString(reader, 'bytes of an address', Number.MAX_SAFE_INTEGER),
        store: readName<StoreId>(reader, names),
        copies: readCopies(reader),
      }
    case 'snapshot':
      return readSnapshot(reader, names)
  }
}

function writePulled(writer: Writer, dictionary: Dictionary, chunk: PulledChunk): void {
  const { cursor, frontier, reach } = chunk
  writeFlags(writer, [
    cursor !== null,
    frontier !== null,
    frontier !== null && frontier.how === 'replace',
    reach !== null,
  ])
  writeName(writer, dictionary, chunk.store)
  writeNumber(writer, chunk.at)
  if (cursor !== null) writeCursor(writer, dictionary, cursor)
  if (frontier !== null) writePositions(writer, dictionary, frontier.positions)
  if (reach !== null) writePositions(writer, dictionary, reach)
  writeKeys(writer, dictionary, chunk.wants)
  writeWriterRecords(writer, dictionary, chunk.writers)
  writeGenerations(writer, dictionary, chunk.generations)
  writeRuns(writer, dictionary, chunk.rows)
  writeUint(writer, chunk.texts.length)
  for (const { key, part, update } of chunk.texts) {
    writePart(writer, dictionary, key, part)
    writeBytes(writer, update)
  }
}

function readPulled(reader: Reader, names: Names): PulledChunk {
  const [hasCursor, hasFrontier, isReplaced, hasReach] = readFlags(reader, 4)
  if (isReplaced && !hasFrontier) refuseMalformed('a frontier is missing')
  const store = readName<StoreId>(reader, names)
  const at = readNumber(reader)
  const cursor = hasCursor ? readCursor(reader, names) : null
  const positions = hasFrontier ? readPositions(reader, names) : null
  const reach = hasReach ? readPositions(reader, names) : null
  const wants = readKeys(reader, names, diskBounds.rows)
  const writers = readWriterRecords(reader, names)
  const generations = readGenerations(reader, names)
  const rows = readRuns(reader, names)
  const texts = readList(reader, 3, () => ({
    ...readPart(reader, names),
    update: readBytes(reader, 'bytes of an update of a text', Number.MAX_SAFE_INTEGER),
  }))
  return {
    kind: 'pulled',
    store,
    rows,
    texts,
    cursor,
    wants,
    writers,
    generations,
    frontier: positions && { positions, how: isReplaced ? 'replace' : 'join' },
    reach,
    at,
  }
}

type Shows = Extract<StoredVerdict['outcome'], { readonly kind: 'acknowledged' }>['shows']
const showing: readonly Shows[] = ['yes', 'lost', 'hidden']
const refusedKind = showing.length

function writeVerdicts(writer: Writer, dictionary: Dictionary, chunk: VerdictsChunk): void {
  writeName(writer, dictionary, chunk.store)
  writeName(writer, dictionary, chunk.generation)
  writeUint(writer, chunk.position)
  writeByte(writer, chunk.cut ? 1 : 0)
  writeUint(writer, chunk.verdicts.length)
  for (const { id, outcome } of chunk.verdicts) {
    writeTransactionId(writer, dictionary, id)
    if (outcome.kind === 'acknowledged') {
      writeByte(writer, showing.indexOf(outcome.shows))
    } else {
      writeByte(writer, refusedKind)
      writeUint(writer, outcome.write)
      writeFailure(writer, outcome.error)
    }
  }
  writeKeys(writer, dictionary, chunk.wants)
}

function readVerdicts(reader: Reader, names: Names): VerdictsChunk {
  return {
    kind: 'verdicts',
    store: readName<StoreId>(reader, names),
    generation: readName<GenerationId>(reader, names),
    position: readUint(reader),
    cut: readByte(reader) === 1,
    verdicts: readList(reader, 3, () => ({
      id: readTransactionId(reader, names),
      outcome: readOutcome(reader),
    })),
    wants: readKeys(reader, names, diskBounds.rows),
  }
}

function readOutcome(reader: Reader): StoredVerdict['outcome'] {
  const kind = readByte(reader)
  if (kind === refusedKind) return { kind: 'refused', write: readUint(reader), error: readFailure(reader) }
  return { kind: 'acknowledged', shows: showing[kind] ?? refuseMalformed('a verdict is of an unknown kind') }
}

function writeRemade(writer: Writer, dictionary: Dictionary, chunk: RemadeChunk): void {
  writeUint(writer, chunk.seen)
  writeUint(writer, chunk.writers.length)
  for (const { from, to } of chunk.writers) {
    writeName(writer, dictionary, from)
    writeName(writer, dictionary, to)
  }
  writeTransactions(
    writer,
    dictionary,
    chunk.transactions.map(({ to }) => to),
  )
  for (const { from } of chunk.transactions) writeTransactionId(writer, dictionary, from)
  writeUint(writer, chunk.quarantined.length)
  for (const { id, error } of chunk.quarantined) {
    writeTransactionId(writer, dictionary, id)
    writeFailure(writer, error)
  }
}

function readRemade(reader: Reader, names: Names): RemadeChunk {
  return {
    kind: 'remade',
    seen: readUint(reader),
    writers: readList(reader, 2, () => ({
      from: readName<WriterId>(reader, names),
      to: readName<WriterId>(reader, names),
    })),
    transactions: readTransactions(reader, names).map(to => ({ from: readTransactionId(reader, names), to })),
    quarantined: readList(reader, 4, () => ({
      id: readTransactionId(reader, names),
      error: readFailure(reader),
    })),
  }
}
