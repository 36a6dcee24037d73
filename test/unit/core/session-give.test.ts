// What a client gives back: the relay counts its answers through the whole session, and so must who waits for them.
import {
  alone,
  answerRanges,
  coversPositions,
  createClientSession,
  createGrapevine,
  createReplicaState,
  createRowIndex,
  documentKey,
  failure,
  noTexts,
  type ClientSession,
  type DocumentKey,
  type Frame,
  type GenerationId,
  type GivenFrame,
  type GiveFrame,
  type ReplicaState,
  type SessionEffect,
  type StoreId,
} from '@rejoin/core'
import { expect, test } from 'vitest'
import { deltaOf, markOf } from './edits.ts'
import { pulledChunk } from './chunks.ts'
import { welcomeFrom } from './welcomes.ts'

const relay = 'relay' as StoreId
const generation = 'generation' as GenerationId
const other = 'of another relay' as GenerationId

test('[S3, R2] a second give of a session ends when all of it is answered, and tells of itself alone', () => {
  // Each row fills a frame by itself.
  const { gives, repairs, receive, later, tell } = openSession(['a', 'b'], 200_000)
  expect(gives.length).toBe(2)
  receive(given(1))
  expect(repairs).toEqual([])
  receive(given(2))
  expect(repairs).toEqual([{ gave: 2, took: 0, refused: [] }])

  // What another one told since it does not cover a second later, so all is offered again.
  receive(atCut)
  tell('a')
  receive({ type: 'heartbeat', position: 0, time: 1000 })
  expect(gives.length).toBe(2)
  later(1000)
  receive({ type: 'heartbeat', position: 0, time: 2000 })
  expect(gives.length).toBe(4)
  receive(given(3))
  expect(repairs.length).toBe(1)
  receive(given(4))
  expect(repairs[1]).toEqual({ gave: 2, took: 0, refused: [] })
})

test('[S3] a relay that has nothing any more is given all of a large replica, not more at once than it has answered', () => {
  const names = Array.from({ length: 200_000 }, (_, i) => `n${i}`)
  const { gives, repairs, receive } = openSession(names, 1)
  let offered = 0
  for (let answered = -1; answered < offered; ) {
    answered = offered
    receive(given(answered))
    offered = gives.reduce((sum, { rows }) => sum + rows.length, 0)
    expect(offered - answered).toBeLessThan(4096)
  }
  expect(offered).toBe(names.length)
  expect(gives.filter(({ last }) => last)).toEqual([gives.at(-1)])
  expect(repairs).toEqual([{ gave: names.length, took: 0, refused: [] }])
})

test('[S3] who has acknowledged, told or been given all that came since it had all is not offered it again', () => {
  const { gives, receive, later } = openSession(['a'], 100, other)
  receive(given(1))
  receive(atCut)
  for (let i = 0; i < 3; i++) {
    later(2000)
    receive({ type: 'heartbeat', position: 0, time: 2000 })
  }
  expect(gives.length).toBe(1)
})

test('[S3] what is given waits for answers to what was given before, however much it is', () => {
  const names = Array.from({ length: 6000 }, (_, i) => `${i}`)
  const { gives, repairs, receive } = openSession(names, 10)
  const count = (): number => gives.reduce((sum, { rows }) => sum + rows.length, 0)
  for (let answered = 0; answered < names.length; receive(given(answered))) {
    expect(count() - answered).toBeLessThanOrEqual(2560)
    answered = count()
  }
  expect(repairs).toMatchObject([{ gave: names.length }])
})

test('[S3, Q2] a give that is put off keeps the reach, opens the session, and is offered in the next one', () => {
  const { state, gives, repairs, receive, later } = openSession(['a'], 100)
  const { reach } = state
  const error = failure('no-leader', { space: 's' })
  receive({ ...given(1), refused: [{ key: documentKey('notes', 'a'), error }] })
  expect(repairs).toEqual([])
  expect(coversPositions(state.generations, state.reach, reach)).toBe(true)
  receive(atCut)
  later(5000)
  receive({ type: 'heartbeat', position: 0, time: 6000 })
  later(5000)
  receive({ type: 'heartbeat', position: 0, time: 11_000 })
  expect(gives.length).toBe(1)
})

test('[S3] the feed goes on behind the last give, and is not asked for', () => {
  const { gives, asked, receive } = openSession(['a', 'b'], 200_000)
  expect(gives.map(({ last }) => last)).toEqual([false, true])
  receive(given(2))
  receive(cutAt(6))
  expect(asked).toEqual([])
})

test('[S3, Q2] a follower passes on what it is given, and is asked for its feed when that is answered', () => {
  const { gives, asked, receive } = openSession(['a'], 100, generation, 'leader' as StoreId)
  expect(gives.map(({ last }) => last)).toEqual([false])
  expect(asked).toEqual([])
  receive(given(1))
  expect(asked).toEqual(['feed'])
})

test('[S4] where the feed was at a cut before all was answered, another one is asked for', () => {
  const { state, asked, receive } = openSession(['a'], 100, other)
  receive(cutAt(6))
  receive(given(1))
  expect(asked).toEqual(['cut'])
  expect(state.reach.get(other)).toBe(1)
  receive(cutAt(6))
  expect(state.reach).toEqual(new Map([[generation, 6]]))
})

test('[S4] what another relay told stays in the reach until a cut, which lies behind what was compared with it', () => {
  const { state, receive } = openSession(['a'], 100, other)
  // The rows may be at a later place of the feed than any that was told.
  receive(given(1))
  expect(state.reach.get(other)).toBe(1)
  receive(cutAt(6))
  expect(state.reach).toEqual(new Map([[generation, 6]]))
})

function cutAt(position: number): Frame {
  return {
    type: 'changes',
    rows: [],
    place: position,
    head: position,
    cut: { generation, position, frontier: new Map(), generations: [], fingerprint: null },
    answer: false,
    writers: [],
  }
}
const atCut = cutAt(0)

function given(count: number): GivenFrame {
  return { type: 'given', count, generation, position: 5, refused: [] }
}

/** A session of a replica that holds rows of a feed, with a relay that has resumed it and holds none. */
function openSession(
  names: readonly string[],
  bytes: number,
  feed = generation,
  leader = relay,
): {
  readonly state: ReplicaState
  /** What was asked for beside ranges. */
  readonly asked: readonly ('feed' | 'cut')[]
  readonly gives: readonly GiveFrame[]
  readonly repairs: readonly unknown[]
  receive(frame: Frame): void
  later(ms: number): void
  /** Another relay tells of a document. */
  tell(name: string): void
} {
  const state = createReplicaState()
  const rows = names.map((name, i) => {
    const mark = markOf('alice', 500 + Math.floor(i / 1000), i % 1000)
    const delta = deltaOf({ kind: 'insert', value: 'x'.repeat(bytes), element: 'x' }, undefined, mark)
    return { key: documentKey('notes', name), delta, parts: 0, texts: new Map() }
  })
  state.apply(
    1,
    pulledChunk(relay, {
      rows,
      generations: [{ id: generation, store: relay, parent: null, start: 0 }],
      reach: new Map([[feed, 1]]),
      at: 1000,
    }),
  )
  const gives: GiveFrame[] = []
  const asked: ('feed' | 'cut')[] = []
  const repairs: unknown[] = []
  const options = { space: 's', token: 't', replica: relay, device: 'd', level: 'relay' } as const
  let time = 1000
  const begin = createGrapevine()
  const [elsewhere, beside] = [begin(), begin()]
  const session = createClientSession(state, options, () => time, { ...alone, elsewhere })

  function perform(effects: readonly SessionEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'append') {
        state.apply(state.seen + 1, effect.chunk)
        perform(session.stored())
      } else if (effect.kind === 'load') perform(session.loaded(load(state, effect.keys)))
      else if (effect.kind === 'repaired') {
        const { gave, took, refused } = effect
        repairs.push({ gave, took, refused })
      } else if (effect.kind === 'send') answer(effect.frame)
    }
  }

  function answer(frame: Frame): void {
    if (frame.type === 'give') gives.push(frame)
    if (frame.type === 'heartbeat') asked.push('cut')
    if (frame.type !== 'range') return
    if (frame.ranges.length === 0) return void asked.push('feed')
    perform(session.receive({ type: 'range', ranges: answerRanges(createRowIndex([]), frame.ranges) }, 10))
  }

  const receive = (frame: Frame): void => perform(session.receive(frame, 10))
  perform(session.begin())
  receive(welcomeFrom(relay, generation, { begin: 'resume', generations: [], covers: false, leader }))
  const later = (ms: number): void => {
    time += ms
  }
  const tell = (name: string): void => {
    const delta = deltaOf({ kind: 'color', value: 'red' }, undefined, markOf('bob', 600))
    const told = { at: state.seen, generation: other, position: 7 }
    beside.tell({ rows: [{ key: documentKey('notes', name), delta }], told })
  }
  return { state, gives, asked, repairs, receive, later, tell }
}

function load(state: ReplicaState, keys: readonly DocumentKey[]): Parameters<ClientSession['loaded']>[0] {
  return keys.flatMap(key => {
    const row = state.confirmed(key)
    return row === undefined ? [] : [{ key, row, texts: noTexts }]
  })
}
