/**
 * A space as it is driven. Plain fields, which the rooms of this folder share as functions: spaces are many and most of
 * them idle, and an object for each room would cost each of them kilobytes.
 */
import type {
  Caller,
  Failure,
  Frame,
  FrameEncoder,
  Lead,
  Positions,
  RelaySpace,
  RowIndex,
  SpaceSession,
} from '@rejoin/core'
import type { KernelOptions } from '../kernel-port.ts'
import type { Attached } from './attached.ts'
import type { NotedCut } from './comparing.ts'
import type { Folding } from './folding.ts'
import type { Inflows } from './inflow.ts'
import type { KeptPages } from './kept-pages.ts'
import type { PassedSessions } from './passed-sessions.ts'
import type { PassingOn } from './passing-on.ts'
import type { Resting } from './resting.ts'

export interface DrivenSpace {
  readonly name: string
  readonly kernel: SpaceHost
  readonly space: RelaySpace
  readonly attachedBySession: Map<SpaceSession, Attached>
  queue: Job[]
  /** The turns that are under way. */
  running: Promise<void> | null
  /** Why commits fail at present. */
  fault: string | null
  /** The session that was sent a page last. */
  servedLast: number
  /** All rows as they were at a position, for who begins to reconcile there. Not kept for long. */
  indexed: { readonly position: number; readonly index: RowIndex } | null
  /** Up to where feeds are at quorum, as far as that is known. */
  quorum: Positions
  /** Cuts of peers in this turn. */
  noted: NotedCut[]
  /** Of what is told as it happens, to all clients in the same names. None before the first change. */
  encoder: FrameEncoder | null
  /** How many rows changed since its pages were made at rest. */
  grown: number
  /** None before the first text. */
  folding: Folding | null
  /** None before a follower passes something on. */
  passedSessions: PassedSessions | null
  /** Of a follower alone. */
  passingOn: PassingOn | null
  /** The session with the leader, of a follower that has met it. */
  leader: Attached | null
}

/** What all spaces of a kernel share. */
export interface SpaceHost {
  readonly options: KernelOptions
  readonly kept: KeptPages
  readonly inflows: Inflows
  readonly resting: Resting
  /** How spaces begin. */
  readonly lead: Lead
  /** What a user may do in a space. */
  admit(user: string, space: string): Promise<Caller | Failure>
}

export type Job =
  | { readonly kind: 'frame'; readonly attached: Attached; readonly frame: Frame; readonly cost: number }
  | { readonly kind: 'attach'; readonly run: () => void; readonly fail: (error: unknown) => void }
  | { readonly kind: 'apart'; readonly run: () => Promise<void> }
