/**
 * The log as it was left by a store that had no time to settle it. A commit to a space that is known is one entry: its
 * record, and of rows and writers that were there before, what changed. What is new was put in its place at once.
 */
import {
  collectionOfKey,
  compareMarks,
  decodeRowChanges,
  idOfKey,
  RejoinError,
  type DocumentKey,
  type HeldRow,
  type Mark,
  type WriterRecord,
} from '@rejoin/core'
import { bytesOf, heldOf, numberOf, textOf, writerOf } from './columns.ts'
import type { Row } from './database.ts'
import { changedBy } from './row-change.ts'
import { parseSpaceRecord } from './space-record.ts'
import type { Statements } from './statements.ts'
import { noteRecord, noteRow, type Unsettled, type UnsettledSpace } from './unsettled.ts'

/** Makes unsettled what the log has. */
export function readLog(statements: Statements, unsettled: Unsettled): void {
  for (const entry of statements.listLog.all()) {
    const position = numberOf(entry, 'position')
    const text = textOf(entry, 'record')
    const bytes = bytesOf(entry, 'changes')
    const record = parseSpaceRecord(position, text)
    const space = noteRecord(unsettled, textOf(entry, 'name'), numberOf(entry, 'space'), record)
    unsettled.bytes += text.length + bytes.length
    const changes = decodeRowChanges(bytes)
    if (!changes.ok) throw damaged(changes.error.code)
    for (const { key, changed } of changes.value.rows) {
      const before = space.rows.get(key) ?? storedRow(statements, space, key)
      // What was put in its place since is newer than what the log says of it.
      if (before.position < position) noteRow(unsettled, space, key, changedBy(before, changed, position))
    }
    for (const highest of changes.value.marks) {
      const before = space.writers.get(highest.writer)?.record ?? storedWriter(statements, space, highest)
      if (compareMarks(highest, before.highest) > 0)
        space.writers.set(highest.writer, { record: { ...before, highest }, position })
    }
  }
}

function storedRow(statements: Statements, { number }: UnsettledSpace, key: DocumentKey): HeldRow {
  const row = statements.findRow.get(number, collectionOfKey(key), idOfKey(key))
  return heldOf(bytesOf(expectRow(row), 'state'))
}

function storedWriter(statements: Statements, { number }: UnsettledSpace, { writer }: Mark): WriterRecord {
  return writerOf(expectRow(statements.findWriter.get(number, writer)))
}

function expectRow(row: Row | undefined): Row {
  if (row === undefined) throw damaged('what it changed is missing')
  return row
}

function damaged(reason: string): RejoinError {
  const message = 'The log of the store is damaged; restore it from a backup.'
  return new RejoinError('storage-closed', { reason }, message)
}
