/**
 * SQLite as Node has it, the one file that imports it. Everything that goes wrong below becomes a RejoinError here:
 * `storage-full` where freeing space helps, `storage-blocked` where another process is in the way, `storage-closed` for
 * the rest.
 */
import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from 'node:sqlite'
import { RejoinError } from '@rejoin/core'

export type Value = SQLInputValue
export type Row = Readonly<Record<string, SQLOutputValue>>

export interface Statement {
  run(...values: readonly Value[]): void
  get(...values: readonly Value[]): Row | undefined
  all(...values: readonly Value[]): readonly Row[]
}

export interface Database {
  exec(sql: string): void
  prepare(sql: string): Statement
  /** All of it or nothing. */
  transact<T>(run: () => T): T
  close(): void
}

/** Opens or creates a file. */
export function openDatabase(path: string, busyMs: number): Database {
  const database = attempt(path, () => new DatabaseSync(path, { timeout: busyMs, allowExtension: false }))

  function rollBack(): void {
    // Some failures have rolled back already.
    if (database.isTransaction) database.exec('rollback')
  }

  return {
    exec: sql => attempt(path, () => database.exec(sql)),
    prepare: sql => {
      const statement = attempt(path, () => database.prepare(sql))
      return {
        run: (...values) => {
          try {
            statement.run(...values)
          } catch (error) {
            throw translate(path, error)
          }
        },
        get: (...values) => {
          try {
            return statement.get(...values)
          } catch (error) {
            throw translate(path, error)
          }
        },
        all: (...values) => attempt(path, () => statement.all(...values)),
      }
    },
    transact: run => {
      attempt(path, () => database.exec('begin immediate'))
      try {
        const result = run()
        attempt(path, () => database.exec('commit'))
        return result
      } catch (error) {
        rollBack()
        throw error
      }
    },
    close: () => {
      if (database.isOpen) database.close()
    },
  }
}

function attempt<T>(path: string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw translate(path, error)
  }
}

// SQLite's primary result codes; the extended ones have them in their low byte.
const busyCode = 5
const lockedCode = 6
const readOnlyCode = 8
const corruptCode = 11
const fullCode = 13
const cannotOpenCode = 14
const notDatabaseCode = 26

function translate(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error
  if (error.code === 'ERR_INVALID_STATE') {
    return new RejoinError('storage-closed', { reason: 'closed' }, `${path} was closed already.`, error)
  }
  if (error.code !== 'ERR_SQLITE_ERROR' || !('errcode' in error)) return error
  const reason = error.message
  switch (Number(error.errcode) & 0xff) {
    case fullCode:
      return new RejoinError(
        'storage-full',
        { reason },
        `${path} cannot grow (${reason}); free some space.`,
        error,
      )
    case busyCode:
    case lockedCode:
      return new RejoinError(
        'storage-blocked',
        { reason },
        `${path} is locked by another process; stop that process first.`,
        error,
      )
    case readOnlyCode:
      return closed(path, reason, 'cannot be written; look at its permissions and at its disk', error)
    case cannotOpenCode:
      return closed(path, reason, 'cannot be opened; look at the folder and its permissions', error)
    case corruptCode:
    case notDatabaseCode:
      return closed(path, reason, 'is damaged or no database; restore it from a backup', error)
    default:
      return closed(path, reason, 'failed; look at its disk', error)
  }
}

function closed(path: string, reason: string, what: string, cause: Error): RejoinError<'storage-closed'> {
  return new RejoinError('storage-closed', { reason }, `${path} ${what} (${reason}).`, cause)
}
