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
        const spaces = putSpaces(statements, commits)
        for (const prepared of commits) write(statements, spaces.get(prepared.commit.space) ?? 0, prepared)
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

/** Of each space the last record of the group is what will stand. Returns the spaces' numbers. */
function putSpaces(statements: Statements, commits: readonly PreparedCommit[]): ReadonlyMap<string, number> {
  const records = new Map(commits.map(({ commit }) => [commit.space, commit.record]))
  const spaces = new Map<string, number>()
  for (const [name, record] of records) {
    const put = statements.putSpace.get(name, record.position, formatSpaceRecord(record))
    spaces.set(name, numberOf(put, 'space'))
  }
  return spaces
}

function write(statements: Statements, space: number, { rows, commit }: PreparedCommit): void {
  const { position } = commit.record
  for (const { key, held, state } of rows) {
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
