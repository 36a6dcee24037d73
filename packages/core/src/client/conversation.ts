/**
 * What the parts of a client's session share: the state that they read, the welcome, the phase, and what they ask of
 * the shell. One chunk is on its way to the disk at most (`busy`), so each part decides over a state that is stored.
 *
 * As the parts that each change that comes goes through (pull.ts, wants.ts, session.ts), it is plain fields, with functions
 * over them: where many replicas are open, what each of them brings into the processor's caches is what a change costs.
 */
import type { Chunk, PulledChunk } from '../chunk.ts'
import type { Failure } from '../errors.ts'
import type { RequestFrame, WelcomeFrame } from '../frames.ts'
import type { Generation, GenerationId, StoreId } from '../generations.ts'
import type { ReplicaState } from '../replica/replica.ts'
import type { Beside } from './beside.ts'
import type { SessionEffect, SessionPhase } from './effects.ts'
import type { Telling } from './told-elsewhere.ts'

export interface Conversation {
  readonly state: ReplicaState
  /** The other sessions of this replica. */
  readonly beside: Beside
  readonly now: () => number
  phase: SessionPhase
  /** Whether a chunk that was asked for is not on disk yet. */
  busy: boolean
  /** What the relay said of itself; what follows is of it, and asked for after the greeting alone. */
  welcome: WelcomeFrame | null
  store: StoreId
  /** The relay's generation: positions of its feed are of this one. */
  generation: GenerationId
  /** Whose verdicts come: the relay itself, or the leader that it follows (SPEC Q2). */
  judge: StoreId
  /** Q4: who may only read is offered no level, and keeps the outbox for a token that may write. */
  mayWrite: boolean
  /** Facts that the relay told and no chunk has brought yet. */
  newFacts: Generation[]
  effects: SessionEffect[]
}

export function createConversation(state: ReplicaState, now: () => number, beside: Beside): Conversation {
  return {
    state,
    beside,
    now,
    phase: 'greeting',
    busy: false,
    welcome: null,
    store: nobody,
    generation: nobody,
    judge: nobody,
    mayWrite: false,
    newFacts: [],
    effects: [],
  }
}

const nobody = '' as StoreId & GenerationId

/** The relay said who it is. */
export function greeted(conversation: Conversation, welcome: WelcomeFrame): void {
  conversation.welcome = welcome
  conversation.store = welcome.store
  conversation.generation = welcome.cursor.generation
  conversation.judge = welcome.leader ?? welcome.store
  conversation.mayWrite = welcome.levels.length > 0
  learn(conversation, welcome.generations)
}

/** Takes note of facts that the relay told; the next chunk brings them. */
export function learn({ newFacts, state }: Conversation, facts: readonly Generation[]): void {
  for (const fact of facts) if (!state.generations.has(fact.id)) newFacts.push(fact)
}

/** Own facts and those that the relay told and no chunk has brought yet. */
export function factsOf({ newFacts, state }: Conversation): ReadonlyMap<GenerationId, Generation> {
  if (newFacts.length === 0) return state.generations
  return new Map([...newFacts.map(fact => [fact.id, fact] as const), ...state.generations])
}

/** To the relay, behind what was asked for before. */
export function send({ effects }: Conversation, frame: RequestFrame): void {
  effects.push({ kind: 'send', frame })
}

/** Of the shell. */
export function ask({ effects }: Conversation, effect: SessionEffect): void {
  effects.push(effect)
}

/** Asks for a chunk to be stored; `busy` until it is. */
export function append(
  conversation: Conversation,
  chunk: Chunk,
  durability: 'strict' | 'relaxed',
  told: Telling | null = null,
): void {
  conversation.busy = true
  conversation.effects.push({ kind: 'append', chunk, durability, told })
}

/** A chunk that stores what was pulled, with the facts that are new. */
export function pulledChunk(
  conversation: Conversation,
  parts: Partial<PulledChunk> & Pick<PulledChunk, 'wants'>,
): PulledChunk {
  const generations = conversation.newFacts
  if (generations.length > 0) conversation.newFacts = []
  return {
    kind: 'pulled',
    store: conversation.store,
    rows: [],
    texts: [],
    cursor: null,
    writers: [],
    generations: generations.length > 0 ? generations : nothingLearned,
    frontier: null,
    reach: null,
    at: conversation.now(),
    ...parts,
  }
}

const nothingLearned: readonly Generation[] = []

/** The session is over; with an error, one side refused the other. */
export function end(conversation: Conversation, error: Failure | null, retryAfterMs: number): void {
  conversation.phase = 'ended'
  conversation.effects.push({ kind: 'end', error, retryAfterMs })
}

/** What was asked for since it was taken last. */
export function takeEffects(conversation: Conversation): readonly SessionEffect[] {
  const { effects } = conversation
  if (effects.length === 0) return nothingAsked
  conversation.effects = []
  return effects
}

const nothingAsked: readonly SessionEffect[] = []
