/**
 * What drives a client's session: frames and bytes, the journal, the bodies of texts, and the clock around the machine that
 * decides (client/session.ts of the core).
 *
 * What the machine asks for is done in its order; it asks for one chunk at a time and is told when that is on disk and
 * applied. Once it is over, nothing more happens.
 */
import {
  decodeAnswer,
  RejoinError,
  StorageCollision,
  type SessionEffect,
  type WelcomeFrame,
} from '@rejoin/core'
import { askDueCut, countCut, send } from './asked-cuts.ts'
import type { Driving, SessionEnd } from './driving.ts'
import { heedTime } from './relay-time.ts'

/** Bytes of the relay; `isMore`: as links tell it. */
export function receive(driving: Driving, bytes: Uint8Array, isMore: boolean | undefined): void {
  if (driving.isOver) return
  const decoded = decodeAnswer(bytes, driving.heard, 'encoded')
  if (!decoded.ok)
    return end(driving, { kind: 'ended', error: decoded.error, byRelay: false, retryAfterMs: 0 })
  const frame = decoded.value
  heedTime(driving, frame)
  countCut(driving, frame)
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
  askDueCut(driving)
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
