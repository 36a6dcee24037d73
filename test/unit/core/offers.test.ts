// Which relays may have taken what a replica that speaks with several of them offered.
import {
  alone,
  createClientSession,
  createOffers,
  createReplicaState,
  documentKey,
  noTexts,
  nothingCounted,
  nothingReplaced,
  transactionId,
  type GenerationId,
  type OutboxEntry,
  type ReplicaState,
  type StoreId,
  type Transaction,
} from '@rejoin/core'
import { expect, test } from 'vitest'
import { deltaOf, markOf, writerOf } from './edits.ts'
import { welcomeFrom } from './welcomes.ts'

const generation = 'generation' as GenerationId
const [one, another] = ['one' as StoreId, 'another' as StoreId]

/** A replica that was told which relays two addresses lead to, and has writes to the same document. */
function replica(writes: number): {
  readonly state: ReplicaState
  readonly ids: readonly Transaction['id'][]
} {
  const copies = { wanted: 1, level: 'quorum', all: 2, relays: ['ws://one', 'ws://another'] } as const
  const state = createReplicaState(copies)
  const store = (chunk: Parameters<ReplicaState['apply']>[1]): void => void state.apply(state.seen + 1, chunk)
  store({ kind: 'met', address: 'ws://one', store: one, copies })
  store({ kind: 'met', address: 'ws://another', store: another, copies })
  const transactions = Array.from({ length: writes }, (_, i) => insert(i + 1))
  store({ kind: 'own', transactions })
  return { state, ids: transactions.map(({ id }) => id) }
}

function insert(serial: number): Transaction {
  const mark = markOf('alice', 500, serial)
  const key = documentKey('notes', 'a')
  const delta = deltaOf({ kind: 'insert', value: 'red', element: 'x' }, undefined, mark)
  return {
    id: transactionId(writerOf('alice'), serial),
    writes: [{ mark, key, delta, texts: noTexts, replaced: nothingReplaced, whole: true }],
    seen: [{ exists: false, last: null, counted: nothingCounted }],
    correction: 0,
    heard: 0,
  }
}

function entryOf(state: ReplicaState, id: Transaction['id'] | undefined): OutboxEntry {
  const entry = id === undefined ? undefined : state.outbox.get(id)
  if (entry === undefined) throw new Error('it is not in the outbox')
  return entry
}

test('[W6] a relay may have taken what was offered before anything of its feed was stored', () => {
  const { state, ids } = replica(1)
  expect(createOffers(state).mayHave(entryOf(state, ids[0]), another)).toBe(true)
})

test('[W6] what follows a refused write was not offered without it, unless another relay has that one', () => {
  const { state, ids } = replica(2)
  const offers = createOffers(state)
  const isWithAnother = (): boolean => offers.mayHave(entryOf(state, ids[1]), one)

  const outcome = { kind: 'acknowledged', shows: 'yes' } as const
  const verdict = {
    kind: 'verdicts',
    store: one,
    generation: 'g' as GenerationId,
    position: 1,
    cut: false,
  } as const
  state.apply(state.seen + 1, {
    ...verdict,
    verdicts: [{ id: entryOf(state, ids[0]).transaction.id, outcome }],
    wants: [],
  })
  offers.refused(another, entryOf(state, ids[0]))
  expect(isWithAnother()).toBe(true)
  offers.refused(another, entryOf(state, ids[1]))
  expect(isWithAnother()).toBe(false)
})

test('[W6] a relay may have what it acknowledged until that is on disk: no other relay’s refusal takes it out before', () => {
  const { state, ids } = replica(1)
  const offers = createOffers(state)
  const entry = entryOf(state, ids[0])
  const mayBeWithOne = (): boolean => offers.mayHave(entry, another)
  offers.refused(one, entry)
  expect(mayBeWithOne()).toBe(false)

  const options = { space: 's', token: 't', replica: one, device: 'd', level: 'quorum' } as const
  const session = createClientSession(state, options, () => 1000, { ...alone, offers })
  session.begin()
  session.receive(welcomeFrom(one, generation), 10)
  expect(mayBeWithOne()).toBe(true)
  const position = { generation, position: 1 }
  const asked = session.receive({ type: 'verdict', count: 1, ...position, cut: false, exceptions: [] }, 10)
  const chunk = asked.flatMap(effect => (effect.kind === 'append' ? effect.chunk : []))[0]
  if (chunk === undefined) throw new Error('nothing is stored')
  expect(mayBeWithOne()).toBe(true)
  state.apply(state.seen + 1, chunk)
  session.stored()
  expect(mayBeWithOne()).toBe(false)
  expect(state.outbox.get(entry.transaction.id)?.acks.has(one)).toBe(true)
})
