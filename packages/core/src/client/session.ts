/**
 * A client's side of one session with a relay: how it begins, and the order of what it does (SPEC S1-S4, P1, L2, F3).
 *
 *   greeting --welcome--> reconciling (join or give) --> open --> ended
 *        \---- resume, and the relay covers my reach ----/
 *
 * Nothing changes the replica but chunks: the session asks for them to be stored, one at a time, and goes on when
 * `stored` says that the last one is on disk and applied. So a batch and its cursor are never apart (P1), and what
 * is judged against the state is judged against what a crash would leave.
 */
import { failure } from '../errors.ts'
import { protocolVersion, type Frame, type WelcomeFrame } from '../frames.ts'
import type { ReplicaState } from '../replica/replica.ts'
import { withMethods } from '../with-methods.ts'
import { alone, type Beside } from './beside.ts'
import { createComparing } from './comparing.ts'
import { ask, createConversation, end, greeted, send, takeEffects } from './conversation.ts'
import type { ClientSession, SessionEffect, SessionOptions } from './effects.ts'
import { createGiving } from './giving.ts'
import { ampleFrames } from './inbox.ts'
import { beginPull, createPull, hearOf, isLevel, keepPlaces } from './pull.ts'
import { createReconciling } from './reconciling.ts'
import {
  askCut,
  askFeed,
  creditBytes,
  open,
  step,
  stored,
  takeAtRest,
  type SessionState,
} from './session-step.ts'
import { createSubmitting } from './submitting.ts'
import { createVerdicts } from './verdicts.ts'
import { bodyMeasured, createWants, wantAgain, wantStrangers } from './wants.ts'

export function createClientSession(
  state: ReplicaState,
  options: SessionOptions,
  now: () => number,
  beside: Beside = alone,
): ClientSession {
  const conversation = createConversation(state, now, beside)
  const wants = createWants(conversation)
  const pull = createPull(conversation, wants, row => reconciling.answered(row))
  const giving = createGiving(conversation)
  const reconciling = createReconciling(conversation, pull, wants, giving)
  const submitting = createSubmitting(conversation, pull, giving)
  const session: SessionState = {
    options,
    conversation,
    inbox: [],
    wants,
    pull,
    giving,
    reconciling,
    comparing: createComparing(conversation, pull, reconciling, () => askCut(session)),
    submitting,
    verdicts: createVerdicts(conversation, pull, wants, giving, submitting),
    askedAnew: new Set(),
    uncredited: 0,
    hasBegun: false,
    restingAt: null,
  }
  const driven: Omit<ClientSession, keyof typeof standing> & Driven = {
    session,
    begin: () => act(session, sayHello),
    receive(frame, bytes, isMore = false) {
      if (conversation.phase !== 'ended') take(session, frame, bytes, isMore)
      return takeEffects(conversation)
    },
    stored: () => act(session, stored),
    loaded: rows =>
      act(session, () => {
        giving.loaded(rows)
        step(session)
      }),
    measured: (key, part, stateVector, digest) =>
      act(session, () => {
        bodyMeasured(wants, key, part, stateVector, digest)
        step(session)
      }),
    rested: () =>
      act(session, () => {
        session.comparing.compare()
        step(session)
      }),
    advance: () => act(session, step),
    heed: () =>
      act(session, () => {
        reconciling.heed()
        keepPlaces(pull)
        step(session)
      }),
  }
  return withMethods(driven, standing)
}

interface Driven {
  readonly session: SessionState
}

const standing: Pick<ClientSession, 'phase' | 'caughtUp' | 'relay'> & ThisType<Driven> = {
  get phase() {
    return this.session.conversation.phase
  },
  get caughtUp() {
    const { conversation, pull, inbox } = this.session
    return conversation.phase === 'open' && isLevel(pull) && inbox.length === 0
  },
  get relay() {
    return this.session.conversation.welcome
  },
}

/** Runs a step and gives back what it asked for. After the end nothing runs any more. */
function act(session: SessionState, run: (session: SessionState) => void): readonly SessionEffect[] {
  const { conversation } = session
  if (conversation.phase !== 'ended') run(session)
  return takeEffects(conversation)
}

function sayHello({ conversation, options }: SessionState): void {
  const { state, beside } = conversation
  send(conversation, {
    type: 'hello',
    protocol: protocolVersion,
    space: options.space,
    token: options.token,
    replica: options.replica,
    device: options.device,
    role: 'client',
    cursors: [...state.cursors.values()],
    empty: beside.isFirst && isNothingConfirmed(state),
    frontier: state.frontier,
    reach: state.reach,
    level: options.level,
    credit: creditBytes,
  })
}

function isNothingConfirmed(state: ReplicaState): boolean {
  for (const key of state.keys()) if (state.confirmed(key) !== undefined) return false
  return true
}

function greet(session: SessionState, frame: WelcomeFrame): void {
  const { conversation, pull, wants, reconciling } = session
  greeted(conversation, frame)
  beginPull(pull, frame)
  wantAgain(wants)
  wantStrangers(wants)
  if (frame.begin === 'join') return reconciling.begin('join')
  if (!frame.covers && conversation.state.size > 0 && conversation.mayWrite) return reconciling.begin('give')
  // Of what covers the reach the feed comes behind the welcome.
  if (!frame.covers) askFeed(session)
  open(session)
}

function take(session: SessionState, frame: Frame, bytes: number, isMore: boolean): void {
  session.uncredited += bytes
  receive(session, frame, isMore)
  if (!isMore && session.inbox.length > 0) step(session)
}

function receive(session: SessionState, frame: Frame, isMore: boolean): void {
  if (frame.type === 'changes' && !isMore && takeAtRest(session, frame)) return
  const { conversation, inbox } = session
  if (conversation.phase === 'greeting' && !['welcome', 'refuse', 'bye'].includes(frame.type))
    return end(conversation, failure('malformed-frame', { reason: `${frame.type} before welcome` }), 0)
  switch (frame.type) {
    case 'welcome':
      return greet(session, frame)
    case 'changes':
    case 'text':
    case 'verdict':
      inbox.push(frame)
      // What came together is stored together: the cut with the page before it.
      return isMore && inbox.length < ampleFrames ? undefined : step(session)
    case 'range':
      session.reconciling.takeRanges(frame)
      return step(session)
    case 'given':
      session.giving.answered(frame)
      hearOf(session.pull, frame.generation, frame.position)
      return step(session)
    case 'heartbeat':
      session.reconciling.heed()
      return step(session)
    case 'quorum':
      return ask(conversation, { kind: 'quorum', told: frame })
    case 'refuse':
      return end(conversation, frame.error, 0)
    case 'bye':
      return end(conversation, null, frame.retryAfterMs)
    default:
      return
  }
}
