/**
 * What the parts of a client's session share: the state that they read, the welcome, the phase, and what they ask of
 * the shell. One chunk is on its way to the disk at most (`busy`), so each part decides over a state that is stored.
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
  phase: SessionPhase
  /** Whether a chunk that was asked for is not on disk yet. */
  busy: boolean
  /** What the relay said of itself; asked for after the greeting alone. */
  readonly welcome: WelcomeFrame | null
  readonly store: StoreId
  /** The relay's generation: positions of its feed are of this one. */
  readonly generation: GenerationId
  /** Whose verdicts come: the relay itself, or the leader that it follows (SPEC Q2). */
  readonly judge: StoreId
  /** Q4: who may only read is offered no level, and keeps the outbox for a token that may write. */
  readonly mayWrite: boolean
  greeted(welcome: WelcomeFrame): void
  /** Takes note of facts that the relay told; the next chunk brings them. */
  learn(facts: readonly Generation[]): void
  /** Own facts and those that the relay told and no chunk has brought yet. */
  facts(): ReadonlyMap<GenerationId, Generation>
  send(frame: RequestFrame): void
  ask(effect: SessionEffect): void
  append(chunk: Chunk, durability: 'strict' | 'relaxed', told?: Telling | null): void
  /** A chunk that stores what was pulled, with the facts that are new. */
  pulled(parts: Partial<PulledChunk> & Pick<PulledChunk, 'wants'>): PulledChunk
  end(error: Failure | null, retryAfterMs: number): void
  /** Runs a step and gives back what it asked for. After the end nothing runs any more. */
  act(run: () => void): readonly SessionEffect[]
}

export function createConversation(state: ReplicaState, now: () => number, beside: Beside): Conversation {
  let effects: SessionEffect[] = []
  let welcome: WelcomeFrame | null = null
  let newFacts: Generation[] = []

  const conversation: Conversation = {
    state,
    beside,
    phase: 'greeting',
    busy: false,
    get welcome() {
      return welcome
    },
    get store() {
      return welcome?.store as StoreId
    },
    get generation() {
      return welcome?.cursor.generation as GenerationId
    },
    get judge() {
      return welcome?.leader ?? conversation.store
    },
    get mayWrite() {
      return welcome !== null && welcome.levels.length > 0
    },
    greeted(frame) {
      welcome = frame
      conversation.learn(frame.generations)
    },
    learn(facts) {
      if (facts.length === 0) return
      newFacts.push(...facts.filter(fact => !state.generations.has(fact.id)))
    },
    facts() {
      if (newFacts.length === 0) return state.generations
      return new Map([...newFacts.map(fact => [fact.id, fact] as const), ...state.generations])
    },
    send: frame => void effects.push({ kind: 'send', frame }),
    ask: effect => void effects.push(effect),
    append(chunk, durability, told = null) {
      conversation.busy = true
      effects.push({ kind: 'append', chunk, durability, told })
    },
    pulled(parts) {
      const generations = newFacts
      newFacts = []
      return {
        kind: 'pulled',
        store: conversation.store,
        rows: [],
        texts: [],
        cursor: null,
        writers: [],
        generations,
        frontier: null,
        reach: null,
        at: now(),
        ...parts,
      }
    },
    end(error, retryAfterMs) {
      conversation.phase = 'ended'
      effects.push({ kind: 'end', error, retryAfterMs })
    },
    act(run) {
      if (conversation.phase !== 'ended') run()
      const asked = effects
      if (asked.length === 0) return nothingAsked
      effects = []
      return asked
    },
  }
  return conversation
}

const nothingAsked: readonly SessionEffect[] = []
