// On how many relays a write is, and until when the outbox keeps it: by relay, and by acknowledgements that still count.
import {
  createReplicaState,
  createRowMap,
  documentKey,
  noTexts,
  nothingCounted,
  nothingReplaced,
  transactionId,
} from '@rejoin/core'
import type {
  Chunk,
  Copies,
  Generation,
  GenerationId,
  ReplicaState,
  StoreId,
  StoredVerdict,
} from '@rejoin/core'
import { expect, test } from 'vitest'
import { deltaOf, markOf, writerOf } from './edits.ts'
import { pulledChunk } from './chunks.ts'

const quorum: Copies = { wanted: 2, level: 'quorum', all: 3 }
const named: Copies = { ...quorum, relays: ['ws://b', 'ws://c', 'ws://d'] }
const id = transactionId(writerOf('alice'), 1)
const key = documentKey('notes', 'a')

/** A state with one write on disk, and what happens to it then. */
function opened(copies?: Copies) {
  const state: ReplicaState = createReplicaState(copies)
  const mark = markOf('alice', 500)
  const delta = deltaOf({ kind: 'insert', value: 'red', element: 'x' }, undefined, mark)
  const write = { mark, key, delta, texts: noTexts, replaced: nothingReplaced, whole: true }
  const seen = [{ exists: false, last: null, counted: nothingCounted }]
  let position = 0
  const apply = (chunk: Chunk): void => void state.apply(++position, chunk)
  if (copies !== undefined) apply({ kind: 'met', address: 'ws://a', store: 'a' as StoreId, copies })
  apply({ kind: 'own', transactions: [{ id, writes: [write], seen, correction: 0, heard: 0 }] })
  const answer = (store: string, generation: string, at: number, outcome: StoredVerdict['outcome']): void =>
    apply({
      kind: 'verdicts',
      store: store as StoreId,
      generation: generation as GenerationId,
      position: at,
      cut: false,
      verdicts: [{ id, outcome }],
      wants: [],
    })
  return {
    state,
    apply,
    acknowledge: (store: string, generation: string, at: number) =>
      answer(store, generation, at, { kind: 'acknowledged', shows: 'yes' }),
    refuse: (store: string) =>
      answer(store, `${store}1`, 1, {
        kind: 'refused',
        error: { code: 'refused-by-rule', details: { reason: 'no' } },
        write: 0,
      }),
    /** The relay says of which generations its store is, and where the pull of it is. */
    tell: (store: string, ...generations: readonly Omit<Generation, 'store'>[]) =>
      apply(
        pulledChunk(store as StoreId, {
          cursor: { generation: generations.at(-1)?.id as GenerationId, cut: 0, place: 0 },
          generations: generations.map(fact => ({ ...fact, store: store as StoreId })),
        }),
      ),
    acknowledgedBy: (store: string) => state.outbox.counts.acknowledgedBy(store as StoreId),
    get copies() {
      const entry = state.outbox.get(id)
      return entry === undefined ? 'gone' : state.copiesOf(entry)
    },
    get isPending() {
      const entry = state.outbox.get(id)
      const isPending = entry !== undefined && state.isPending(entry)
      // The outbox keeps count of what is acknowledged and pending all the same.
      expect(state.outbox.counts.short().has(id)).toBe(isPending && (entry?.acks.size ?? 0) > 0)
      return isPending
    },
  }
}

const first = (name: string): Omit<Generation, 'store'> => ({
  id: name as GenerationId,
  parent: null,
  start: 0,
})

test('[L2] a write stays in the outbox until every relay has it, and is pending until as many have it as are wanted', () => {
  const one = opened(quorum)
  one.acknowledge('a', 'a1', 4)
  expect([one.copies, one.isPending]).toEqual([1, true])
  one.acknowledge('b', 'b1', 9)
  expect([one.copies, one.isPending]).toEqual([2, false])
  one.acknowledge('c', 'c1', 2)
  expect(one.copies).toBe('gone')
  expect(one.state.confirmed(key)).toBeDefined()
})

test('[L2] a relay counts once, however often it acknowledges', () => {
  const one = opened(quorum)
  one.acknowledge('a', 'a1', 4)
  one.acknowledge('a', 'a1', 7)
  expect([one.copies, one.isPending]).toEqual([1, true])
})

test('[L2] an acknowledgement counts while its position is in its relay’s lineage', () => {
  const one = opened(quorum)
  one.tell('a', first('a1'))
  one.tell('b', first('b1'))
  one.acknowledge('a', 'a1', 4)
  one.acknowledge('b', 'b1', 9)
  expect(one.copies).toBe(2)
  expect(['a', 'b'].map(one.acknowledgedBy)).toEqual([1, 1])
  // Restarted: it goes on behind it. Put back to an older image: it does not.
  one.tell('a', { id: 'a2' as GenerationId, parent: 'a1' as GenerationId, start: 6 })
  one.tell('b', { id: 'b2' as GenerationId, parent: 'b1' as GenerationId, start: 8 })
  expect([one.copies, one.isPending]).toEqual([1, true])
  expect(['a', 'b'].map(one.acknowledgedBy)).toEqual([1, 0])
  one.acknowledge('b', 'b2', 10)
  expect([one.copies, one.isPending]).toEqual([2, false])
  expect(['a', 'b'].map(one.acknowledgedBy)).toEqual([1, 1])
})

test('[L2] an acknowledgement of a leader that was put back since counts no more for who reads pages either', () => {
  const one = opened(quorum)
  const leader = 'leader' as StoreId
  const put = { id: 'l2' as GenerationId, store: leader, parent: 'l1' as GenerationId, start: 3 }
  const generations = [{ ...first('l1'), store: leader }, put]
  one.apply(pulledChunk('follower' as StoreId, { generations }))
  one.acknowledge('leader', 'l1', 4)
  expect(one.copies).toBe(1)
  const later = { kind: 'verdicts', store: leader, generation: put.id, position: 5, cut: false } as const
  one.apply({ ...later, verdicts: [], wants: [] })
  expect(one.copies).toBe(0)
  const read = createReplicaState(quorum)
  read.load(createRowMap(), one.state.snapshot(), one.state.seen)
  const entry = read.outbox.get(id)
  expect(entry && read.copiesOf(entry)).toBe(0)
})

test('[L2] what a relay says in a generation of which nothing is known yet counts', () => {
  const one = opened(quorum)
  one.tell('a', first('a1'))
  one.acknowledge('a', 'a2', 12)
  expect(one.copies).toBe(1)
  one.tell('a', { id: 'a2' as GenerationId, parent: 'a1' as GenerationId, start: 11 })
  expect(one.copies).toBe(1)
})

test('[L2] what a relay acknowledged counts while an address of the list leads to it', () => {
  const one = opened(named)
  const meet = (address: string, store: string): void =>
    one.apply({ kind: 'met', address, store: store as StoreId, copies: named })
  // This one was taken out of the list.
  meet('ws://a', 'a')
  one.acknowledge('a', 'a1', 4)
  meet('ws://b', 'b')
  one.acknowledge('b', 'b1', 9)
  expect([one.copies, one.isPending]).toEqual([1, true])
  meet('ws://c', 'c')
  one.acknowledge('c', 'c1', 2)
  expect([one.copies, one.isPending]).toEqual([2, false])
  // Another store stands where it was, and holds nothing.
  meet('ws://b', 'new')
  expect([one.copies, one.isPending]).toEqual([1, true])
  one.acknowledge('new', 'n1', 1)
  one.acknowledge('d', 'd1', 1)
  expect(one.copies).toBe(2)
  meet('ws://d', 'd')
  expect(one.copies).toBe('gone')
})

test('[L2] no refusal takes out what another relay has; it is noted, until that relay has it too', () => {
  const one = opened(quorum)
  one.acknowledge('a', 'a1', 4)
  one.refuse('b')
  expect([...(one.state.outbox.get(id)?.refusedBy ?? [])]).toEqual(['b'])
  expect(one.state.quarantine.size).toBe(0)
  one.acknowledge('b', 'b1', 5)
  expect([...(one.state.outbox.get(id)?.refusedBy ?? [])]).toEqual([])
})

test('[L2] what waited long enough leaves the outbox once as many have it as are wanted, and not before', () => {
  const one = opened(quorum)
  one.acknowledge('a', 'a1', 4)
  one.apply({ kind: 'settled', ids: [id] })
  expect(one.copies).toBe(1)
  one.acknowledge('b', 'b1', 4)
  one.apply({ kind: 'settled', ids: [id] })
  expect(one.copies).toBe('gone')
})

test('[P4] with sessions beside each other what one asks for is not what another one has', () => {
  const one = opened(quorum)
  const pull = (store: string, wants: readonly (typeof key)[]): void =>
    one.apply(pulledChunk(store as StoreId, { wants }))
  pull('a', [key])
  pull('b', [])
  expect(one.state.wants).toEqual([key])
  pull('a', [])
  expect(one.state.wants).toEqual([])
})

test('[P4] nobody asks for what a relay was asked for that is none of the list any more', () => {
  const one = opened(named)
  for (const store of ['a', 'b', 'c']) {
    one.apply({ kind: 'met', address: `ws://${store}`, store: store as StoreId, copies: named })
    one.apply(pulledChunk(store as StoreId, { wants: [documentKey('notes', store)] }))
  }
  expect(one.state.wants).toEqual(['notes/b', 'notes/c'])
  one.apply({ kind: 'met', address: 'ws://b', store: 'new' as StoreId, copies: named })
  expect(one.state.wants).toEqual(['notes/c'])
  expect([...one.state.snapshot().wants.keys()]).toEqual(['a', 'c'])
})

test('[P4] what a relay was asked for before there was a list is asked for until it has answered, or another one stands there', () => {
  const one = opened(named)
  const [b, c] = ['b', 'c'] as StoreId[]
  for (const store of [b, c])
    if (store !== undefined) one.apply(pulledChunk(store, { wants: [documentKey('notes', store)] }))
  const meet = (store: string | undefined): void =>
    one.apply({ kind: 'met', address: 'ws://b', store: store as StoreId, copies: named })
  meet(b)
  expect([...one.state.snapshot().wants.keys()]).toEqual([b, c])
  meet('new')
  expect([...one.state.snapshot().wants.keys()]).toEqual([c])
})

test('[L2] whatever a tab is given, one copy is meant until a tab with the connection has noted another number', () => {
  const mine = opened()
  const others = createReplicaState(named)
  const store = 'b' as StoreId
  const verdicts = [{ id, outcome: { kind: 'acknowledged', shows: 'yes' } }] as const
  const commit = { generation: 'b1' as GenerationId, position: 4, cut: false } as const
  const transactions = [...mine.state.outbox.entries()].map(({ transaction }) => transaction)
  const chunks: readonly Chunk[] = [
    { kind: 'own', transactions },
    { kind: 'verdicts', store, ...commit, verdicts, wants: [] },
  ]
  for (const [i, chunk] of chunks.entries()) others.apply(i + 1, chunk)
  expect(others.outbox.size).toBe(0)
})

test('[L2] which relays are meant is what the tab with the connection was given, so tabs that are given different lists come to the same', () => {
  const older = opened({ ...named, relays: ['ws://a', 'ws://b', 'ws://c'] })
  const newer = opened({ ...named, all: 2, relays: ['ws://b', 'ws://c'] })
  const meant: Copies = { ...named, all: 2, relays: ['ws://b', 'ws://c'] }
  for (const one of [older, newer]) {
    for (const store of ['b', 'c'])
      one.apply({ kind: 'met', address: `ws://${store}`, store: store as StoreId, copies: meant })
    one.tell('b', first('b1'))
    one.acknowledge('b', 'b1', 9)
    one.acknowledge('c', 'c1', 2)
    // The first one is put back to an older image: what had left the outbox by then is not waited for.
    one.tell('b', { id: 'b2' as GenerationId, parent: 'b1' as GenerationId, start: 8 })
  }
  expect([older.copies, newer.copies]).toEqual(['gone', 'gone'])
  const read = createReplicaState(named)
  read.load(createRowMap(), older.state.snapshot(), 9)
  expect(read.copies).toEqual(meant)
})
