/**
 * What the driver of a session has and remembers: plain fields, with functions over them, since each change that comes goes
 * through here (see conversation.ts of the core). session-driving.ts runs the machine, asked-cuts.ts and relay-time.ts keep what their names say.
 */
import type {
  AnswerFrame,
  ClientSession,
  Dictionary,
  DocumentKey,
  Failure,
  FrameEncoder,
  KnownNames,
  Offers,
  QuorumFrame,
  RejoinError,
  RequestFrame,
  Runtime,
  SessionOptions,
} from '@rejoin/core'
import type { SessionStorage, SessionStorageOptions } from './session-storage.ts'
import type { Turns } from './turns.ts'

/** What reconciling healed, and what the relay did not take back (SPEC R2, T2). */
export interface Repair {
  /** Whether this replica had never met the relay's store: it is another one, or it lost everything it had. */
  readonly isNewStore: boolean
  /** Rows that the relay has from this replica now, and rows that this replica has from the relay. */
  readonly gave: number
  readonly took: number
  readonly refused: readonly { readonly key: DocumentKey; readonly error: Failure }[]
}

/** Why a session is over. */
export type SessionEnd =
  /** The relay refused it or went away (error null); or what it sent makes no sense (not `byRelay`). */
  | {
      readonly kind: 'ended'
      readonly error: Failure | null
      readonly byRelay: boolean
      readonly retryAfterMs: number
    }
  /** Another tab took the fence. */
  | { readonly kind: 'fenced' }
  /** The token is another user's than the replica. Nothing was sent but the hello. */
  | { readonly kind: 'not-owner' }
  | { readonly kind: 'storage'; readonly error: RejoinError }

export interface SessionDriverOptions extends SessionStorageOptions {
  readonly runtime: Runtime
  readonly session: SessionOptions
  /** Of all sessions of this replica. */
  readonly turns: Turns
  readonly offers: Offers
  readonly isFirst: boolean
  /** Whether the user that the relay names may go on with this replica. */
  readonly admit: (user: string) => boolean | Promise<boolean>
  readonly send: (bytes: Uint8Array) => void
  /** Something of phase, `caughtUp` or `relay` may have changed. */
  readonly onChange: () => void
  readonly onRepaired: (repair: Repair) => void
  readonly onQuorum: (told: QuorumFrame) => void
  readonly onAlarm: () => void
  /** Once, unless it was stopped. */
  readonly onEnd: (end: SessionEnd) => void
}

export interface Driving {
  readonly options: SessionDriverOptions
  readonly session: ClientSession
  readonly storage: SessionStorage
  readonly encoder: FrameEncoder<RequestFrame>
  readonly names: KnownNames
  readonly heard: Dictionary
  /** As `SessionDriver` has it: by it the turns know who waits. */
  readonly advance: () => void
  isOver: boolean
  /** How much of what was asked for takes its time. */
  working: number
  isStoring: boolean
  begunAt: number
  tripMs: number
  isRefused: boolean
  /** Cuts that were asked for, also by the machine, and those that came: in that order, as a relay answers. */
  asked: number
  cuts: number
  /** How many must come until nobody waits for one. */
  awaited: number
  isCutDue: boolean
  wasLevel: boolean
  /** What others know: who asked and heard that it is not caught up is told when it is. */
  toldPhase: ClientSession['phase']
  toldCuts: number
  toldCaughtUp: boolean
  toldOffsetMs: number
  /** What comes while it is found out whether the user may go on; null when nobody asks. */
  held: { readonly frame: AnswerFrame; readonly bytes: number }[] | null
}
