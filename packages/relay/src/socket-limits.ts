/**
 * What one connection may cost before and beside what the kernel bounds by credit (SPEC F4).
 */
import { limits } from '@rejoin/core'

export interface SocketLimits {
  readonly frameBytesMax: number
  readonly helloBytesMax: number
  /** From the upgrade on, whatever else arrives in between. */
  readonly helloMs: number
  /** From the upgrade to the answer to the hello: what asks who a token stands for may hang. */
  readonly answerMs: number
  /** How often an idle connection is asked whether it is there. */
  readonly pingMs: number
  readonly missedPingsMax: number
  /** How often connections are looked over: deadlines are kept to this. */
  readonly sweepMs: number
  /** How long the other end may take to close. */
  readonly closeMs: number
  readonly fragmentsMax: number
  readonly connectionsMax: number
  /** Beyond it the connection is cut: its reader has stopped and its credit was not heeded. */
  readonly bufferedBytesMax: number
  /** How long the relay may take to stop. */
  readonly stopMs: number
  /** A client that was sent away comes back after half to all of this time. */
  readonly retryAfterMs: number
}

export const socketLimits: SocketLimits = {
  frameBytesMax: limits.frameBytesMax,
  helloBytesMax: limits.helloBytesMax,
  helloMs: 5000,
  answerMs: 10_000,
  pingMs: 25_000,
  missedPingsMax: 2,
  sweepMs: 500,
  closeMs: 3000,
  fragmentsMax: 64,
  connectionsMax: 10_000,
  bufferedBytesMax: 16 * 1024 * 1024,
  stopMs: 8000,
  retryAfterMs: 4000,
}
