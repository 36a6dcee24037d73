/** A session of this replica with a relay, as those see it who watch over it (session-driving.ts does what it takes). */
import {
  createClientSession,
  createDictionary,
  createKnownNames,
  createRequestEncoder,
  withMethods,
  type ClientSession,
} from '@rejoin/core'
import { askCut, askCutAgain, requestCut } from './asked-cuts.ts'
import type { Driving, SessionDriverOptions } from './driving.ts'
import { tellTime } from './relay-time.ts'
import { drive, isCaughtUp, leave, receive } from './session-driving.ts'
import { createSessionStorage } from './session-storage.ts'

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

export function createSessionDriver(options: SessionDriverOptions): SessionDriver {
  const { state, runtime, clock, turns } = options
  // What it is storing itself it hears of when that is done, and goes on then.
  const advance = (): void => {
    if (!driving.isStoring) drive(driving, session.advance)
  }
  const session = createClientSession(state, options.session, clock.now, {
    isFirst: options.isFirst,
    mayStore: isUrgent => turns.isFree(advance, isUrgent),
    offers: options.offers,
    elsewhere: options.elsewhere,
  })
  const driving: Driving = {
    options,
    session,
    storage: createSessionStorage(options),
    encoder: createRequestEncoder(clock.now),
    names: createKnownNames(),
    heard: createDictionary(),
    advance,
    isOver: false,
    working: 0,
    isStoring: false,
    begunAt: 0,
    tripMs: 0,
    isRefused: false,
    asked: 0,
    cuts: 0,
    awaited: 0,
    isCutDue: false,
    wasLevel: false,
    toldPhase: 'greeting',
    toldCuts: 0,
    toldCaughtUp: false,
    toldOffsetMs: Number.NaN,
    held: null,
  }
  const driver: Omit<SessionDriver, keyof typeof standing> & Driven = {
    driving,
    begin() {
      driving.begunAt = runtime.monotonic()
      drive(driving, session.begin)
    },
    receive: (bytes, isMore) => receive(driving, bytes, isMore),
    advance,
    heed() {
      if (driving.isOver) return
      tellTime(driving)
      drive(driving, session.heed)
      if (driving.working > 0) options.onChange()
    },
    probe() {
      if (!driving.isOver && session.phase === 'open') requestCut(driving)
    },
    askCut: () => askCut(driving),
    askAgain: () => askCutAgain(driving),
    stop() {
      if (!driving.isOver) leave(driving)
    },
  }
  return withMethods(driver, standing)
}

interface Driven {
  readonly driving: Driving
}

const standing: Pick<SessionDriver, 'phase' | 'caughtUp' | 'relay' | 'cuts'> & ThisType<Driven> = {
  get phase() {
    const { isOver, session } = this.driving
    return isOver ? 'ended' : session.phase
  },
  get caughtUp() {
    const answer = isCaughtUp(this.driving)
    if (!answer) this.driving.toldCaughtUp = false
    return answer
  },
  get relay() {
    return this.driving.session.relay
  },
  get cuts() {
    return this.driving.cuts
  },
}
