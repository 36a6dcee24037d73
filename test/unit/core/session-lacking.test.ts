// With several relays at once: what was written upon what another relay told follows that (SPEC S3).
import {
  alone,
  createClientSession,
  createGrapevine,
  createReplicaState,
  documentKey,
  noTexts,
  type Frame,
  type GenerationId,
  type SessionEffect,
  type StoreId,
  type Transaction,
  type TransactionId,
} from '@rejoin/core'
import { expect, test } from 'vitest'
import { createTab, keys } from './chunk-history.ts'
import { pulledChunk } from './chunks.ts'
import { deltaOf, markOf, writerOf } from './edits.ts'
import { welcomeFrom } from './welcomes.ts'

const [relay, elsewhere] = ['relay' as StoreId, 'elsewhere' as StoreId]
const generation = 'generation' as GenerationId
const [note = documentKey('notes', 'a')] = keys

test('[S3] what a write is made anew while what it stands on is being given waits for that too', () => {
  let time = 1000
  const state = createReplicaState({ wanted: 2, level: 'quorum', all: 2 })
  const mark = markOf('bob', 500)
  const delta = deltaOf({ kind: 'insert', value: 'red', element: 'x' }, undefined, mark)
  state.apply(
    1,
    pulledChunk(elsewhere, {
      rows: [{ key: note, delta, parts: 0, texts: new Map() }],
      generations: [{ id: generation, store: relay, parent: null, start: 0 }],
    }),
  )
  const beginHearing = createGrapevine()
  const beside = { ...alone, elsewhere: beginHearing() }
  const options = { space: 's', token: 't', replica: relay, device: 'd', level: 'relay' } as const
  const session = createClientSession(state, options, () => time, beside)
  function kindsOf(effects: readonly SessionEffect[]): readonly string[] {
    return effects.flatMap(effect => {
      if (effect.kind === 'send') return [effect.frame.type]
      if (effect.kind !== 'append') return [effect.kind]
      state.apply(state.seen + 1, effect.chunk)
      return kindsOf(session.stored())
    })
  }
  const receive = (frame: Frame): readonly string[] => kindsOf(session.receive(frame, 10))
  kindsOf(session.begin())
  receive(welcomeFrom(relay, generation, { begin: 'resume' }))
  const told = { at: 1, generation: 'of another feed' as GenerationId, position: 7 }
  beginHearing().tell({ rows: [{ key: note, delta }], told })

  const made = createTab(state).write([[0, { kind: 'color', value: 'teal' }]])
  state.apply(2, { kind: 'own', transactions: [{ ...made, heard: 1 }] })
  expect(kindsOf(session.advance())).toEqual([])
  time += 1000
  expect(kindsOf(session.advance())).toEqual(['load'])
  const again = anew(made)
  const writers = [{ from: writerOf('alice'), to: writerOf('alice', 1) }]
  const transactions = [{ from: made.id, to: again }]
  state.apply(3, { kind: 'remade', seen: 2, writers, transactions, quarantined: [] })
  expect(kindsOf(session.advance())).toEqual([])
  expect(kindsOf(session.loaded([{ key: note, row: delta, texts: noTexts }]))).toEqual(['give'])
  expect(receive({ type: 'given', count: 1, generation, position: 1, refused: [] })).toEqual(['submit'])
})

function anew(made: Transaction): Transaction {
  const writes = made.writes.map(write => {
    const mark = { ...write.mark, writer: writerOf('alice', 1) }
    return { ...write, mark, delta: deltaOf({ kind: 'color', value: 'teal' }, undefined, mark) }
  })
  return { ...made, id: 'made anew' as TransactionId, writes }
}
