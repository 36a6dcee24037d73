/**
 * What stands in the way of own writes, by where it was met; and what applications are told of it.
 *
 * - `lasting`: the database does not open, or is gone, for as long as this tab lives.
 * - `outage`: the browser closed it, and does not open it again yet.
 * - `write`, `read`: as of the last write, and of the last look at what others wrote.
 */
import { RejoinError, type DocumentKey, type ErrorCode } from '@rejoin/core'

export interface StorageFaults {
  /** The one that outlasts the others. */
  readonly code: ErrorCode | undefined
  readonly isOut: boolean
  /** Undefined: it is over. */
  note(where: Where, code: ErrorCode | undefined): void
}

type Where = 'lasting' | 'outage' | 'write' | 'read'

/** `blocked`: why the database does not open. */
export function createStorageFaults(blocked: ErrorCode | undefined, onChange: () => void): StorageFaults {
  const met = new Map<Where, ErrorCode | undefined>([['lasting', blocked]])
  return {
    get code() {
      return met.get('lasting') ?? met.get('outage') ?? met.get('write') ?? met.get('read')
    },
    get isOut() {
      return met.get('outage') !== undefined
    },
    note(where, code) {
      if (met.get(where) === code) return
      met.set(where, code)
      onChange()
    },
  }
}

export function damagedError(document: DocumentKey): RejoinError<'storage-damaged'> {
  const message = `what this device stored of ${document} cannot be read; a relay is asked for it`
  return new RejoinError('storage-damaged', { document }, message)
}

export function goneFrom(name: string): RejoinError<'storage-closed'> {
  const reason = 'the browser or another tab took the database away'
  return new RejoinError('storage-closed', { reason }, `${name}: ${reason}; open the replica again`)
}
