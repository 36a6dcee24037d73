/** A session that a space knows, with the link that carries its frames. */
import {
  createKnownNames,
  encodeFrame,
  noPositions,
  type DocumentKey,
  type Frame,
  type KnownNames,
  type PeerPull,
  type Positions,
  type RowIndex,
  type SpaceSession,
  type StoreId,
} from '@rejoin/core'
import { bufferedMarkBytes, type SessionLink } from '../kernel-port.ts'
import type { Inflow } from './inflow.ts'

export interface Attached {
  readonly link: SessionLink
  readonly session: SpaceSession
  /** The other direction, where the other end is a peer. */
  pull: PeerPull | null
  /** All rows as they were when its reconciling began. */
  index: RowIndex | null
  /** What it was sent of the commit behind its place, if there was no room for all of that. */
  begun: { readonly position: number; readonly keys: ReadonlySet<DocumentKey> } | null
  /** How many rows of the feed are read for it at once, where that is less than a page. */
  rowsAtOnce: number
  /** What it asked for and has not been sent, an answer for each `want`, and how many things these want in all. */
  readonly answers: { readonly frames: AsyncIterator<undefined>; readonly things: number }[]
  asked: number
  /** Rows that it gave back, and those of them that were not taken, until the log was told (SPEC R2, T2). */
  given: number
  givenRefused: number
  /** How often in a row a peer's cut was not what it should have been (SPEC P5). */
  differences: number
  /** Who judges, by what its welcome said. */
  readonly leader: StoreId | null
  /** The follower over whose link it is passed on; null if the link is its own. */
  readonly follower: Attached | null
  /** Of the link that carries it, which is the follower's if it is passed on. */
  readonly inflow: Inflow
  /** Whether it waits for what is at quorum: it wrote, or asked for that level, or passes it on. */
  awaitsQuorum: boolean
  /** What it was told of that. */
  quorum: Positions
  /** What it was told of the names that changes are sent in. */
  readonly known: KnownNames
  open: boolean
}

/** One that has been told nothing yet. */
export function createAttached(
  of: Pick<Attached, 'link' | 'session' | 'pull' | 'leader' | 'follower' | 'inflow' | 'awaitsQuorum'>,
): Attached {
  return {
    ...of,
    index: null,
    begun: null,
    rowsAtOnce: Number.POSITIVE_INFINITY,
    answers: [],
    asked: 0,
    given: 0,
    givenRefused: 0,
    differences: 0,
    quorum: noPositions,
    known: createKnownNames(),
    open: true,
  }
}

/** Sends a frame, and counts it against the receiver's credit (SPEC F3). Returns its bytes. */
export function send(attached: Attached, frame: Frame): number {
  return sendBytes(attached, encodeFrame(frame))
}

/** `length`: that of the frame before it was deflated. */
export function sendBytes(attached: Attached, bytes: Uint8Array, length: number = bytes.length): number {
  if (!attached.open) return 0
  attached.session.credit -= length
  attached.link.send(bytes)
  return length
}

/** Whether its connection takes more. What it asked for is not held to its credit, which may be for what it asks next. */
export function isWritable(attached: Attached): boolean {
  return attached.open && attached.link.buffered() < bufferedMarkBytes
}

/** Whether it takes more of what can wait. Who does not is a cursor that lags, not a queue that grows (SPEC F1). */
export function hasRoom(attached: Attached): boolean {
  return isWritable(attached) && attached.session.credit > 0
}
