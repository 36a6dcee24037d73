/**
 * The steps of a client's session: what it does next, one thing after the other, and what it does behind each chunk that is
 * on disk (SPEC S1-S4, P1, L2, F3).
 */
import type { ChangesFrame } from '../frames.ts'
import { areSameCopies } from '../outbox.ts'
import type { DocumentKey } from '../row.ts'
import type { Comparing } from './comparing.ts'
import { append, ask, end, send, type Conversation } from './conversation.ts'
import type { SessionOptions } from './effects.ts'
import type { Giving } from './giving.ts'
import { takeNext, type Inbox } from './inbox.ts'
import { forgetOthers, isTakenBack, pullStored, takeExpected, takeMissedCut, type Pull } from './pull.ts'
import { settlePull, storeFrames } from './pulled-chunk.ts'
import type { Reconciling } from './reconciling.ts'
import type { Submitting } from './submitting.ts'
import type { Verdicts } from './verdicts.ts'
import { wantRows, wantStrangers, type Wants } from './wants.ts'

/** What a relay may send before it hears that this client has stored it. */
export const creditBytes: number = 4 * 1024 * 1024

/** What a session is made of: plain fields, with functions over them (see conversation.ts). */
export interface SessionState {
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

/** The relay sends its feed from now on, and is offered what is written here. */
export function open(session: SessionState): void {
  session.conversation.phase = 'open'
  session.hasBegun = true
  step(session)
}

/** One thing after the other, until something is to be stored: what came, what is made anew, what is offered. */
export function step(session: SessionState): void {
  const { conversation, inbox, pull, reconciling, submitting } = session
  session.restingAt = null
  if (conversation.busy || conversation.phase === 'ended') return
  // What others made anew or were told is on disk before this session goes on: it may be what it would offer.
  if (!conversation.beside.mayStore(submitting.hasPlan())) return
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
  if (submitting.hasPlan()) return step(session)
  session.restingAt = conversation.state.seen
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

/** P4: each once in a session, since a relay may lack it. */
function wantDamaged({ conversation, wants, askedAnew }: SessionState): void {
  const { damaged } = conversation.state
  if (damaged.length === 0) return
  const lacked = damaged.filter(key => !askedAnew.has(key))
  for (const key of lacked) askedAnew.add(key)
  wantRows(wants, lacked)
}

/** The chunk that was asked for last is on disk, or there was nothing to store. */
export function stored(session: SessionState): void {
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

/**
 * S4: only at a cut is what was given the relay's. A feed that begins comes to one; of one that goes on, or that began with
 * the last give and has been at one, it is asked for.
 */
function openAgain(session: SessionState): void {
  const { giving, hasBegun, pull } = session
  const isFed = giving.takeEnded()
  if (hasBegun || (isFed && pull.atCut)) askCut(session)
  if (!isFed) askFeed(session)
  open(session)
}

/** Nothing is to be reconciled, or no more. */
export function askFeed({ conversation }: SessionState): void {
  send(conversation, { type: 'range', ranges: [] })
}

/** A heartbeat is answered by one (SPEC, Wire). */
export function askCut({ conversation, pull }: SessionState): void {
  send(conversation, { type: 'heartbeat', position: pull.cursor?.cut ?? 0, time: conversation.now() })
}

/** Whether nothing came into this session or to the state since, and of what is written here nothing is on its way. */
function isResting({ conversation, inbox, restingAt }: SessionState, seen: number): boolean {
  return restingAt === seen && conversation.state.outbox.size === 0 && inbox.length === 0
}

/**
 * Of a feed most comes while there is nothing else to do, and leaves nothing else to do: then what a step asks is not
 * asked again, neither before it is stored nor after. Whether it is so.
 */
export function takeAtRest(session: SessionState, frame: ChangesFrame): boolean {
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
