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
import { protocolVersion, type ChangesFrame, type Frame, type WelcomeFrame } from '../frames.ts'
import { areSameCopies } from '../outbox.ts'
import type { ReplicaState } from '../replica/replica.ts'
import type { DocumentKey } from '../row.ts'
import { alone, type Beside } from './beside.ts'
import { createComparing, type Comparing } from './comparing.ts'
import {
  append,
  ask,
  createConversation,
  end,
  greeted,
  send,
  takeEffects,
  type Conversation,
} from './conversation.ts'
import type { ClientSession, SessionEffect, SessionOptions } from './effects.ts'
import { createGiving, type Giving } from './giving.ts'
import { ampleFrames, takeNext, type Inbox } from './inbox.ts'
import {
  beginPull,
  createPull,
  forgetOthers,
  hearOf,
  isLevel,
  isTakenBack,
  keepPlaces,
  pullStored,
  takeExpected,
  takeMissedCut,
  type Pull,
} from './pull.ts'
import { settlePull, storeFrames } from './pulled-chunk.ts'
import { createReconciling, type Reconciling } from './reconciling.ts'
import { createSubmitting, type Submitting } from './submitting.ts'
import { createVerdicts, type Verdicts } from './verdicts.ts'
import { bodyMeasured, createWants, wantAgain, wantRows, wantStrangers, type Wants } from './wants.ts'

/** What a relay may send before it hears that this client has stored it. */
const creditBytes = 4 * 1024 * 1024

interface SessionState {
  readonly options: SessionOptions
  readonly conversation: Conversation
  readonly inbox: Inbox
  readonly wants: Wants
  readonly pull: Pull
  readonly giving: Giving
  readonly reconciling: Reconciling
  readonly comparing: Comparing
  readonly submitting: Submitting
  readonly verdicts: Verdicts
  /** Damaged rows that were asked for. */
  readonly askedAnew: Set<DocumentKey>
  uncredited: number
  /** Whether the relay was told once to send its feed. */
  hasBegun: boolean
  /**
   * Up to where the journal was when everything was looked through and there was nothing to do but to wait; null if that
   * is not so, or a step was asked for since.
   */
  restingAt: number | null
}

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
  return {
    get phase() {
      return conversation.phase
    },
    get caughtUp() {
      return conversation.phase === 'open' && isLevel(pull) && session.inbox.length === 0
    },
    get relay() {
      return conversation.welcome
    },
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
  open(session)
}

/** P4: each once in a session, since a relay may lack it. */
function wantDamaged({ conversation, wants, askedAnew }: SessionState): void {
  const { damaged } = conversation.state
  if (damaged.length === 0) return
  const lacked = damaged.filter(key => !askedAnew.has(key))
  for (const key of lacked) askedAnew.add(key)
  wantRows(wants, lacked)
}

function open(session: SessionState): void {
  session.conversation.phase = 'open'
  session.hasBegun = true
  send(session.conversation, { type: 'range', ranges: [] })
  step(session)
}

/** S4: only at a cut is what was given the relay's. A feed that begins comes to one; of one that goes on it is asked for. */
function openAgain(session: SessionState): void {
  if (session.hasBegun) askCut(session)
  open(session)
}

/** A heartbeat is answered by one (SPEC, Wire). */
function askCut({ conversation, pull }: SessionState): void {
  send(conversation, { type: 'heartbeat', position: pull.cursor?.cut ?? 0, time: conversation.now() })
}

/** One thing after the other, until something is to be stored: what came, what is made anew, what is offered. */
function step(session: SessionState): void {
  const { conversation, inbox, pull, reconciling, submitting } = session
  session.restingAt = null
  if (conversation.busy || conversation.phase === 'ended') return
  // What others made anew or were told is on disk before this session goes on: it may be what it would offer.
  if (!conversation.beside.mayStore(submitting.hasPlan)) return
  // S4: it begins again from there.
  if (isTakenBack(pull)) return end(conversation, null, 0)
  if (introduce(session) || forgetOthers(pull)) return
  if (conversation.phase !== 'greeting') wantDamaged(session)
  const next = takeNext(inbox)
  if (next !== null) {
    if ('type' in next) session.verdicts.store(next)
    // What need not be stored is as if it were.
    else if (!storeFrames(pull, next)) return stored(session)
    return step(session)
  }
  if (settlePull(pull)) return
  const plan = submitting.takePlan()
  if (plan !== null) {
    conversation.busy = true
    return ask(conversation, { kind: 'remake', plan })
  }
  reconciling.endIfDone()
  if (conversation.busy || conversation.phase !== 'open') return
  submitting.goOn()
  submitting.offer()
  if (submitting.hasPlan) return step(session)
  session.restingAt = conversation.state.seen
}

/** Whether nothing came into this session or to the state since, and of what is written here nothing is on its way. */
function isResting({ conversation, inbox, restingAt }: SessionState, seen: number): boolean {
  return restingAt === seen && conversation.state.outbox.size === 0 && inbox.length === 0
}

/**
 * Of a feed most comes while there is nothing else to do, and leaves nothing else to do: then what a step asks is not
 * asked again, neither before it is stored nor after. Whether it is so.
 */
function takeAtRest(session: SessionState, frame: ChangesFrame): boolean {
  const { state, busy, beside } = session.conversation
  const isPlain = !frame.answer && (frame.cut?.fingerprint ?? null) === null
  if (!isPlain || busy || !isResting(session, state.seen) || !beside.mayStore(false)) return false
  if (!storeFrames(session.pull, [frame])) stored(session)
  return true
}

/** The same behind it: what was stored at rest, with nothing of others before it, leaves the session at rest. */
function restsAgain(session: SessionState): boolean {
  const { seen, strangers } = session.conversation.state
  if (session.restingAt === null || !isResting(session, seen - 1) || strangers.size > 0) return false
  session.restingAt = seen
  return true
}

/** L2: which relay it is stands in the journal before what it answers, and which ones are meant. */
function introduce({ conversation, options }: SessionState): boolean {
  const { welcome, store, state } = conversation
  const { address } = options
  if (welcome === null || address === undefined) return false
  const { given, copies, met } = state
  const isMet = given.relays === undefined || met.get(address) === store
  if (isMet && areSameCopies(given, copies)) return false
  append(conversation, { kind: 'met', address, store, copies: given }, 'relaxed')
  return true
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

function stored(session: SessionState): void {
  const { conversation, pull, wants, reconciling, comparing } = session
  conversation.busy = false
  // F3: what was stored may be sent anew.
  if (session.uncredited >= creditBytes / 4) {
    send(conversation, { type: 'credit', bytes: session.uncredited })
    session.uncredited = 0
  }
  if (restsAgain(session)) {
    if (takeMissedCut(pull)) askCut(session)
    return pullStored(pull)
  }
  session.verdicts.stored()
  wantStrangers(wants)
  session.submitting.remade()
  if (reconciling.hasEnded()) {
    pullStored(pull)
    return openAgain(session)
  }
  comparing.compare()
  comparing.note(takeExpected(pull))
  if (takeMissedCut(pull)) askCut(session)
  pullStored(pull)
  step(session)
}
