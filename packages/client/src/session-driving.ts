/**
 * What drives a client's session: frames and bytes, the journal, the bodies of texts, and the clock around the machine that
 * decides (client/session.ts of the core).
 *
 * What the machine asks for is done in its order; it asks for one chunk at a time and is told when that is on disk and
 * applied. Once it is over, nothing more happens.
 */
import {
  bytesFor,
  decodeAnswer,
  RejoinError,
  StorageCollision,
  type AnswerFrame,
  type ClientSession,
  type Dictionary,
  type DocumentKey,
  type Failure,
  type FrameEncoder,
  type KnownNames,
  type Offers,
  type QuorumFrame,
  type RequestFrame,
  type Runtime,
  type SessionEffect,
  type SessionOptions,
  type VerdictFrame,
  type WelcomeFrame,
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

/** Plain fields, with functions over them: each change that comes goes through here (see conversation.ts of the core). */
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

/** So long a verdict may be on its way, also over disks. What is not explained by that is to be believed. */
const verdictMaxMs = 10_000

/** Bytes of the relay; `isMore`: as links tell it. */
export function receive(driving: Driving, bytes: Uint8Array, isMore: boolean | undefined): void {
  if (driving.isOver) return
  const decoded = decodeAnswer(bytes, driving.heard, 'encoded')
  if (!decoded.ok)
    return end(driving, { kind: 'ended', error: decoded.error, byRelay: false, retryAfterMs: 0 })
  const frame = decoded.value
  heedTime(driving, frame)
  // Only a cut that was asked for, or ends a walk, bears a fingerprint (SPEC P5).
  const isAnswer = frame.type === 'changes' && (frame.cut?.fingerprint ?? null) !== null
  if (isAnswer && driving.cuts < driving.asked) driving.cuts += 1
  driving.isRefused = frame.type === 'refuse'
  if (driving.held !== null) driving.held.push({ frame, bytes: bytes.length })
  else if (frame.type === 'welcome') welcome(driving, frame, bytes.length)
  else drive(driving, () => driving.session.receive(frame, bytes.length, isMore))
}

/** Runs the machine and does what it says. A bug in it ends the session before it is thrown on. */
export function drive(driving: Driving, run: () => readonly SessionEffect[]): void {
  if (driving.isOver) return
  try {
    for (const effect of run()) {
      if (driving.isOver) return
      perform(driving, effect)
    }
  } catch (error) {
    end(driving, { kind: 'ended', error: null, byRelay: false, retryAfterMs: 0 })
    throw error
  }
  if (driving.isOver) return
  driving.wasLevel ||= driving.session.caughtUp
  if (driving.isCutDue && canAsk(driving)) requestCut(driving)
  tellChange(driving)
}

function perform(driving: Driving, effect: SessionEffect): void {
  const { options, session, storage } = driving
  switch (effect.kind) {
    case 'send':
      return send(driving, effect.frame)
    case 'append':
      return store(driving, storage.append(effect.chunk, effect.durability, effect.told))
    case 'remake':
      return store(driving, storage.remake(effect.plan))
    case 'load':
      return work(driving, storage.load(effect.keys), session.loaded)
    case 'measure':
      return work(driving, storage.measure(effect.key, effect.part), ({ stateVector, digest }) =>
        session.measured(effect.key, effect.part, stateVector, digest),
      )
    case 'rest':
      return void options.runtime.after(0, () => drive(driving, session.rested))
    case 'repaired': {
      const { isNewStore, gave, took, refused } = effect
      return options.onRepaired({ isNewStore, gave, took, refused })
    }
    case 'quorum':
      options.onQuorum(effect.told)
      return options.onChange()
    case 'alarm':
      return options.onAlarm()
    case 'end':
      return end(driving, {
        kind: 'ended',
        error: effect.error,
        byRelay: driving.isRefused || effect.error === null,
        retryAfterMs: effect.retryAfterMs,
      })
  }
}

/** What is being stored takes this session's turn, which ends with it, also where the session has ended meanwhile. */
function store(driving: Driving, storing: Promise<void>): void {
  driving.options.turns.take(driving.advance)
  driving.isStoring = true
  driving.working += 1
  void storing.then(
    () => endTurn(driving, null),
    (error: unknown) => endTurn(driving, { error }),
  )
}

function endTurn(driving: Driving, failed: { readonly error: unknown } | null): void {
  const { turns } = driving.options
  driving.isStoring = false
  driving.working -= 1
  turns.release()
  try {
    if (failed === null) drive(driving, driving.session.stored)
    else fail(driving, failed.error)
  } finally {
    turns.wakeOthers()
  }
}

/** What takes time; then the machine is told. */
function work<T>(driving: Driving, working: Promise<T>, tell: (result: T) => readonly SessionEffect[]): void {
  driving.working += 1
  void working.then(
    result => {
      driving.working -= 1
      drive(driving, () => tell(result))
    },
    (error: unknown) => {
      driving.working -= 1
      fail(driving, error)
    },
  )
}

function fail(driving: Driving, error: unknown): void {
  if (driving.isOver) return
  if (error instanceof StorageCollision) return end(driving, { kind: 'fenced' })
  if (error instanceof RejoinError) return end(driving, { kind: 'storage', error })
  end(driving, { kind: 'ended', error: null, byRelay: false, retryAfterMs: 0 })
  throw error
}

function end(driving: Driving, how: SessionEnd): void {
  if (driving.isOver) return
  leave(driving)
  driving.options.onEnd(how)
}

/** From now on nothing happens any more. */
export function leave(driving: Driving): void {
  driving.isOver = true
  driving.options.elsewhere.end()
  driving.options.clock.released()
}

/** At a cut, with everything that was received on disk. */
export function isCaughtUp({ isOver, working, session }: Driving): boolean {
  return !isOver && working === 0 && session.caughtUp
}

/**
 * Most of what comes changes nothing that is told; what it changes of the state is told by who applies it. That it is not
 * on disk yet is told if somebody asks, or if it takes long (`heed`): else all were told twice with each change, and `synced`
 * would flicker.
 */
function tellChange(driving: Driving): void {
  const { session, working, cuts, toldCaughtUp } = driving
  const { phase, caughtUp } = session
  const isStoringAlone = working > 0 && caughtUp
  const isSame = isStoringAlone || toldCaughtUp === (working === 0 && caughtUp)
  if (isSame && driving.toldPhase === phase && driving.toldCuts === cuts) return
  driving.toldPhase = phase
  driving.toldCuts = cuts
  driving.toldCaughtUp = working === 0 && caughtUp
  driving.options.onChange()
}

/** The relay said its time, or time passed: to ask the clock after each frame would cost as much as to decode it. */
export function tellTime(driving: Driving): void {
  const offsetMs = driving.options.clock.offsetMs()
  if (driving.toldOffsetMs === offsetMs) return
  driving.toldOffsetMs = offsetMs
  driving.options.onChange()
}

/** Before the first cut the relay still walks its feed, and that one may have been made before it was asked. */
export function canAsk({ isOver, session, wasLevel }: Driving): boolean {
  return !isOver && session.phase === 'open' && wasLevel
}

/** A heartbeat is answered by a cut. */
export function requestCut(driving: Driving): void {
  driving.isCutDue = false
  send(driving, { type: 'heartbeat', position: 0, time: driving.options.clock.now() })
}

function send(driving: Driving, frame: RequestFrame): void {
  if (frame.type === 'heartbeat') driving.asked += 1
  driving.options.send(bytesFor(driving.encoder.encode(frame), driving.names))
}

/** C2: a frame says the relay's time when it comes, however long it then waits until what came before it is stored. */
function heedTime(driving: Driving, frame: AnswerFrame): void {
  const { clock, runtime } = driving.options
  switch (frame.type) {
    case 'heartbeat':
      clock.heard(frame.time, driving.tripMs)
      return tellTime(driving)
    case 'welcome':
      driving.tripMs = runtime.monotonic() - driving.begunAt
      clock.measured(frame.time, driving.tripMs)
      return tellTime(driving)
    case 'verdict': {
      const relayTime = timeOfSkew(frame)
      if (relayTime === null || Math.abs(clock.now() - relayTime) < verdictMaxMs) return
      clock.measured(relayTime, Math.min(driving.tripMs, verdictMaxMs))
      return tellTime(driving)
    }
    default:
  }
}

/** Before the machine hears of the welcome, it sends nothing. */
function welcome(driving: Driving, frame: WelcomeFrame, bytes: number): void {
  const admitted = driving.options.admit(frame.user)
  if (admitted === false) return end(driving, { kind: 'not-owner' })
  if (admitted === true) return drive(driving, () => driving.session.receive(frame, bytes))
  driving.held = [{ frame, bytes }]
  work(driving, admitted, isAdmitted => {
    if (!isAdmitted) {
      end(driving, { kind: 'not-owner' })
      return []
    }
    const all = driving.held ?? []
    driving.held = null
    return all.flatMap(({ frame, bytes }) => driving.session.receive(frame, bytes))
  })
}

/** The relay's time when it refused something for its mark. */
function timeOfSkew({ exceptions }: VerdictFrame): number | null {
  for (const exception of exceptions) {
    if (exception.kind === 'refused' && exception.error.code === 'clock-skew')
      return exception.error.details.relayTime
  }
  return null
}
