/**
 * Random histories of a replica's journal: chunks as a client would store them, made by playing one replica whose
 * people write, whose relay sends, acknowledges and refuses, and which makes anew and forgets.
 */
import {
  createReplicaState,
  documentKey,
  emptyRow,
  failure,
  isSameFingerprint,
  joinRows,
  lastOfRow,
  makeAnew,
  noTexts,
  nothingReplaced,
  replaceInFingerprint,
  emptyFingerprint,
  encodeCanonicalRow,
  rowExists,
  seenByWrites,
  stampWrite,
  earliestStamp,
  transactionId,
} from '@rejoin/core'
import type {
  Chunk,
  Cursor,
  DocumentKey,
  GenerationId,
  Mark,
  PulledChunk,
  ReplicaState,
  Row,
  StoreId,
  Transaction,
  VerdictsChunk,
  Write,
  WriterId,
} from '@rejoin/core'
import fc from 'fast-check'
import { deltaOf, markOf, writerOf, type Edit, type Person } from './edits.ts'
import { arbitraryEdit } from './history.ts'
import { pulledChunk } from './chunks.ts'

export const relay = 'relay' as StoreId
export const generation = 'generation' as GenerationId
export const keys: readonly DocumentKey[] = ['a', 'b', 'c'].map(id => documentKey('notes', id))

export type Action =
  | { readonly kind: 'write'; readonly edits: readonly (readonly [number, Edit])[] }
  | { readonly kind: 'pull'; readonly person: Person; readonly at: number; readonly edit: Edit }
  | { readonly kind: 'acknowledge' | 'refuse' | 'settle' | 'forget'; readonly at: number }
  | { readonly kind: 'remake' }

const at = fc.nat({ max: 5 })
const edit = arbitraryEdit(['edit-wins', 'delete-wins'])
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('write'),
      edits: fc.array(fc.tuple(at, edit), { minLength: 1, maxLength: 2 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('pull'),
      person: fc.constantFrom('bob' as const, 'carol' as const),
      at,
      edit,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constantFrom('acknowledge', 'refuse', 'settle', 'forget'), at }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remake') }) },
) as fc.Arbitrary<Action>

export const arbitraryActions: fc.Arbitrary<readonly Action[]> = fc.array(action, {
  maxLength: 30,
  size: 'max',
})

export interface Played {
  readonly state: ReplicaState
  /** The chunk of position i + 1. */
  readonly chunks: readonly Chunk[]
}

/** Plays actions; calls back after each one that stored a chunk. */
export function play(actions: readonly Action[], after: (state: ReplicaState) => void = () => {}): Played {
  const state = createReplicaState()
  const chunks: Chunk[] = []
  const tab = createTab(state)
  for (const one of actions) {
    const chunk = chunkOf(one, state, tab, chunks.length)
    if (chunk === null) continue
    chunks.push(chunk)
    state.apply(chunks.length, chunk)
    after(state)
  }
  return { state, chunks }
}

function chunkOf(one: Action, state: ReplicaState, tab: Tab, position: number): Chunk | null {
  switch (one.kind) {
    case 'write': {
      const transaction = tab.write(one.edits)
      return { kind: 'own', transactions: [transaction] }
    }
    case 'pull': {
      const key = keyAt(one.at)
      const seen = state.confirmed(key)
      const mark = markOf(one.person, Math.max(1000 + position, (lastOfRow(seen)?.ms ?? 0) + 1))
      return pulled(position, { key, delta: deltaOf(one.edit, seen, mark), parts: 0, texts: new Map() })
    }
    case 'acknowledge':
    case 'refuse': {
      const entry = pick([...state.outbox.entries()], one.at)
      return entry === undefined ? null : verdict(position, entry.transaction, one.kind)
    }
    case 'settle': {
      const held = pick([...state.quarantine.keys()], one.at)
      return held === undefined ? null : { kind: 'settled', ids: [held] }
    }
    case 'forget': {
      const key = keyAt(one.at)
      const row = state.confirmed(key)
      const isTombstone = row !== undefined && !rowExists(row) && !state.outbox.touches(key)
      return isTombstone ? { kind: 'forgotten', keys: [key] } : null
    }
    case 'remake':
      return tab.remake(1000 + position)
  }
}

function keyAt(at: number): DocumentKey {
  return keys[at % keys.length] as DocumentKey
}

function pick<One>(list: readonly One[], at: number): One | undefined {
  return list[at % (list.length || 1)]
}

function pulled(position: number, row: PulledChunk['rows'][number]): PulledChunk {
  const cursor: Cursor = { generation, cut: position, place: position }
  const positions = new Map([[generation, position]])
  return pulledChunk(relay, {
    rows: [row],
    cursor,
    wants: position % 3 === 0 ? [row.key] : [],
    generations: position % 4 === 0 ? [{ id: generation, store: relay, parent: null, start: 0 }] : [],
    frontier: { positions, how: position % 7 === 0 ? 'replace' : 'join' },
    reach: position % 2 === 0 ? positions : null,
    at: position,
  })
}

function verdict(position: number, { id }: Transaction, kind: 'acknowledge' | 'refuse'): VerdictsChunk {
  const outcome: VerdictsChunk['verdicts'][number]['outcome'] =
    kind === 'acknowledge'
      ? { kind: 'acknowledged', shows: 'yes' }
      : { kind: 'refused', write: 0, error: failure('refused-by-rule', { reason: 'no' }) }
  return {
    kind: 'verdicts',
    store: relay,
    generation,
    position,
    cut: false,
    verdicts: [{ id, outcome }],
    wants: [],
  }
}

export interface Tab {
  /** Makes a transaction of edits over what is visible, as one tab does. */
  write(edits: readonly (readonly [number, Edit])[]): Transaction
  /** Makes the whole outbox anew, and goes on with a fresh writer. */
  remake(now: number): Chunk | null
}

export function createTab(state: ReplicaState, person: Person = 'alice'): Tab {
  let opening = 0
  let writer: WriterId = writerOf(person)
  let serial = 0
  let clock = earliestStamp
  const draw = (): WriterId => writerOf(person, ++opening)
  return {
    write(edits) {
      const drafts = new Map<DocumentKey, Row>()
      const writes = edits.map(([of, one]): Write => {
        const key = keyAt(of)
        const seen = drafts.get(key) ?? state.visible(key)
        const made = stampWrite(clock, 1000 + serial, lastOfRow(seen))
        clock = made.clock
        const mark: Mark = { ...made.stamp, writer }
        const delta = deltaOf(one, seen, mark)
        drafts.set(key, joinRows(seen ?? emptyRow, delta))
        return { mark, key, delta, texts: noTexts, replaced: nothingReplaced, whole: one.kind === 'insert' }
      })
      return {
        id: transactionId(writer, ++serial),
        writes,
        seen: seenByWrites(writes, state),
        correction: 0,
        heard: state.seen,
      }
    },
    remake(now) {
      const first = state.outbox.entries()[Symbol.iterator]().next().value
      if (first === undefined) return null
      const context = { drawWriter: draw, now, correction: 0, body: () => [], support: () => undefined }
      const plan = { from: first.transaction.id, keys: null, refused: null }
      const chunk = makeAnew(state, plan, context)
      if (chunk !== null) writer = draw()
      return chunk
    },
  }
}

// ---------------------------------------------------------------- what a state holds, as something to compare

export function contentOf(row: Row | undefined): string {
  return row === undefined ? '' : [...encodeCanonicalRow(row)].join()
}

/** The rows of the confirmed layer. */
export function confirmedRows(state: ReplicaState): Map<DocumentKey, Row> {
  const rows = new Map<DocumentKey, Row>()
  for (const key of keys) {
    const row = state.confirmed(key)
    if (row !== undefined) rows.set(key, row)
  }
  return rows
}

export function formOf(state: ReplicaState): unknown {
  return {
    visible: keys.map(key => contentOf(state.visible(key))),
    confirmed: keys.map(key => contentOf(state.confirmed(key))),
    outbox: [...state.outbox.entries()].map(({ transaction, position, acks, refusedBy }) => [
      transaction.id,
      position,
      [...acks],
      [...refusedBy],
    ]),
    quarantine: [...state.quarantine.keys()].sort(),
    cursors: [...state.cursors],
    generations: [...state.generations.keys()],
    frontier: [...state.frontier],
    reach: [...state.reach],
    wants: state.wants,
    own: [...state.own].sort(),
    retired: [...state.retired],
    remade: state.remade.all(),
    remadeMarks: state.remadeMarks.all(),
    // Of a conflict that was settled nobody need be asked, and pages may have it settled ahead of their snapshot.
    strangers: writersInConflict(state).filter(writer => state.strangers.has(writer)),
    fingerprint: state.fingerprint,
    seen: state.seen,
  }
}

function writersInConflict(state: ReplicaState): readonly WriterId[] {
  const writers = new Set<WriterId>()
  for (const { cells } of confirmedRows(state).values())
    for (const cell of cells.values())
      if (cell.strategy === 'ask' && cell.siblings.length > 1)
        for (const { mark } of cell.siblings) writers.add(mark.writer)
  return [...writers].sort()
}

/** The joins of the confirmed rows with the outbox, computed from nothing. */
export function expectedVisible(state: ReplicaState, key: DocumentKey): string {
  let row = state.confirmed(key)
  for (const { transaction } of state.outbox.entries()) {
    for (const write of transaction.writes)
      if (write.key === key) row = joinRows(row ?? emptyRow, write.delta)
  }
  return contentOf(row)
}

export function isFingerprintRight(state: ReplicaState): boolean {
  let counted = emptyFingerprint
  for (const row of confirmedRows(state).values()) counted = replaceInFingerprint(counted, undefined, row)
  return isSameFingerprint(counted, state.fingerprint)
}
