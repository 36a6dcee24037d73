// Who wrote the sides of a conflict is asked of the relay until it says so (SPEC K3, T4).
import {
  createClientSession,
  createReplicaState,
  documentKey,
  emptyRow,
  partName,
  writerFromBytes,
  type ChangesFrame,
  type Cut,
  type Frame,
  type GenerationId,
  type Mark,
  type SessionEffect,
  type Sibling,
  type StoreId,
  type WriterId,
} from '@rejoin/core'
import { expect, test } from 'vitest'
import { welcomeFrom } from './welcomes.ts'

const relay = 'relay' as StoreId
const generation = 'generation' as GenerationId
const [alice, bob] = [1, 2].map(byte => writerFromBytes(new Uint8Array(8).fill(byte))) as [WriterId, WriterId]

function conflict(): ChangesFrame['rows'][number] {
  const marks = [alice, bob].map((writer): Mark => ({ ms: 1000, tick: 0, writer }))
  const siblings = marks.map(
    (mark): Sibling => ({ mark, value: new Uint8Array(), base: null, answers: null }),
  )
  const context = new Map(marks.map(mark => [mark.writer, mark]))
  const cells = new Map([[partName('ask', 'title'), { strategy: 'ask', siblings, context } as const]])
  return {
    key: documentKey('notes', 'a'),
    delta: { ...emptyRow, cells, revival: marks[0] ?? null },
    parts: 0,
    texts: new Map(),
  }
}

function changes(more: Partial<ChangesFrame>): ChangesFrame {
  const frame = {
    type: 'changes',
    rows: [],
    place: 1,
    head: 1,
    cut: null,
    answer: false,
    writers: [],
  } as const
  return { ...frame, ...more }
}

function cutAt(position: number, frontier: Cut['frontier']): ChangesFrame {
  const cut = { generation, position, frontier, generations: [], fingerprint: null }
  return changes({ place: position, head: position, cut })
}

const told = changes({
  answer: true,
  writers: [alice, bob].map(writer => ({
    writer,
    user: 'somebody',
    device: 'phone',
    highest: { ms: 1000, tick: 0, writer },
  })),
})

const options = { space: 's', token: 't', replica: relay, device: 'd', level: 'relay' } as const

/** A session of a replica, and of whom it asks who they are with each frame that comes. */
function begin(state = createReplicaState()): {
  readonly state: typeof state
  readonly asked: (frame: Frame) => readonly WriterId[]
} {
  const session = createClientSession(state, options, () => 1000)
  const askedBy = (effects: readonly SessionEffect[]): readonly WriterId[] =>
    effects.flatMap(effect => {
      if (effect.kind === 'send') return effect.frame.type === 'want' ? effect.frame.writers : []
      if (effect.kind !== 'append') return []
      state.apply(state.seen + 1, effect.chunk)
      return askedBy(session.stored())
    })
  askedBy(session.begin())
  return { state, asked: frame => askedBy(session.receive(frame, 10)) }
}

test('[T4] a session asks once who wrote the sides of a conflict, and the next one again where nobody said so', () => {
  const first = begin()
  expect(first.asked(welcomeFrom(relay, generation))).toEqual([])
  expect(first.asked(changes({ rows: [conflict()] }))).toEqual([alice, bob])
  expect(first.asked(cutAt(2, new Map()))).toEqual([])
  const second = begin(first.state)
  const resumed = { begin: 'resume', cursor: { generation, cut: 2, place: 2 } } as const
  expect(second.asked(welcomeFrom(relay, generation, resumed))).toEqual([alice, bob])
  expect(second.asked(told)).toEqual([])
  expect(first.state.strangers.size).toBe(0)
  expect(begin(first.state).asked(welcomeFrom(relay, generation, resumed))).toEqual([])
})

test('[T4] it asks again when its relay has heard from another one, which may have said so', () => {
  const { asked } = begin()
  asked(welcomeFrom(relay, generation))
  expect(asked(changes({ rows: [conflict()] }))).toEqual([alice, bob])
  expect(asked(cutAt(2, new Map([['other' as GenerationId, 7]])))).toEqual([alice, bob])
  asked(told)
  expect(asked(cutAt(3, new Map([['other' as GenerationId, 8]])))).toEqual([])
})

test('[T4] who is known already is no stranger', () => {
  const { state } = begin()
  state.apply(1, {
    kind: 'pulled',
    store: relay,
    rows: [conflict()],
    texts: [],
    cursor: null,
    wants: [],
    writers: told.writers.slice(0, 1),
    generations: [],
    frontier: null,
    reach: null,
    at: 0,
  })
  expect([...state.strangers]).toEqual([bob])
})
