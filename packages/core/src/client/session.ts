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
import { createComparing } from './comparing.ts'
import { createConversation } from './conversation.ts'
import type { ClientSession, SessionOptions } from './effects.ts'
import { createGiving } from './giving.ts'
import { createInbox } from './inbox.ts'
import { createPull } from './pull.ts'
import { createReconciling } from './reconciling.ts'
import { createSubmitting } from './submitting.ts'
import { createVerdicts } from './verdicts.ts'
import { createWants } from './wants.ts'

/** What a relay may send before it hears that this client has stored it. */
const creditBytes = 4 * 1024 * 1024

export function createClientSession(
  state: ReplicaState,
  options: SessionOptions,
  now: () => number,
  beside: Beside = alone,
): ClientSession {
  const conversation = createConversation(state, now, beside)
  const { act, send } = conversation
  const inbox = createInbox()
  const wants = createWants(conversation)
  const pull = createPull(conversation, wants, row => reconciling.answered(row))
  const giving = createGiving(conversation)
  const reconciling = createReconciling(conversation, pull, wants, giving, now)
  const comparing = createComparing(conversation, pull, reconciling, askCut)
  const submitting = createSubmitting(conversation, pull, giving, now)
  const verdicts = createVerdicts(conversation, pull, wants, giving, submitting)
  let uncredited = 0
  /** Whether the relay was told once to send its feed. */
  let hasBegun = false
  /**
   * Up to where the journal was when everything was looked through and there was nothing to do but to wait; null if that
   * is not so, or a step was asked for since.
   */
  let restingAt: number | null = null
  /** Damaged rows that were asked for. */
  const askedAnew = new Set<DocumentKey>()

  function greet(frame: WelcomeFrame): void {
    conversation.greeted(frame)
    pull.begin(frame)
    wants.again()
    wants.strangers()
    if (frame.begin === 'join') return reconciling.begin('join')
    if (!frame.covers && state.size > 0 && conversation.mayWrite) return reconciling.begin('give')
    open()
  }

  /** P4: each once in a session, since a relay may lack it. */
  function wantDamaged(): void {
    const { damaged } = state
    if (damaged.length === 0) return
    const lacked = damaged.filter(key => !askedAnew.has(key))
    for (const key of lacked) askedAnew.add(key)
    wants.rows(lacked)
  }

  function isNothingConfirmed(): boolean {
    for (const key of state.keys()) if (state.confirmed(key) !== undefined) return false
    return true
  }

  function open(): void {
    conversation.phase = 'open'
    hasBegun = true
    send({ type: 'range', ranges: [] })
    step()
  }

  /** S4: only at a cut is what was given the relay's. A feed that begins comes to one; of one that goes on it is asked for. */
  function openAgain(): void {
    if (hasBegun) askCut()
    open()
  }

  /** A heartbeat is answered by one (SPEC, Wire). */
  function askCut(): void {
    send({ type: 'heartbeat', position: pull.cursor?.cut ?? 0, time: now() })
  }

  /** One thing after the other, until something is to be stored: what came, what is made anew, what is offered. */
  function step(): void {
    restingAt = null
    if (conversation.busy || conversation.phase === 'ended') return
    // What others made anew or were told is on disk before this session goes on: it may be what it would offer.
    if (!beside.mayStore(submitting.hasPlan)) return
    // S4: it begins again from there.
    if (pull.isTakenBack) return conversation.end(null, 0)
    if (introduce() || pull.forgetOthers()) return
    if (conversation.phase !== 'greeting') wantDamaged()
    const next = inbox.next()
    if (next !== null) {
      if ('type' in next) verdicts.store(next)
      // What need not be stored is as if it were.
      else if (!pull.store(next)) return stored()
      return step()
    }
    if (pull.settle()) return
    const plan = submitting.takePlan()
    if (plan !== null) {
      conversation.busy = true
      return conversation.ask({ kind: 'remake', plan })
    }
    reconciling.endIfDone()
    if (conversation.busy || conversation.phase !== 'open') return
    submitting.goOn()
    submitting.offer()
    if (submitting.hasPlan) return step()
    restingAt = state.seen
  }

  /** Whether nothing came into this session or to the state since, and of what is written here nothing is on its way. */
  function isResting(seen: number): boolean {
    return restingAt === seen && state.outbox.size === 0 && inbox.isEmpty
  }

  /**
   * Of a feed most comes while there is nothing else to do, and leaves nothing else to do: then what a step asks is not
   * asked again, neither before it is stored nor after. Whether it is so.
   */
  function takeAtRest(frame: ChangesFrame): boolean {
    const isPlain = !frame.answer && (frame.cut?.fingerprint ?? null) === null
    if (!isPlain || conversation.busy || !isResting(state.seen) || !beside.mayStore(false)) return false
    if (!pull.store([frame])) stored()
    return true
  }

  /** The same behind it: what was stored at rest, with nothing of others before it, leaves the session at rest. */
  function restsAgain(): boolean {
    if (restingAt === null || !isResting(state.seen - 1) || state.strangers.size > 0) return false
    restingAt = state.seen
    return true
  }

  /** L2: which relay it is stands in the journal before what it answers, and which ones are meant. */
  function introduce(): boolean {
    const { welcome, store } = conversation
    const { address } = options
    if (welcome === null || address === undefined) return false
    const { given, copies, met } = state
    const isMet = given.relays === undefined || met.get(address) === store
    if (isMet && areSameCopies(given, copies)) return false
    conversation.append({ kind: 'met', address, store, copies: given }, 'relaxed')
    return true
  }

  function receive(frame: Frame, isMore: boolean): void {
    if (frame.type === 'changes' && !isMore && takeAtRest(frame)) return
    const { phase } = conversation
    if (phase === 'greeting' && !['welcome', 'refuse', 'bye'].includes(frame.type))
      return conversation.end(failure('malformed-frame', { reason: `${frame.type} before welcome` }), 0)
    switch (frame.type) {
      case 'welcome':
        return greet(frame)
      case 'changes':
      case 'text':
      case 'verdict':
        inbox.push(frame)
        // What came together is stored together: the cut with the page before it.
        return isMore && !inbox.isAmple ? undefined : step()
      case 'range':
        reconciling.takeRanges(frame)
        return step()
      case 'given':
        giving.answered(frame)
        pull.hear(frame.generation, frame.position)
        return step()
      case 'heartbeat':
        reconciling.heed()
        return step()
      case 'quorum':
        return conversation.ask({ kind: 'quorum', told: frame })
      case 'refuse':
        return conversation.end(frame.error, 0)
      case 'bye':
        return conversation.end(null, frame.retryAfterMs)
      default:
        return
    }
  }

  function stored(): void {
    conversation.busy = false
    // F3: what was stored may be sent anew.
    if (uncredited >= creditBytes / 4) {
      send({ type: 'credit', bytes: uncredited })
      uncredited = 0
    }
    if (restsAgain()) {
      if (pull.takeMissedCut()) askCut()
      return pull.stored()
    }
    verdicts.stored()
    wants.strangers()
    submitting.remade()
    if (reconciling.hasEnded()) {
      pull.stored()
      return openAgain()
    }
    comparing.compare()
    comparing.note(pull.takeExpected())
    if (pull.takeMissedCut()) askCut()
    pull.stored()
    step()
  }

  return {
    get phase() {
      return conversation.phase
    },
    get caughtUp() {
      return conversation.phase === 'open' && pull.isLevel && inbox.isEmpty
    },
    get relay() {
      return conversation.welcome
    },
    begin: () =>
      act(() =>
        send({
          type: 'hello',
          protocol: protocolVersion,
          space: options.space,
          token: options.token,
          replica: options.replica,
          device: options.device,
          role: 'client',
          cursors: [...state.cursors.values()],
          empty: beside.isFirst && isNothingConfirmed(),
          frontier: state.frontier,
          reach: state.reach,
          level: options.level,
          credit: creditBytes,
        }),
      ),
    receive: (frame, bytes, isMore = false) =>
      act(() => {
        uncredited += bytes
        receive(frame, isMore)
        if (!isMore && !inbox.isEmpty) step()
      }),
    stored: () => act(stored),
    loaded: rows =>
      act(() => {
        giving.loaded(rows)
        step()
      }),
    measured: (key, part, stateVector, digest) =>
      act(() => {
        wants.measured(key, part, stateVector, digest)
        step()
      }),
    rested: () =>
      act(() => {
        comparing.compare()
        step()
      }),
    advance: () => act(step),
    heed: () =>
      act(() => {
        reconciling.heed()
        pull.keepPlaces()
        step()
      }),
  }
}
