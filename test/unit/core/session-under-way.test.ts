// What is under way to a relay is not made anew: the relay may have it already, and say so (SPEC W6, A4).
import {
  alone,
  createClientSession,
  createOffers,
  createReplicaState,
  failure,
  makeAnew,
  type DocumentKey,
  type Frame,
  type GenerationId,
  type SessionEffect,
  type StoreId,
  type Transaction,
  type VerdictException,
} from '@rejoin/core'
import { expect, test } from 'vitest'
import { createTab, keys } from './chunk-history.ts'
import { deltaOf, markOf, writerOf } from './edits.ts'
import { pulledChunk } from './chunks.ts'
import { welcomeFrom } from './welcomes.ts'
import { remakeContext } from './remake-context.ts'

const relay = 'relay' as StoreId
const generation = 'generation' as GenerationId
const [note] = keys as [DocumentKey]

/** A session that has submitted two writes of one document, and the relay has refused the first and not yet judged the second. */
function begin() {
  const state = createReplicaState()
  const delta = deltaOf({ kind: 'insert', value: 'red', element: 'x' }, undefined, markOf('bob', 1))
  state.apply(1, pulledChunk(relay, { rows: [{ key: note, delta, parts: 0, texts: new Map() }] }))
  const tab = createTab(state)
  const [refused, held] = (['color', 'vote'] as const).map(kind => {
    const transaction = tab.write([[0, kind === 'vote' ? { kind, by: 1 } : { kind, value: 'teal' }]])
    state.apply(state.seen + 1, { kind: 'own', transactions: [transaction] })
    return transaction
  }) as [Transaction, Transaction]
  const options = { space: 's', token: 't', replica: relay, device: 'd', level: 'relay' } as const
  const offers = createOffers(state)
  const session = createClientSession(state, options, () => 1000, { ...alone, offers })
  function run(effects: readonly SessionEffect[]): readonly string[] {
    return effects.flatMap(effect => {
      if (effect.kind === 'send') return [effect.frame.type]
      if (effect.kind === 'append') state.apply(state.seen + 1, effect.chunk)
      else if (effect.kind === 'remake') {
        const writer = writerOf('anew')
        const context = { ...remakeContext(writer), now: 1000 }
        const chunk = makeAnew(state, effect.plan, context)
        if (chunk !== null) state.apply(state.seen + 1, chunk)
      } else return [effect.kind]
      return [effect.kind, ...run(session.stored())]
    })
  }
  const receive = (frame: Frame): readonly string[] => run(session.receive(frame, 10))
  const verdict = (count: number, ...exceptions: readonly VerdictException[]): readonly string[] =>
    receive({ type: 'verdict', count, generation, position: 1, cut: false, exceptions })
  run(session.begin())
  expect(receive(welcomeFrom(relay, generation, { begin: 'resume' }))).toContain('submit')
  expect(verdict(1, { index: 0, kind: 'refused', write: 0, error })).toEqual([])
  return { state, delta, refused, held, verdict, receive, offers, advance: () => run(session.advance()) }
}

const error = failure('refused-by-rule', { reason: 'no' })

test('[W6] what follows a refused write is made anew once the relay has said of all of it whether it has it', () => {
  const { state, delta, refused, held, verdict } = begin()
  expect(verdict(2)).toEqual(['append', 'remake', 'go-on'])
  expect([...state.quarantine.keys()]).toEqual([refused.id])
  expect(state.outbox.size).toBe(0)
  const [written] = held.writes
  expect(state.confirmed(note)?.cells).toEqual(new Map([...delta.cells, ...(written?.delta.cells ?? [])]))
})

test('[W6] nothing is made anew for what another session took out meanwhile', () => {
  const { state, refused, held, verdict } = begin()
  const quarantined = [{ id: refused.id, error }]
  state.apply(state.seen + 1, {
    kind: 'remade',
    seen: state.seen,
    writers: [],
    transactions: [],
    quarantined,
  })
  expect(verdict(2, { index: 1, kind: 'skipped' })).toEqual(['go-on', 'submit'])
  expect([...state.outbox.entries()].map(({ transaction }) => transaction.id)).toEqual([held.id])
})

test('[W6] what waited for what another relay says of it is made anew then, and not first refused here once more', () => {
  const { state, refused, held, verdict, offers, advance } = begin()
  const other = 'other' as StoreId
  offers.offered(other, refused.id)
  expect(verdict(2, { index: 1, kind: 'skipped' })).toEqual(['go-on'])
  expect(advance()).toEqual([])
  const entry = state.outbox.get(refused.id)
  if (entry === undefined) throw new Error('it left the outbox')
  offers.refused(other, entry)
  expect(advance()).toEqual(['remake', 'submit'])
  expect([...state.quarantine.keys()]).toEqual([refused.id])
  expect(state.outbox.get(held.id)).toBeUndefined()
})

test('[L2] what another relay took while more was under way here stays, and goes when this one says that it holds it', () => {
  const { state, refused, verdict, receive } = begin()
  const other = { store: 'other' as StoreId, generation: 'elsewhere' as GenerationId, position: 7 }
  const copies = { wanted: 2, level: 'quorum', all: 2 } as const
  state.apply(state.seen + 1, { kind: 'met', address: 'ws://other', store: other.store, copies })
  const verdicts = [{ id: refused.id, outcome: { kind: 'acknowledged', shows: 'yes' } }] as const
  state.apply(state.seen + 1, { kind: 'verdicts', ...other, cut: false, verdicts, wants: [] })
  expect(verdict(2, { index: 1, kind: 'skipped' })).toEqual(['go-on'])
  const cut = {
    generation,
    position: 2,
    frontier: new Map([[other.generation, other.position]]),
    generations: [{ id: other.generation, store: other.store, parent: null, start: 0 }],
    fingerprint: null,
  }
  const heard = receive({
    type: 'changes',
    rows: [],
    place: 2,
    head: 2,
    cut,
    answer: false,
    writers: [],
  })
  expect(heard).toEqual(['append', 'submit'])
  expect(state.quarantine.size).toBe(0)
})
