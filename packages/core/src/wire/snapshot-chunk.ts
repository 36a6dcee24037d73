/** The body of a snapshot chunk: everything of a replica's state but its rows. */
import type { RemadeMark, SnapshotChunk } from '../chunk.ts'
import type { Cursor, GenerationId, StoreId } from '../generations.ts'
import type { WriterId } from '../mark.ts'
import { collectionOfKey, type DocumentKey } from '../row.ts'
import { diskBounds } from './bounds.ts'
import { readCopies, writeCopies } from './copies.ts'
import { readCellName } from './contents.ts'
import { readKeys, writeKeys } from './data-frames.ts'
import { numberOfField, type Dictionary, type Names } from './dictionary.ts'
import { readFailure, writeFailure } from './failures.ts'
import { readKey, readPart, writeKey, writePart } from './keys.ts'
import { expectMark, readMark, writeMark } from './marks.ts'
import { sortedEntries } from './order.ts'
import {
  readCursor,
  readFingerprint,
  readGenerations,
  readList,
  readName,
  readNames,
  readPositions,
  writeCursor,
  writeFingerprint,
  writeGenerations,
  writeName,
  writeNames,
  writePositions,
} from './positions.ts'
import { readString, readUint, type Reader } from './reader.ts'
import { readFlags, writeFlags } from './session-frames.ts'
import { readUpdates, writeUpdates } from './text-updates.ts'
import { readTransactions, writeTransactions } from './transactions.ts'
import { writeString, writeUint, type Writer } from './writer.ts'
import { readWriterRecords, writeWriterRecords } from './writer-records.ts'

export function writeSnapshot(writer: Writer, dictionary: Dictionary, chunk: SnapshotChunk): void {
  writeUint(writer, chunk.cursors.size)
  for (const [store, cursor] of sortedEntries(chunk.cursors)) {
    writeName(writer, dictionary, store)
    writeCursor(writer, dictionary, cursor)
  }
  writePositions(writer, dictionary, chunk.frontier)
  writePositions(writer, dictionary, chunk.reach)
  writeGenerations(writer, dictionary, chunk.generations)
  writeUint(writer, chunk.newest.size)
  for (const [store, generation] of sortedEntries(chunk.newest)) {
    writeName(writer, dictionary, store)
    writeName(writer, dictionary, generation)
  }
  writeFingerprint(writer, chunk.fingerprint)
  writeUint(writer, chunk.met.size)
  for (const [address, store] of sortedEntries(chunk.met)) {
    writeString(writer, address)
    writeName(writer, dictionary, store)
  }
  writeFlags(writer, [chunk.copies !== null])
  if (chunk.copies !== null) writeCopies(writer, chunk.copies)
  writeUint(writer, chunk.wants.size)
  for (const [store, keys] of sortedEntries(chunk.wants)) {
    writeName(writer, dictionary, store)
    writeKeys(writer, dictionary, keys)
  }
  writeWriterRecords(writer, dictionary, chunk.writers)
  writeTransactions(
    writer,
    dictionary,
    chunk.outbox.map(({ transaction }) => transaction),
  )
  for (const { position, acks, refusedBy } of chunk.outbox) {
    writeUint(writer, position)
    writeUint(writer, acks.length)
    for (const ack of acks) {
      writeName(writer, dictionary, ack.store)
      writeName(writer, dictionary, ack.generation)
      writeUint(writer, ack.position)
    }
    writeNames(writer, dictionary, refusedBy)
  }
  writeTransactions(
    writer,
    dictionary,
    chunk.quarantine.map(({ transaction }) => transaction),
  )
  for (const { error } of chunk.quarantine) writeFailure(writer, error)
  writeNames(writer, dictionary, chunk.own)
  writeUint(writer, chunk.retired.size)
  for (const [retired, position] of chunk.retired) {
    writeName(writer, dictionary, retired)
    writeUint(writer, position)
  }
  writeUint(writer, chunk.remade.length)
  for (const { key, part, position, old, now } of chunk.remade) {
    writePart(writer, dictionary, key, part)
    writeUint(writer, position)
    writeUpdates(writer, old, null)
    writeUpdates(writer, now, null)
  }
  writeUint(writer, chunk.remadeMarks.length)
  for (const mark of chunk.remadeMarks) writeRemadeMark(writer, dictionary, mark)
  writeNames(writer, dictionary, chunk.strangers)
}

function writeRemadeMark(
  writer: Writer,
  dictionary: Dictionary,
  { key, parts, position, old, now }: RemadeMark,
): void {
  writeKey(writer, dictionary, key)
  writeUint(writer, parts.length)
  for (const part of parts) writeUint(writer, numberOfField(dictionary, collectionOfKey(key), part))
  writeUint(writer, position)
  writeMark(writer, dictionary, old, null)
  writeMark(writer, dictionary, now, old)
}

function readRemadeMark(reader: Reader, names: Names): RemadeMark {
  const key = readKey(reader, names)
  const parts = readList(reader, 1, () => readCellName(names, readUint(reader), collectionOfKey(key)))
  const position = readUint(reader)
  const old = expectMark(readMark(reader, names, null))
  return { key, parts, position, old, now: expectMark(readMark(reader, names, old)) }
}

export function readSnapshot(reader: Reader, names: Names): SnapshotChunk {
  return {
    kind: 'snapshot',
    cursors: new Map(
      readList(reader, 4, (): [StoreId, Cursor] => [
        readName<StoreId>(reader, names),
        readCursor(reader, names),
      ]),
    ),
    frontier: readPositions(reader, names),
    reach: readPositions(reader, names),
    generations: readGenerations(reader, names),
    newest: new Map(
      readList(reader, 2, (): [StoreId, GenerationId] => [
        readName<StoreId>(reader, names),
        readName<GenerationId>(reader, names),
      ]),
    ),
    fingerprint: readFingerprint(reader),
    met: new Map(
      readList(reader, 2, (): [string, StoreId] => [
        readString(reader, 'bytes of an address', Number.MAX_SAFE_INTEGER),
        readName<StoreId>(reader, names),
      ]),
    ),
    copies: readFlags(reader, 1)[0] === true ? readCopies(reader) : null,
    wants: new Map(
      readList(reader, 2, (): [StoreId, readonly DocumentKey[]] => [
        readName<StoreId>(reader, names),
        readKeys(reader, names, diskBounds.rows),
      ]),
    ),
    writers: readWriterRecords(reader, names),
    outbox: readTransactions(reader, names).map(transaction => ({
      transaction,
      position: readUint(reader),
      acks: readList(reader, 3, () => ({
        store: readName<StoreId>(reader, names),
        generation: readName<GenerationId>(reader, names),
        position: readUint(reader),
      })),
      refusedBy: readNames<StoreId>(reader, names),
    })),
    quarantine: readTransactions(reader, names).map(transaction => ({
      transaction,
      error: readFailure(reader),
    })),
    own: readNames<WriterId>(reader, names),
    retired: new Map(
      readList(reader, 2, (): [WriterId, number] => [readName<WriterId>(reader, names), readUint(reader)]),
    ),
    remade: readList(reader, 4, () => ({
      ...readPart(reader, names),
      position: readUint(reader),
      old: readUpdates(reader, null),
      now: readUpdates(reader, null),
    })),
    remadeMarks: readList(reader, 8, () => readRemadeMark(reader, names)),
    strangers: readNames<WriterId>(reader, names),
  }
}
