/**
 * Writing commits: each is encoded when it is handed over, so that what cannot be encoded harms nobody else, and a
 * group of them is written in one transaction.
 */
import {
  collectionOfKey,
  encodeHeldRow,
  idOfKey,
  RejoinError,
  type DocumentKey,
  type HeldRow,
  type SpaceCommit,
} from '@rejoin/core'
import { numberOf } from './columns.ts'
import type { Database } from './database.ts'
import { formatSpaceRecord } from './space-record.ts'
import type { Statements } from './statements.ts'

export interface PreparedCommit {
  readonly space: string
  readonly position: number
  readonly record: string
  readonly rows: readonly PreparedRow[]
  readonly commit: SpaceCommit
}

interface PreparedRow {
  readonly key: DocumentKey
  readonly held: HeldRow
  readonly state: Uint8Array
}

export function prepareCommit(commit: SpaceCommit): PreparedCommit {
  return {
    space: commit.space,
    position: commit.record.position,
    record: formatSpaceRecord(commit.record),
    rows: Array.from(commit.rows, ([key, held]) => ({ key, held, state: encodeHeldRow(held) })),
    commit,
  }
}

export function createCommitter(
  database: Database,
  statements: Statements,
): (commits: readonly PreparedCommit[]) => void {
  return commits => {
    try {
      database.transact(() => {
        for (const prepared of commits) write(statements, prepared)
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

function write(statements: Statements, prepared: PreparedCommit): void {
  const { position, commit } = prepared
  const space = numberOf(statements.putSpace.get(prepared.space, position, prepared.record), 'space')
  for (const { key, held, state } of prepared.rows) {
    statements.putRow.run(space, collectionOfKey(key), idOfKey(key), held.position, state)
  }
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
