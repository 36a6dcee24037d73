/**
 * Drives a client's session: frames and bytes, the journal, the bodies of texts, and the clock around the machine that
 * decides (client/session.ts of the core).
 *
 * What the machine asks for is done in its order; it asks for one chunk at a time and is told when that is on disk and
 * applied. After `stop`, or once it told its end, nothing more happens.
 */
import {
  bytesFor,
  createClientSession,
  createDictionary,
  createKnownNames,
  createRequestEncoder,
  decodeAnswer,
  RejoinError,
  StorageCollision,
  type AnswerFrame,
  type ClientSession,
  type DocumentKey,
  type Failure,
  type Offers,
  type QuorumFrame,
  type RequestFrame,
  type Runtime,
  type SessionEffect,
  type SessionOptions,
  type VerdictFrame,
  type WelcomeFrame,
} from '@rejoin/core'
import { createSessionStorage, type SessionStorageOptions } from './session-storage.ts'
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

export interface SessionDriver {
  readonly phase: ClientSession['phase']
  /** At a cut, with everything that was received on disk. */
  readonly caughtUp: boolean
  readonly relay: ClientSession['relay']
  begin(): void
  /** `isMore`: as links tell it. */
  receive(bytes: Uint8Array, isMore?: boolean): void
  /** Own writes are on disk, perhaps another tab's. */
  advance(): void
  /** Time passed. */
  heed(): void
  /** Asks for a sign of life, which comes as a cut. */
  probe(): void
  /** Asks for a cut that the relay makes after this call. It is there once `cuts` is as great as what this returns. */
  askCut(): number
  /** Asks again if one that was asked for did not come: of who is behind, a relay may not answer each time. */
  askAgain(): void
  /** How many of the cuts that were asked for came. */
  readonly cuts: number
  stop(): void
}

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

/** So long a verdict may be on its way, also over disks. What is not explained by that is to be believed. */
const verdictMaxMs = 10_000

export function createSessionDriver(options: SessionDriverOptions): SessionDriver {
  const { state, runtime, clock, turns } = options
  const storage = createSessionStorage(options)
  const session = createClientSession(state, options.session, clock.now, {
    isFirst: options.isFirst,
    mayStore: isUrgent => turns.isFree(advance, isUrgent),
    offers: options.offers,
    elsewhere: options.elsewhere,
  })
  const encoder = createRequestEncoder(clock.now)
  const names = createKnownNames()
  const heard = createDictionary()
  let isOver = false
  let working = 0
  let isStoring = false
  let begunAt = 0
  let tripMs = 0
  let isRefused = false
  /** Cuts that were asked for, also by the machine, and those that came: in that order, as a relay answers. */
  let asked = 0
  let cuts = 0
  /** How many must come until nobody waits for one. */
  let awaited = 0
  let isCutDue = false
  let wasLevel = false
  /** What others know: who asked and heard that it is not caught up is told when it is. */
  const told = { phase: 'greeting', isCaughtUp: false, cuts: 0 }
  let toldOffsetMs = Number.NaN
  /** What comes while it is found out whether the user may go on; null when nobody asks. */
  let held: { readonly frame: AnswerFrame; readonly bytes: number }[] | null = null

  function leave(): void {
    isOver = true
    options.elsewhere.end()
    clock.released()
  }

  function end(how: SessionEnd): void {
    if (isOver) return
    leave()
    options.onEnd(how)
  }

  /** Runs the machine and does what it says. A bug in it ends the session before it is thrown on. */
  function drive(run: () => readonly SessionEffect[]): void {
    if (isOver) return
    try {
      for (const effect of run()) {
        if (isOver) return
        perform(effect)
      }
    } catch (error) {
      end({ kind: 'ended', error: null, byRelay: false, retryAfterMs: 0 })
      throw error
    }
    if (isOver) return
    wasLevel ||= session.caughtUp
    if (isCutDue && canAsk()) requestCut()
    tellChange()
  }

  function isCaughtUp(): boolean {
    return !isOver && working === 0 && session.caughtUp
  }

  /**
   * Most of what comes changes nothing that is told; what it changes of the state is told by who applies it. That it is not
   * on disk yet is told if somebody asks, or if it takes long (`heed`): else all were told twice with each change, and `synced`
   * would flicker.
   */
  function tellChange(): void {
    const { phase } = session
    const isStoringAlone = working > 0 && session.caughtUp
    const isSame = isStoringAlone || told.isCaughtUp === isCaughtUp()
    if (isSame && told.phase === phase && told.cuts === cuts) return
    told.phase = phase
    told.cuts = cuts
    told.isCaughtUp = isCaughtUp()
    options.onChange()
  }

  /** The relay said its time, or time passed: to ask the clock after each frame would cost as much as to decode it. */
  function tellTime(): void {
    const { offsetMs } = clock
    if (toldOffsetMs === offsetMs) return
    toldOffsetMs = offsetMs
    options.onChange()
  }

  /** Before the first cut the relay still walks its feed, and that one may have been made before it was asked. */
  function canAsk(): boolean {
    return !isOver && session.phase === 'open' && wasLevel
  }

  function requestCut(): void {
    isCutDue = false
    send({ type: 'heartbeat', position: 0, time: clock.now() })
  }

  function send(frame: RequestFrame): void {
    if (frame.type === 'heartbeat') asked += 1
    options.send(bytesFor(encoder.encode(frame), names))
  }

  function advance(): void {
    // What it is storing itself it hears of when that is done, and goes on then.
    if (!isStoring) drive(session.advance)
  }

  function perform(effect: SessionEffect): void {
    switch (effect.kind) {
      case 'send':
        return send(effect.frame)
      case 'append':
        return store(() => storage.append(effect.chunk, effect.durability, effect.told))
      case 'remake':
        return store(() => storage.remake(effect.plan))
      case 'load':
        return work(() => storage.load(effect.keys), session.loaded)
      case 'measure':
        return work(
          () => storage.measure(effect.key, effect.part),
          ({ stateVector, digest }) => session.measured(effect.key, effect.part, stateVector, digest),
        )
      case 'rest':
        return void runtime.after(0, () => drive(session.rested))
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
        return end({
          kind: 'ended',
          error: effect.error,
          byRelay: isRefused || effect.error === null,
          retryAfterMs: effect.retryAfterMs,
        })
    }
  }

  /** Stores a chunk in this session's turn, which ends with it, also where the session has ended meanwhile. */
  function store(run: () => Promise<void>): void {
    turns.take(advance)
    isStoring = true
    working += 1
    void run().then(
      () => endTurn(() => drive(session.stored)),
      (error: unknown) => endTurn(() => fail(error)),
    )
  }

  function endTurn(goOn: () => void): void {
    isStoring = false
    working -= 1
    turns.release()
    try {
      goOn()
    } finally {
      turns.wakeOthers()
    }
  }

  /** Does something that takes time, then tells the machine. */
  function work<T>(run: () => Promise<T>, tell: (result: T) => readonly SessionEffect[]): void {
    working += 1
    void run().then(
      result => {
        working -= 1
        drive(() => tell(result))
      },
      (error: unknown) => {
        working -= 1
        fail(error)
      },
    )
  }

  function fail(error: unknown): void {
    if (isOver) return
    if (error instanceof StorageCollision) return end({ kind: 'fenced' })
    if (error instanceof RejoinError) return end({ kind: 'storage', error })
    end({ kind: 'ended', error: null, byRelay: false, retryAfterMs: 0 })
    throw error
  }

  /** C2: a frame says the relay's time when it comes, however long it then waits until what came before it is stored. */
  function heedTime(frame: AnswerFrame): void {
    switch (frame.type) {
      case 'heartbeat':
        clock.heard(frame.time, tripMs)
        return tellTime()
      case 'welcome':
        tripMs = runtime.monotonic() - begunAt
        clock.measured(frame.time, tripMs)
        return tellTime()
      case 'verdict': {
        const relayTime = timeOfSkew(frame)
        if (relayTime === null || Math.abs(clock.now() - relayTime) < verdictMaxMs) return
        clock.measured(relayTime, Math.min(tripMs, verdictMaxMs))
        return tellTime()
      }
      default:
    }
  }

  /** Before the machine hears of the welcome, it sends nothing. */
  function welcome(frame: WelcomeFrame, bytes: number): void {
    const admitted = options.admit(frame.user)
    if (admitted === false) return end({ kind: 'not-owner' })
    if (admitted === true) return drive(() => session.receive(frame, bytes))
    held = [{ frame, bytes }]
    work(
      () => admitted,
      isAdmitted => {
        if (!isAdmitted) {
          end({ kind: 'not-owner' })
          return []
        }
        const all = held ?? []
        held = null
        return all.flatMap(({ frame, bytes }) => session.receive(frame, bytes))
      },
    )
  }

  return {
    get phase() {
      return isOver ? 'ended' : session.phase
    },
    get caughtUp() {
      const answer = isCaughtUp()
      if (!answer) told.isCaughtUp = false
      return answer
    },
    get relay() {
      return session.relay
    },
    begin() {
      begunAt = runtime.monotonic()
      drive(session.begin)
    },
    receive(bytes, isMore) {
      if (isOver) return
      const decoded = decodeAnswer(bytes, heard, 'encoded')
      if (!decoded.ok) return end({ kind: 'ended', error: decoded.error, byRelay: false, retryAfterMs: 0 })
      const frame = decoded.value
      heedTime(frame)
      // Only a cut that was asked for, or ends a walk, bears a fingerprint (SPEC P5).
      if (frame.type === 'changes' && (frame.cut?.fingerprint ?? null) !== null && cuts < asked) cuts += 1
      isRefused = frame.type === 'refuse'
      if (held !== null) held.push({ frame, bytes: bytes.length })
      else if (frame.type === 'welcome') welcome(frame, bytes.length)
      else drive(() => session.receive(frame, bytes.length, isMore))
    },
    advance,
    heed() {
      if (isOver) return
      tellTime()
      drive(session.heed)
      if (working > 0) options.onChange()
    },
    probe() {
      if (!isOver && session.phase === 'open') requestCut()
    },
    askCut() {
      if (canAsk()) requestCut()
      else isCutDue = true
      awaited = isCutDue ? asked + 1 : asked
      return awaited
    },
    askAgain() {
      if (cuts < awaited && canAsk()) requestCut()
    },
    get cuts() {
      return cuts
    },
    stop() {
      if (!isOver) leave()
    },
  }
}

/** The relay's time when it refused something for its mark. */
function timeOfSkew({ exceptions }: VerdictFrame): number | null {
  for (const exception of exceptions) {
    if (exception.kind === 'refused' && exception.error.code === 'clock-skew')
      return exception.error.details.relayTime
  }
  return null
}
