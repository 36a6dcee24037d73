/**
 * The lock on a store's file: one process at a time writes it, since its cache of rows and its generation are one
 * process's. It is a second, empty SQLite file held in an exclusive transaction: the system lets go of it when the
 * process dies, however it dies, and readers of the store itself (backups) are not kept out.
 */
import { RejoinError } from '@rejoin/core'
import { openDatabase } from './database.ts'

/** Takes the lock or throws `storage-blocked`. Returns how to let go of it. */
export function lockFile(path: string): () => void {
  const lock = openDatabase(`${path}.lock`, 0)
  try {
    lock.exec('begin exclusive')
  } catch (error) {
    lock.close()
    if (!(error instanceof RejoinError) || error.code !== 'storage-blocked') throw error
    throw new RejoinError(
      'storage-blocked',
      { reason: 'locked' },
      `${path} is open in another process, probably a relay that still runs; stop it, or use another file.`,
      error,
    )
  }
  return () => lock.close()
}
