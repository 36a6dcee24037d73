// What a relay's clock does not take although the own one is right, since it must stand above what its writer saw (SPEC C4).
import {
  createClientSession,
  createReplicaState,
  emptyRow,
  failure,
  makeAnew,
  noTexts,
  type DocumentKey,
  type Frame,
  type GenerationId,
  type LoadedRow,
  type ReplicaState,
  type SessionEffect,
  type StoreId,
  type SubmitFrame,
} from '@rejoin/core'
import { expect, test } from 'vitest'
import { createTab, keys } from './chunk-history.ts'
import { deltaOf, markOf, writerOf } from './edits.ts'
import { pulledChunk } from './chunks.ts'
import { welcomeFrom } from './welcomes.ts'
import { remakeContext } from './remake-context.ts'

const relay = 'relay' as StoreId
const generation = 'generation' as GenerationId
const [ahead, other] = keys as [DocumentKey, DocumentKey]
const minuteMs = 60_000

/** A session over a state whose first document somebody wrote an hour from now; the relay has lost that. */
function begin(): {
  state: ReplicaState
  /** Time passes, and the session is asked to go on. */
  pass(ms: number): readonly DocumentKey[]
  /** What it submits when the relay answers so many transactions, of which it refuses the first for the clock. */
  refused(count: number, first: number): readonly DocumentKey[]
  taken(count: number): readonly DocumentKey[]
  /** What was given so far. */
  readonly gives: readonly DocumentKey[]
  /** Another relay tells the relay what it lacks. */
  hears(): void
  readonly first: readonly DocumentKey[]
  readonly remakes: number
} {
  let time = 1000
  let remakes = 0
  let isHeld = false
  const state = createReplicaState()
  const delta = deltaOf(
    { kind: 'insert', value: 'red', element: 'x' },
    undefined,
    markOf('bob', 60 * minuteMs),
  )
  state.apply(
    1,
    pulledChunk(relay, {
      rows: [ahead, other].map((key, i) => ({
        key,
        delta:
          i === 0
            ? delta
            : deltaOf({ kind: 'insert', value: 'red', element: 'x' }, undefined, markOf('bob', 1)),
        parts: 0,
        texts: new Map(),
      })),
    }),
  )
  const tab = createTab(state)
  for (const at of [0, 1, 0])
    state.apply(state.seen + 1, { kind: 'own', transactions: [tab.write([[at, { kind: 'vote', by: 1 }]])] })
  const options = { space: 's', token: 't', replica: 'me' as StoreId, device: 'd', level: 'relay' } as const
  const session = createClientSession(state, options, () => time)

  function run(effects: readonly SessionEffect[]): readonly Frame[] {
    return effects.flatMap(effect => {
      if (effect.kind === 'send') return [effect.frame]
      if (effect.kind === 'append') state.apply(state.seen + 1, effect.chunk)
      else if (effect.kind === 'load') return run(session.loaded(effect.keys.map(loadedRow)))
      else if (effect.kind === 'remake') {
        remakes += 1
        const writer = writerOf(`new ${remakes}`)
        const context = { ...remakeContext(writer), now: time }
        const chunk = makeAnew(state, effect.plan, context)
        if (chunk !== null) state.apply(state.seen + 1, chunk)
      } else return []
      return run(session.stored())
    })
  }
  function loadedRow(key: DocumentKey): LoadedRow {
    return { key, row: state.confirmed(key) ?? emptyRow, texts: noTexts }
  }

  const gives: DocumentKey[] = []
  /** What is given is refused as long as the relay neither holds it nor has come so far. */
  function answerGives(frames: readonly Frame[]): readonly Frame[] {
    return frames.flatMap(frame => {
      if (frame.type !== 'give') return [frame]
      gives.push(...frame.rows.map(({ key }) => key))
      const error = failure('clock-skew', { relayTime: time, ms: 55 * minuteMs - time })
      const isTaken = isHeld || time >= 55 * minuteMs
      const refused = isTaken
        ? []
        : frame.rows.filter(({ key }) => key === ahead).map(({ key }) => ({ key, error }))
      const given = { type: 'given', count: gives.length, generation, position: 1, refused } as const
      return run(session.receive(given, 10))
    })
  }

  const submitted = (effects: readonly SessionEffect[]): readonly DocumentKey[] =>
    answerGives(run(effects))
      .filter((frame): frame is SubmitFrame => frame.type === 'submit')
      .flatMap(frame => frame.transactions.flatMap(({ writes }) => writes.map(({ key }) => key)))

  run(session.begin())
  const first = submitted(session.receive(welcomeFrom(relay, generation, { time, begin: 'resume' }), 10))
  const verdict = (count: number, exceptions: Extract<Frame, { type: 'verdict' }>['exceptions']) =>
    submitted(
      session.receive({ type: 'verdict', count, generation, position: 1, cut: false, exceptions }, 10),
    )
  return {
    state,
    first,
    get remakes() {
      return remakes
    },
    pass(ms) {
      time += ms
      return submitted(session.advance())
    },
    gives,
    hears() {
      isHeld = true
    },
    taken: count => verdict(count, []),
    refused(count, first) {
      const error = failure('clock-skew', { relayTime: time, ms: 55 * minuteMs - time })
      const skipped = Array.from({ length: count - first - 1 }, (_, i) => first + 1 + i)
      return verdict(count, [
        { index: first, kind: 'refused', write: 0, error },
        ...skipped.map(index => ({ index, kind: 'skipped' as const })),
      ])
    },
  }
}

test('[C4] what is made anew for the clock and is still ahead waits, and what touches its documents, and the rest goes on', () => {
  const session = begin()
  expect(session.first).toEqual([ahead, other, ahead])
  expect(session.refused(3, 0)).toEqual([ahead, other, ahead])
  expect(session.refused(6, 3)).toEqual([other])
  expect(session.taken(7)).toEqual([])
  expect(session.pass(minuteMs)).toEqual([])
  expect([session.remakes, session.state.quarantine.size, session.state.outbox.size]).toEqual([1, 0, 2])
})

test('[C4, S3] every ten seconds what it stands on is given, and it goes when the relay takes that', () => {
  const session = begin()
  session.refused(3, 0)
  session.refused(6, 3)
  session.taken(7)
  session.pass(9000)
  expect(session.gives).toEqual([])
  expect(session.pass(1000)).toEqual([])
  expect(session.gives).toEqual([ahead])
  session.hears()
  expect(session.pass(9000)).toEqual([])
  expect(session.pass(1000)).toEqual([ahead, ahead])
  expect(session.gives).toEqual([ahead, ahead])
})

test('[C4] it is offered when the clock has caught up', () => {
  const session = begin()
  session.refused(3, 0)
  session.refused(6, 3)
  session.taken(7)
  expect(session.pass(54 * minuteMs)).toEqual([])
  expect(session.pass(minuteMs)).toEqual([ahead, ahead])
  session.taken(9)
  expect([session.remakes, session.state.quarantine.size]).toEqual([1, 0])
})

test('[C4] where all of it is ahead, all of it is made anew once', () => {
  const session = begin()
  session.refused(3, 0)
  session.refused(6, 3)
  expect(session.refused(7, 6)).toEqual([])
  expect(session.pass(55 * minuteMs)).toEqual([ahead, other, ahead])
  expect([session.remakes, session.state.quarantine.size, session.state.outbox.size]).toEqual([1, 0, 3])
})

test('[C4] what was made anew for a clock that has gone back since is made anew once more', () => {
  const session = begin()
  session.pass(40 * minuteMs)
  session.refused(3, 0)
  session.pass(-30 * minuteMs)
  expect(session.refused(6, 3)).toEqual([ahead, other, ahead])
  expect(session.remakes).toBe(2)
  expect(session.refused(9, 6)).toEqual([other])
  expect([session.remakes, session.state.quarantine.size, session.state.outbox.size]).toEqual([2, 0, 3])
})

test('[C4, W6] what waits is not made anew with what was refused for the clock: another relay may have taken it', () => {
  const session = begin()
  const idsOf = (key: DocumentKey): readonly string[] =>
    [...session.state.outbox.entries()]
      .filter(({ transaction }) => transaction.writes.some(write => write.key === key))
      .map(({ transaction }) => transaction.id)
  session.pass(40 * minuteMs)
  session.refused(3, 0)
  session.refused(6, 3)
  const before = [ahead, other].map(idsOf)
  session.pass(-30 * minuteMs)
  expect(session.refused(7, 6)).toEqual([other])
  expect(session.remakes).toBe(2)
  const after = [ahead, other].map(idsOf)
  expect(after[0]).toEqual(before[0])
  expect(after[1]).not.toEqual(before[1])
})
