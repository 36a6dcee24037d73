// What a tab wrote under a writer that was made anew before it heard of it (SPEC W6): by the holder it is made anew too.
import {
  createClientSession,
  createReplicaState,
  documentKey,
  makeAnew,
  noTexts,
  nothingCounted,
  nothingReplaced,
  transactionId,
  type ClientSession,
  type Frame,
  type GenerationId,
  type ReplicaState,
  type SessionEffect,
  type StoreId,
  type SubmitFrame,
  type Transaction,
  type WelcomeFrame,
} from '@rejoin/core'
import { expect, test } from 'vitest'
import { deltaOf, markOf, writerOf } from './edits.ts'
import { sessionOptions } from './session-options.ts'
import { welcomeFrom } from './welcomes.ts'
import { remakeContext } from './remake-context.ts'

const relay = 'relay' as StoreId
const other = 'other' as StoreId
const generation = 'generation' as GenerationId

const welcome: WelcomeFrame = welcomeFrom(relay, generation)

function insertOf(writer: string, name: string, serial: number): Transaction {
  const mark = markOf(writer, 500, serial)
  const delta = deltaOf({ kind: 'insert', value: 'red', element: 'x' }, undefined, mark)
  const write = {
    mark,
    key: documentKey('notes', name),
    delta,
    texts: noTexts,
    replaced: nothingReplaced,
    whole: true,
  }
  const id = transactionId(writerOf(writer), serial)
  return {
    id,
    writes: [write],
    seen: [{ exists: false, last: null, counted: nothingCounted }],
    correction: 0,
    heard: 0,
  }
}

interface Running {
  readonly state: ReplicaState
  /** Effects other than frames and chunks, which are stored at once. */
  readonly effects: SessionEffect['kind'][]
  run(effects: readonly SessionEffect[]): readonly Frame[]
}

function running(state: ReplicaState, session: ClientSession): Running {
  const kinds: SessionEffect['kind'][] = []
  function run(effects: readonly SessionEffect[]): readonly Frame[] {
    return effects.flatMap(effect => {
      if (effect.kind === 'send') return [effect.frame]
      kinds.push(effect.kind)
      expect(kinds.length).toBeLessThan(50)
      if (effect.kind === 'append') state.apply(state.seen + 1, effect.chunk)
      else if (effect.kind === 'remake') {
        const context = { ...remakeContext(writerOf(`new ${kinds.length}`)), now: 1000 }
        const chunk = makeAnew(state, effect.plan, context)
        if (chunk !== null) state.apply(state.seen + 1, chunk)
      } else return []
      return run(session.stored())
    })
  }
  return { state, effects: kinds, run }
}

function begin(state: ReplicaState): { session: ClientSession; running: Running; first: readonly Frame[] } {
  const session = createClientSession(state, sessionOptions, () => 1000)
  const started = running(state, session)
  started.run(session.begin())
  return { session, running: started, first: started.run(session.receive(welcome, 10)) }
}

function submitted(frames: readonly Frame[]): readonly string[] {
  return frames
    .filter((frame): frame is SubmitFrame => frame.type === 'submit')
    .flatMap(frame => frame.transactions.flatMap(({ writes }) => writes.map(({ mark }) => mark.writer)))
}

/** Alice's tab was made anew, and had written once more before it heard of it. */
function retire(state: ReplicaState): void {
  state.apply(state.seen + 1, {
    kind: 'remade',
    seen: state.seen,
    writers: [{ from: writerOf('alice'), to: writerOf('other') }],
    transactions: [],
    quarantined: [],
  })
}

test('[W6] it waits until what is under way is answered, since that must not be made twice', () => {
  const state = createReplicaState()
  state.apply(1, { kind: 'own', transactions: [insertOf('bob', 'n', 1)] })
  const { session, running: tab, first } = begin(state)
  expect(submitted(first)).toEqual([writerOf('bob')])
  retire(state)
  state.apply(state.seen + 1, {
    kind: 'own',
    transactions: [insertOf('alice', 'n', 1), insertOf('bob', 'm', 2)],
  })
  expect(submitted(tab.run(session.advance()))).toEqual([])
  expect(tab.effects).not.toContain('remake')
  const verdict: Frame = { type: 'verdict', count: 1, generation, position: 1, cut: false, exceptions: [] }
  const frames = tab.run(session.receive(verdict, 10))
  expect(tab.effects).toContain('remake')
  const writers = submitted(frames)
  expect(writers).toHaveLength(2)
  expect(writers).not.toContain(writerOf('alice'))
})

test('[W6] what another relay has acknowledged is offered as it is, and never made anew', () => {
  const state = createReplicaState()
  const mine = insertOf('alice', 'n', 1)
  state.apply(1, { kind: 'own', transactions: [mine, insertOf('alice', 'm', 2)] })
  // Acknowledged there with a row that is still to come, so that it stays in the outbox.
  const entry = state.outbox.get(mine.id)
  if (entry === undefined) throw new Error('it is in the outbox')
  state.outbox.put({
    ...entry,
    acks: new Map([[other, { generation: 'elsewhere' as GenerationId, position: 1 }]]),
  })
  retire(state)
  const { running: tab, first } = begin(state)
  expect(submitted(first)[0]).toBe(writerOf('alice'))
  expect(tab.effects.filter(kind => kind === 'remake').length).toBeLessThan(2)
})

test('[W6] what names a mark that was made anew and is on a relay all the same stands, if its tab had heard of that', () => {
  const state = createReplicaState()
  const mine = insertOf('alice', 'n', 1)
  state.apply(1, { kind: 'own', transactions: [mine] })
  const anew = { ...insertOf('other', 'n', 1), heard: 0 }
  state.apply(2, {
    kind: 'remade',
    seen: 1,
    writers: [{ from: writerOf('alice'), to: writerOf('other') }],
    transactions: [{ from: mine.id, to: anew }],
    quarantined: [],
  })
  // A copy of it is on another relay, and waits here for this one.
  const copy = { ...mine, id: transactionId(writerOf('copy'), 1) }
  state.apply(3, { kind: 'own', transactions: [copy] })
  const entry = state.outbox.get(copy.id)
  if (entry === undefined) throw new Error('it is in the outbox')
  const acks = new Map([[other, { generation: 'elsewhere' as GenerationId, position: 1 }]])
  state.outbox.put({ ...entry, acks })
  const later = insertOf('bob', 'n', 1)
  const [write] = later.writes
  if (write === undefined) throw new Error('it writes')
  const mark = markOf('bob', 600, 1)
  const seen = mine.writes[0]?.delta
  const over = { ...write, mark, delta: deltaOf({ kind: 'title', value: 'blue' }, seen, mark), whole: false }
  state.apply(4, { kind: 'own', transactions: [{ ...later, writes: [over], heard: 3 }] })
  expect(submitted(begin(state).first)).toContain(writerOf('bob'))
})

test('[Q4] a token that may not write pauses the outbox: nothing is offered, and nothing is refused', () => {
  const state = createReplicaState()
  state.apply(1, { kind: 'own', transactions: [insertOf('alice', 'n', 1)] })
  const session = createClientSession(state, sessionOptions, () => 1000)
  const { run } = running(state, session)
  run(session.begin())
  expect(submitted(run(session.receive({ ...welcome, levels: [] }, 10)))).toEqual([])
  expect(session.phase).toBe('open')
  expect(state.outbox.size).toBe(1)
})
