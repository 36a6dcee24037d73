/** What was stored, decoded. Only this client wrote it, so bytes that do not decode mean a damaged or newer store. */
import {
  decodeChunk,
  decodeRow,
  RejoinError,
  type Chunk,
  type Failure,
  type Outcome,
  type Row,
} from '@rejoin/core'

export function decodeStoredChunk(bytes: Uint8Array): Chunk {
  return expectDecoded(decodeChunk(bytes))
}

/** Undefined for a damaged one: it costs itself, and nothing beside. */
export function decodeStoredRow(bytes: Uint8Array): Row | undefined {
  const outcome = decodeRow(bytes)
  return outcome.ok ? outcome.value : undefined
}

function expectDecoded<T>(outcome: Outcome<T>): T {
  if (outcome.ok) return outcome.value
  throw unreadableStore(outcome.error)
}

/** What a store is answered with that lacks, or garbles, what it must hold. */
export function unreadableStore(cause?: Failure): RejoinError {
  return new RejoinError(
    'storage-closed',
    { reason: unreadable },
    `${unreadable}: damaged, or of a newer version; reload`,
    cause,
  )
}

const unreadable = 'something stored cannot be read'

/** Whether that is what was met: trying again would meet it again. */
export function isUnreadable(error: unknown): error is RejoinError<'storage-closed'> {
  return (
    error instanceof RejoinError &&
    error.code === 'storage-closed' &&
    'reason' in error.details &&
    error.details.reason === unreadable
  )
}
