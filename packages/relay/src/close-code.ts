/**
 * Close codes of the WebSocket: what the other end learns if the frame that said why did not arrive.
 */
import type { ErrorCode } from '@rejoin/core'

export const closeCodes = {
  /** The relay goes or starts again. */
  draining: 1012,
  overloaded: 1013,
  /** A fault of the relay itself. */
  internal: 1011,
  malformed: 4400,
  unauthenticated: 4401,
  forbidden: 4403,
  /** No hello came in time. */
  timeout: 4408,
  version: 4426,
} as const

/** The code with which a link is closed after a refusal. */
export function closeCodeOf(code: ErrorCode): number {
  switch (code) {
    case 'unauthenticated':
      return closeCodes.unauthenticated
    case 'not-permitted':
      return closeCodes.forbidden
    case 'protocol-version':
      return closeCodes.version
    case 'overloaded':
    case 'storage-full':
      return closeCodes.overloaded
    case 'closed':
    case 'storage-closed':
      return closeCodes.draining
    case 'ack-timeout':
    case 'link-lost':
      return closeCodes.timeout
    default:
      return closeCodes.malformed
  }
}
