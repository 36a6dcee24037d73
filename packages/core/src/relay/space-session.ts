/** Who a space speaks with: one session with a client or a peer, as the space knows it. */
import type { Failure } from '../errors.ts'
import type { Frame, WriterRecord } from '../frames.ts'
import type { Positions, StoreId } from '../generations.ts'
import type { WriterId } from '../mark.ts'
import type { HeldRow } from '../relay-store.ts'
import type { DocumentKey } from '../row.ts'
import type { Write } from '../write.ts'
import type { BodyAhead } from './body-ahead.ts'

/** What the shell found out about who asks, before the space hears of the hello. */
export interface Caller {
  readonly user: string
  readonly mayWrite: boolean
  /** The application's rule; null if it lets the write pass. */
  readonly rule: (write: Write) => Failure | null
}

/** A cursor, never a queue (SPEC F1): numbers and small tables, and one body at most. */
export interface SpaceSession {
  readonly id: number
  readonly role: 'client' | 'peer'
  readonly replica: StoreId
  readonly device: string
  readonly caller: Caller
  /** Where its pull of this feed is; `place` is sent and not yet a cut. */
  cut: number
  place: number
  /** P4: of a new replica, rows that did not exist when its walk began are not sent. 0 for others. */
  fresh: number
  /** Whether its pull has begun, and whether it is at the end of the feed, so that commits go to it at once. */
  walking: boolean
  live: boolean
  /** Bytes that may still be sent to it. */
  credit: number
  submitted: number
  round: number
  skipping: boolean
  givenCount: number
  /** What it gave of a body ahead of its row, until the row comes (SPEC X3). */
  bodyAhead: BodyAhead | null
  /** Frontier entries that it was told. */
  told: Positions
  toldWriters: number
}

/** Those who are there. What a driver keeps of each is its own. */
export type Sessions = ReadonlyMap<SpaceSession, unknown>

/** What a turn may look up: rows and writers that were loaded for it. */
export interface TurnReads {
  row(key: DocumentKey): HeldRow | undefined
  writer(id: WriterId): WriterRecord | undefined
}

/** What some of them hear, each of them the same. */
export interface Delivery {
  readonly sessions: readonly SpaceSession[]
  readonly frame: Frame
}
