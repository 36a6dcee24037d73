/**
 * Writing commits: each is encoded when it is handed over, so that what cannot be encoded harms nobody else, and a
 * group of them is written in one transaction.
 */
import {
  collectionOfKey,
  encodeHeldRow,
  encodeHeldRows,
  idOfKey,
  RejoinError,
  type EncodedHeldRow,
  type SpaceCommit,
  type SpaceRecord,
  type TextFold,
  type WriterRecord,
} from '@rejoin/core'
import { numberOf } from './columns.ts'
import type { Database } from './database.ts'
import { formatSpaceRecord } from './space-record.ts'
import type { Statements } from './statements.ts'
import { writeFold } from './texts.ts'

/** What is written in one transaction, with others. */
export type Prepared = PreparedCommit | PreparedFold

interface PreparedCommit {
  readonly kind: 'commit'
  readonly rows: readonly EncodedHeldRow[]
  readonly commit: SpaceCommit
}

interface PreparedFold {
  readonly kind: 'fold'
  readonly row: EncodedHeldRow
  readonly fold: TextFold
  /** Whether it was written, once its transaction is. */
  isWritten: boolean
}

export function prepareCommit(commit: SpaceCommit): PreparedCommit {
  return { kind: 'commit', rows: encodeHeldRows(commit.rows), commit }
}

export function prepareFold(fold: TextFold): PreparedFold {
  return {
    kind: 'fold',
    row: { key: fold.key, held: fold.held, state: encodeHeldRow(fold.held) },
    fold,
    isWritten: false,
  }
}

/** What has the same owner is written together or not at all. A fold is nobody's write: it takes none along if it fails. */
export function ownerOf(prepared: Prepared): string {
  return prepared.kind === 'commit' ? prepared.commit.space : `fold in ${prepared.fold.space}`
}

/** What is another in the store now. */
export function writtenIn(prepared: Prepared): {
  readonly space: string
  readonly rows: readonly EncodedHeldRow[]
  readonly writers: readonly WriterRecord[]
} {
  if (prepared.kind === 'fold')
    return { space: prepared.fold.space, rows: prepared.isWritten ? [prepared.row] : [], writers: [] }
  const { space, writers } = prepared.commit
  return { space, rows: prepared.rows, writers }
}

/** `find`: the number of a space, or 0 for one that the store has never seen. */
export function createCommitter(
  database: Database,
  statements: Statements,
  find: (space: string) => number,
): (entries: readonly Prepared[]) => void {
  return entries => {
    try {
      database.transact(() => {
        // Of each space the last record of the group is what will stand.
        const records = new Map<string, SpaceRecord>()
        for (const entry of entries)
          if (entry.kind === 'commit') records.set(entry.commit.space, entry.commit.record)
        const spaces = new Map<string, number>()
        for (const [name, record] of records) spaces.set(name, putSpace(statements, name, find(name), record))
        for (const entry of entries) {
          if (entry.kind === 'commit') write(statements, spaces.get(entry.commit.space) ?? 0, entry)
          else entry.isWritten = writeFolded(statements, entry)
        }
      })
    } catch (error) {
      if (!(error instanceof RejoinError) || error.code !== 'storage-blocked') throw error
      // Whoever waits for a commit is told of two ways to fail; this one may pass like a full disk, but is not one.
      throw new RejoinError(
        'storage-closed',
        { reason: 'locked' },
        'Another program has locked the store.',
        error,
      )
    }
  }
}

/** Returns its number. */
function putSpace(statements: Statements, name: string, known: number, record: SpaceRecord): number {
  const text = formatSpaceRecord(record)
  if (known === 0) return numberOf(statements.addSpace.get(name, record.position, text), 'space')
  statements.putSpace.run(record.position, text, known)
  return known
}

function write(statements: Statements, space: number, { rows, commit }: PreparedCommit): void {
  const { position } = commit.record
  for (const row of rows) putRow(statements, space, row)
  for (const [n, { key, part, update }] of commit.texts.entries()) {
    statements.addToTail.run(space, key, part, position, n, update)
  }
  for (const { writer, user, device, highest } of commit.writers) {
    statements.putWriter.run(space, writer, user, device, highest.ms, highest.tick, position)
  }
  for (const { id, store, parent, start } of commit.generations) {
    statements.addGeneration.run(space, id, store, parent, start)
  }
}

function writeFolded(statements: Statements, { fold, row }: PreparedFold): boolean {
  const space = numberOf(statements.findSpace.get(fold.space), 'space')
  if (!writeFold(statements, space, fold)) return false
  putRow(statements, space, row)
  return true
}

function putRow(statements: Statements, space: number, { key, held, state }: EncodedHeldRow): void {
  statements.putRow.run(space, collectionOfKey(key), idOfKey(key), held.position, state)
}
