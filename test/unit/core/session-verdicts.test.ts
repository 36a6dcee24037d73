// What a client does with a verdict: which rows it asks for, since its confirmed layer lacks what the relay has.
import {
  createClientSession,
  createReplicaState,
  documentKey,
  noTexts,
  nothingCounted,
  nothingReplaced,
  transactionId,
} from '@rejoin/core'
import type {
  ClientSession,
  DocumentKey,
  Frame,
  GenerationId,
  ReplicaState,
  SessionEffect,
  StoreId,
  VerdictException,
  WelcomeFrame,
  Write,
} from '@rejoin/core'
import { expect, test } from 'vitest'
import { deltaOf, markOf, writerOf, type Edit } from './edits.ts'
import { pulledChunk } from './chunks.ts'
import { sessionOptions } from './session-options.ts'
import { welcomeFrom } from './welcomes.ts'

const relay = 'relay' as StoreId
const generation = 'generation' as GenerationId

const welcome: WelcomeFrame = welcomeFrom(relay, generation)

/** A session that has submitted one transaction of inserts, and the journal that it stores into. */
function submitted(...names: readonly string[]): {
  state: ReplicaState
  receive(frame: Frame): readonly Frame[]
} {
  const state = createReplicaState()
  const insert: Edit = { kind: 'insert', value: 'red', element: 'x' }
  const writes = names.map((name, i): Write => {
    const mark = markOf('alice', 500, i)
    const key = documentKey('notes', name)
    return {
      mark,
      key,
      delta: deltaOf(insert, undefined, mark),
      texts: noTexts,
      replaced: nothingReplaced,
      whole: true,
    }
  })
  const transaction = {
    id: transactionId(writerOf('alice'), 1),
    writes,
    seen: writes.map(() => ({ exists: false, last: null, counted: nothingCounted })),
    correction: 0,
    heard: 0,
  }
  state.apply(1, { kind: 'own', transactions: [transaction] })
  const session = createClientSession(state, sessionOptions, () => 1000)
  const receive = (frame: Frame): readonly Frame[] => settle(session, state, session.receive(frame, 10))
  settle(session, state, session.begin())
  receive(welcome)
  return { state, receive }
}

/** Stores every chunk at once, and gathers the frames that are sent. */
function settle(
  session: ClientSession,
  state: ReplicaState,
  effects: readonly SessionEffect[],
): readonly Frame[] {
  return effects.flatMap(effect => {
    if (effect.kind === 'send') return [effect.frame]
    if (effect.kind !== 'append') return []
    state.apply(state.seen + 1, effect.chunk)
    return settle(session, state, session.stored())
  })
}

function wanted(frames: readonly Frame[]): readonly DocumentKey[] {
  return frames.flatMap(frame => (frame.type === 'want' ? frame.keys : []))
}

function verdict(...exceptions: readonly VerdictException[]): Frame {
  return { type: 'verdict', count: 1, generation, position: 1, cut: false, exceptions }
}

test('[L2] nothing is asked for when the relay has no more than what was written', () => {
  const { state, receive } = submitted('n')
  expect(wanted(receive(verdict()))).toEqual([])
  expect(state.outbox.size).toBe(0)
})

test.each(['partial', 'hidden', 'lost'] as const)('[L2] a row of which a write is %s is asked for', kind => {
  const { receive } = submitted('n')
  expect(wanted(receive(verdict({ index: 0, kind, write: 0 })))).toEqual(['notes/n'])
})

test('[L2] every write of a transaction that an exception names is asked for, however many there are', () => {
  const { state, receive } = submitted('a', 'b', 'c')
  const frames = receive(
    verdict({ index: 0, kind: 'partial', write: 0 }, { index: 0, kind: 'hidden', write: 2 }),
  )
  expect(wanted(frames)).toEqual(['notes/a', 'notes/c'])
  expect(state.wants).toEqual(['notes/a', 'notes/c'])
})

test('[P4] what a verdict asks for is asked for until the frontier covers its commit, since what was forgotten is not in the feed before', () => {
  const { state, receive } = submitted('n')
  const cut = { generation, position: 1, frontier: new Map(), generations: [], fingerprint: null }
  receive({ type: 'changes', rows: [], place: 1, head: 1, cut, answer: false, writers: [] })
  receive({ ...verdict({ index: 0, kind: 'partial', write: 0 }), position: 2 } as Frame)
  const covering = (position: number): void => {
    const frontier = { positions: new Map([[generation, position]]), how: 'join' } as const
    state.apply(state.seen + 1, pulledChunk('another relay' as StoreId, { frontier, at: 1000 }))
  }
  covering(1)
  expect(state.wants).toEqual(['notes/n'])
  covering(2)
  expect(state.wants).toEqual([])
})

test('[P4] what was asked for is remembered until it comes', () => {
  const { state, receive } = submitted('n')
  receive(verdict({ index: 0, kind: 'partial', write: 0 }))
  const mark = markOf('bob', 400)
  const delta = deltaOf({ kind: 'vote', by: 3 }, undefined, mark)
  const row = { key: documentKey('notes', 'n'), delta, parts: 0, texts: new Map() }
  receive({ type: 'changes', rows: [row], place: 1, head: 1, cut: null, answer: true, writers: [] })
  expect(state.wants).toEqual([])
  expect(state.confirmed(row.key)?.cells.size).toBe(4)
})
