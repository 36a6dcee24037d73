// A session with a relay that follows another one: verdicts are the leader's, the feed is the follower's (SPEC Q2).
import {
  createClientSession,
  createReplicaState,
  documentKey,
  emptyRow,
  failure,
  noTexts,
  nothingCounted,
  nothingReplaced,
  transactionId,
  type ChangesFrame,
  type Frame,
  type Generation,
  type GenerationId,
  type Positions,
  type ReplicaState,
  type SessionEffect,
  type StoreId,
} from '@rejoin/core'
import { expect, test } from 'vitest'
import { deltaOf, markOf, writerOf } from './edits.ts'
import { welcomeFrom } from './welcomes.ts'

const follower = 'follower' as StoreId
const leader = 'leader' as StoreId
const own = 'of the follower' as GenerationId
const id = (name: string): GenerationId => name as GenerationId
const note = documentKey('notes', 'n')

function fact(name: string, store: StoreId, parent: string | null, start: number): Generation {
  return { id: id(name), store, parent: parent === null ? null : id(parent), start }
}

/** The leader's feed, a generation that goes on from all of it, and one that was restored from before. */
const facts = [
  fact(own, follower, null, 0),
  fact('g', leader, null, 0),
  fact('kept', leader, 'g', 9),
  fact('lost', leader, 'g', 5),
]

interface Session {
  readonly state: ReplicaState
  receive(frame: Frame): readonly SessionEffect[]
}

/** With a transaction in the outbox, which the leader acknowledged at 7 of `g`, or nobody. */
function openSession(isAcknowledged: boolean): Session {
  const state = createReplicaState()
  const mark = markOf('alice', 500)
  const delta = deltaOf({ kind: 'insert', value: 'red', element: 'x' }, undefined, mark)
  const write = { mark, key: note, delta, texts: noTexts, replaced: nothingReplaced, whole: true }
  const transaction = {
    id: transactionId(writerOf('alice'), 1),
    writes: [write],
    seen: [{ exists: false, last: null, counted: nothingCounted }],
    correction: 0,
    heard: 0,
  }
  state.apply(1, { kind: 'own', transactions: [transaction] })
  // Kept, as if a level beyond this relay were wanted.
  const acks = new Map([[leader, { generation: id('g'), position: 7 }]])
  if (isAcknowledged) state.outbox.put({ transaction, position: 1, acks, refusedBy: new Set() })
  const options = { space: 's', token: 't', replica: 'r' as StoreId, device: 'd', level: 'relay' } as const
  const session = createClientSession(state, options, () => 1000)

  function settle(effects: readonly SessionEffect[]): readonly SessionEffect[] {
    return effects.flatMap(effect => {
      if (effect.kind !== 'append') return [effect]
      state.apply(state.seen + 1, effect.chunk)
      return settle(session.stored())
    })
  }

  settle(session.begin())
  return { state, receive: frame => settle(session.receive(frame, 10)) }
}

function welcome(frontier: Positions): Frame {
  return welcomeFrom(follower, own, { generations: facts, frontier, leader })
}

function framesOf(effects: readonly SessionEffect[]): readonly Frame['type'][] {
  return effects.flatMap(effect => (effect.kind === 'send' ? [effect.frame.type] : []))
}

test.each([
  { at: 'g', position: 7, isOffered: false },
  { at: 'kept', position: 12, isOffered: false },
  { at: 'g', position: 6, isOffered: true },
  { at: 'lost', position: 12, isOffered: true },
])(
  '[L2] what the leader acknowledged is offered again ($isOffered) where the follower has $position of $at',
  ({ at, position, isOffered }) => {
    const { receive } = openSession(true)
    const sent = framesOf(receive(welcome(new Map([[id(at), position]]))))
    expect(sent.includes('submit')).toBe(isOffered)
  },
)

test('[L2, Q2] a verdict is noted as of the leader, and the reach says where the write can be had', () => {
  const { state, receive } = openSession(false)
  expect(framesOf(receive(welcome(new Map())))).toContain('submit')
  receive({ type: 'verdict', count: 1, generation: id('g'), position: 7, cut: false, exceptions: [] })
  expect(state.outbox.size).toBe(0)
  expect(state.confirmed(note)).toBeDefined()
  expect(state.reach).toEqual(new Map([[id('g'), 7]]))
})

test('[P4, Q2] what a verdict of the leader asks for is asked for until the follower has what the leader had then', () => {
  const { state, receive } = openSession(false)
  receive(welcome(new Map([[id('g'), 3]])))
  const partial = { index: 0, kind: 'partial', write: 0 } as const
  receive({ type: 'verdict', count: 1, generation: id('g'), position: 7, cut: false, exceptions: [partial] })
  const row = { key: note, delta: state.confirmed(note) ?? emptyRow, parts: 0, texts: new Map() }
  const page = (place: number, of: number): ChangesFrame => {
    const cut = { generation: own, position: place, frontier: new Map([[id('g'), of]]), fingerprint: null }
    const rest = {
      rows: [],
      place,
      head: place,
      cut: { ...cut, generations: [] },
      answer: false,
      writers: [],
    }
    return { type: 'changes', ...rest }
  }
  receive({ ...page(1, 3), rows: [row], cut: null, answer: true })
  receive(page(1, 3))
  expect(state.wants).toEqual([note])
  receive(page(2, 7))
  expect(state.wants).toEqual([])
})

test('[Q2] where nobody judges the writes wait: the session ends for a while, and nothing is refused', () => {
  const { state, receive } = openSession(false)
  receive(welcome(new Map()))
  const error = failure('no-leader', { space: 's' })
  const exceptions = [{ index: 0, kind: 'refused', write: 0, error }] as const
  const effects = receive({
    type: 'verdict',
    count: 1,
    generation: own,
    position: 0,
    cut: false,
    exceptions,
  })
  expect(effects).toEqual([{ kind: 'end', error: null, retryAfterMs: 1000 }])
  expect([state.outbox.size, state.quarantine.size]).toEqual([1, 0])
})

test('[L2] what a relay acknowledged and lost is offered again, also where its peers gave that back and the state learns of the loss later', () => {
  const { receive } = openSession(true)
  const restored = { generation: id('lost'), cut: 0, place: 0 }
  const frontier = new Map([
    [id('g'), 9],
    [id('lost'), 5],
  ])
  const greeted = { ...welcome(frontier), store: leader, cursor: restored } as Frame
  // Until a chunk brings what the relay told of itself, the acknowledgement counts.
  expect(framesOf(receive(greeted))).not.toContain('submit')
  const cut = { generation: id('lost'), position: 5, frontier, generations: [], fingerprint: null }
  const page = { type: 'changes', rows: [], place: 5, head: 5, cut, answer: false, writers: [] } as const
  expect(framesOf(receive(page))).toContain('submit')
})
