/**
 * What came in and is not dealt with, of each link (SPEC F5). A link that brings more than the relay takes in is not read
 * meanwhile, so that who sends waits, and not what was sent.
 *
 *   read -- came: more than its bound --> paused -- dealtWith: less than half of it is left --> read
 *
 * What deals with a frame waits for the store alone, never for the other end: so two relays cannot wait for each other.
 */
import type { Frame, SubmitFrame } from '@rejoin/core'
import type { SessionLink } from '../kernel-port.ts'

/** Of all links of a kernel. */
export interface Inflows {
  bytes: number
}

export interface Inflow {
  readonly link: SessionLink
  readonly all: Inflows
  bytes: number
  /** Of these, what the turn that is under way deals with. */
  inTurn: number
  isPaused: boolean
}

/** About what a client offers at once, so that one that waits for its verdicts is hardly ever held back. */
const inflowBytesMax = 4 * 1024 * 1024
/** Of all links together. Beyond it each has one frame after the other dealt with. */
const inflowsBytesMax = 64 * 1024 * 1024
/** What a frame takes beside its bytes, and each thing in it: of a short write, these are the lesser part. */
const thingBytes = 256

export function createInflow(link: SessionLink, all: Inflows): Inflow {
  return { link, all, bytes: 0, inTurn: 0, isPaused: false }
}

/** What a frame counts for, from when it came until it is dealt with. */
export function costOf(frame: Frame, bytes: number): number {
  return bytes + thingBytes * (1 + thingsIn(frame))
}

/** False if there is too much of it, and the link cannot be held back. */
export function came(inflow: Inflow, cost: number): boolean {
  inflow.bytes += cost
  inflow.all.bytes += cost
  if (inflow.isPaused || (inflow.bytes < inflowBytesMax && inflow.all.bytes < inflowsBytesMax)) return true
  inflow.isPaused = inflow.link.pause()
  return inflow.isPaused
}

export function dealtWith(inflow: Inflow, cost: number): void {
  inflow.bytes -= cost
  inflow.all.bytes -= cost
  if (!inflow.isPaused) return
  const isLow = inflow.bytes < inflowBytesMax / 2 && inflow.all.bytes < inflowsBytesMax
  // One frame of each link is dealt with whatever the others have brought.
  if (!isLow && inflow.bytes > 0) return
  inflow.isPaused = false
  inflow.link.resume()
}

function thingsIn(frame: Frame): number {
  switch (frame.type) {
    case 'submit':
      return writesIn(frame.transactions)
    case 'give':
    case 'changes':
      return frame.rows.length
    default:
      return 0
  }
}

function writesIn(transactions: SubmitFrame['transactions']): number {
  let count = 0
  for (let i = 0; i < transactions.length; i++) count += transactions[i]?.writes.length ?? 0
  return count
}
