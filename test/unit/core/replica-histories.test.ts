// A client's state as a function of its journal, after any history: any way of getting to a position (all chunks, pages and
// the rest, going over what is gone) ends with the same state.
import {
  bodyKey,
  createReplicaState,
  createRowMap,
  documentKey,
  emptyFingerprint,
  replaceInFingerprint,
  rowExists,
  transactionId,
} from '@rejoin/core'
import type { AppliedChunk, Chunk, Fingerprint, ReplicaState, Row, RowMap } from '@rejoin/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  arbitraryActions,
  confirmedRows,
  contentOf,
  createTab,
  expectedVisible,
  formOf,
  generation,
  isFingerprintRight,
  keys,
  play,
  relay,
} from './chunk-history.ts'
import { body, type Edit } from './edits.ts'
import { refused, taken, verdictOn } from './verdict-chunks.ts'

const [note] = keys as [(typeof keys)[number]]
const insert: Edit = { kind: 'insert', value: 'red', element: 'x' }

describe('after any history', () => {
  test('[L1] what shows is the join of the confirmed layer and the outbox', () => {
    fc.assert(
      fc.property(arbitraryActions, actions => {
        play(actions, state => {
          for (const key of keys) expect(contentOf(state.visible(key))).toBe(expectedVisible(state, key))
        })
      }),
      { numRuns: 200 },
    )
  })

  test('[P5] the fingerprint that is kept is that of the confirmed rows', () => {
    fc.assert(
      fc.property(arbitraryActions, actions => {
        play(actions, state => expect(isFingerprintRight(state)).toBe(true))
      }),
      { numRuns: 200 },
    )
  })

  test('[P5] a fingerprint that is counted later is that of when it was asked for', () => {
    fc.assert(
      fc.property(arbitraryActions, actions => {
        const later: (readonly [ReturnType<ReplicaState['fingerprintLater']>, Fingerprint])[] = []
        play(actions, state => {
          const held = state.fingerprintLater()
          let rows = emptyFingerprint
          for (const [, row] of confirmedRows(state)) rows = replaceInFingerprint(rows, undefined, row)
          later.push([held, rows])
        })
        // The last first: none of them stands on another one's having been counted.
        for (const [held, rows] of later.toReversed()) expect(held.step()).toEqual(rows)
      }),
      { numRuns: 100 },
    )
  })

  test('[L3] a refusal takes one transaction out, and nothing else moves', () => {
    fc.assert(
      fc.property(arbitraryActions, fc.nat({ max: 9 }), (actions, at) => {
        const { state } = play(actions)
        const entries = [...state.outbox.entries()].filter(entry => entry.acks.size === 0)
        const entry = entries[at % (entries.length || 1)]
        if (entry === undefined) return
        const before = confirmedRows(state)
        const { id, writes } = entry.transaction
        const others = keys.filter(key => !writes.some(write => write.key === key))
        const shown = others.map(key => state.visible(key))
        const ids = [...state.outbox.entries()].map(({ transaction }) => transaction.id)
        const verdicts = [{ id, outcome: refused }]
        state.apply(state.seen + 1, {
          kind: 'verdicts',
          store: relay,
          generation,
          position: 1,
          cut: false,
          verdicts,
          wants: [],
        })
        expect([...state.outbox.entries()].map(({ transaction }) => transaction.id)).toEqual(
          ids.filter(one => one !== id),
        )
        expect(confirmedRows(state)).toEqual(before)
        expect(others.map(key => state.visible(key))).toEqual(shown)
      }),
      { numRuns: 200 },
    )
  })

  test('[P1] chunks that come again change nothing', () => {
    fc.assert(
      fc.property(arbitraryActions, fc.nat(), (actions, from) => {
        const { state, chunks } = play(actions)
        const before = formOf(state)
        for (let i = from % (chunks.length + 1); i < chunks.length; i++) {
          const chunk = chunks[i]
          if (chunk !== undefined) expect(state.apply(i + 1, chunk).changed.size).toBe(0)
        }
        expect(formOf(state)).toEqual(before)
      }),
      { numRuns: 100 },
    )
  })
})

// ---------------------------------------------------------------- other ways to the same state

function replay(state: ReplicaState, chunks: readonly Chunk[], from: number, to: number): ReplicaState {
  for (let position = from + 1; position <= to; position++) {
    const chunk = chunks[position - 1]
    if (chunk !== undefined) state.apply(position, chunk)
  }
  return state
}

interface Ways {
  readonly chunks: readonly Chunk[]
  /** How far a tab has come, where the pages stand, and how far an interrupted compaction got with some of them. */
  readonly seen: number
  readonly floor: number
  readonly newer: number
}

const arbitraryWays: fc.Arbitrary<Ways> = fc
  .tuple(arbitraryActions, fc.array(fc.nat({ max: 40 }), { minLength: 3, maxLength: 3 }))
  .map(([actions, drawn]) => {
    const { chunks } = play(actions)
    const [seen = 0, floor = 0, newer = 0] = drawn.map(one => one % (chunks.length + 1)).sort((a, b) => a - b)
    return { chunks, seen, floor, newer }
  })

/** The rows of pages at a floor, of which those of the first key were written again later. */
function pagesOf({ chunks, floor, newer }: Ways): Map<(typeof keys)[number], Row | undefined> {
  const pages = new Map<(typeof keys)[number], Row | undefined>(
    confirmedRows(replay(createReplicaState(), chunks, 0, floor)),
  )
  pages.set(note, confirmedRows(replay(createReplicaState(), chunks, 0, newer)).get(note))
  return pages
}

function rowMapOf(pages: ReadonlyMap<(typeof keys)[number], Row | undefined>): RowMap {
  const rows = createRowMap()
  for (const [key, row] of pages) if (row !== undefined) rows.set(key, row)
  return rows
}

test('[P1] pages, a snapshot and the chunks after it make the state that all chunks make', () => {
  fc.assert(
    fc.property(arbitraryWays, ways => {
      const { chunks, seen, floor, newer } = ways
      const snapshot = replay(createReplicaState(), chunks, 0, floor).snapshot()
      const tab = replay(createReplicaState(), chunks, 0, seen)
      tab.load(rowMapOf(pagesOf(ways)), snapshot, floor, newer > floor)
      expect(isFingerprintRight(tab)).toBe(true)
      replay(tab, chunks, floor, chunks.length)
      expect(formOf(tab)).toEqual(formOf(replay(createReplicaState(), chunks, 0, chunks.length)))
    }),
    { numRuns: 300 },
  )
})

test('[P1] who goes over chunks that are gone ends with the state of who applied them', () => {
  fc.assert(
    fc.property(arbitraryWays, ways => {
      const { chunks, seen, floor } = ways
      // Where rows were forgotten meanwhile, a tab takes all pages instead.
      if (chunks.slice(seen, floor).some(chunk => chunk.kind === 'forgotten')) return
      const snapshot = replay(createReplicaState(), chunks, 0, floor).snapshot()
      const tab = replay(createReplicaState(), chunks, 0, seen)
      const changed = [...pagesOf(ways)].flatMap(([key, row]) =>
        row === undefined ? [] : [[key, row] as const],
      )
      tab.skip(changed, snapshot, floor)
      expect(isFingerprintRight(tab)).toBe(true)
      for (const key of keys) expect(contentOf(tab.visible(key))).toBe(expectedVisible(tab, key))
      replay(tab, chunks, floor, chunks.length)
      expect(formOf(tab)).toEqual(formOf(replay(createReplicaState(), chunks, 0, chunks.length)))
    }),
    { numRuns: 300 },
  )
})

describe('own writes whose chunk was gone over before this tab heard that it is on disk', () => {
  const ways = ['skip', 'load'] as const

  function thaw(way: (typeof ways)[number], ahead: ReplicaState, frozen: ReplicaState): AppliedChunk {
    return way === 'skip'
      ? frozen.skip(confirmedRows(ahead), ahead.snapshot(), ahead.seen)
      : frozen.load(rowMapOf(confirmedRows(ahead)), ahead.snapshot(), ahead.seen)
  }

  test.each(ways)(
    '[W1] by %s: what is still in the outbox is on disk, and is not made unwritten again',
    way => {
      const frozen = createReplicaState()
      const transaction = createTab(frozen).write([[0, insert]])
      frozen.write(transaction)
      const own: Chunk = { kind: 'own', transactions: [transaction] }
      const ahead = replay(createReplicaState(), [own], 0, 1)
      thaw(way, ahead, frozen)
      frozen.apply(1, own)
      expect(formOf(frozen)).toEqual(formOf(ahead))
    },
  )

  test.each(ways)('[L2] by %s: what was acknowledged meanwhile leaves the outbox', way => {
    const frozen = createReplicaState()
    const transaction = createTab(frozen).write([[0, insert]])
    frozen.write(transaction)
    const own: Chunk = { kind: 'own', transactions: [transaction] }
    const verdict = verdictOn(transaction, taken)
    const ahead = replay(createReplicaState(), [own, verdict], 0, 2)
    thaw(way, ahead, frozen)
    expect(frozen.outbox.size).toBe(1)
    frozen.apply(1, own)
    expect(formOf(frozen)).toEqual(formOf(ahead))
  })

  test.each(ways)('[L3] by %s: what was refused meanwhile shows no longer', way => {
    const frozen = createReplicaState()
    const transaction = createTab(frozen).write([[0, insert]])
    frozen.write(transaction)
    const own: Chunk = { kind: 'own', transactions: [transaction] }
    const verdict = verdictOn(transaction, refused)
    const ahead = replay(createReplicaState(), [own, verdict], 0, 2)
    thaw(way, ahead, frozen)
    frozen.apply(1, own)
    expect(frozen.visible(documentKey('notes', 'a'))).toBeUndefined()
    expect(frozen.quarantine.has(transactionId(transaction.writes[0]!.mark.writer, 1))).toBe(true)
  })

  test.each(ways)('[X9] by %s: a text of which something was refused meanwhile is built again', way => {
    const [write, ...none] = createTab(createReplicaState()).write([[0, { kind: 'type' }]]).writes
    if (write === undefined) throw new Error('nothing was typed')
    const typed = { ...write, texts: new Map([[body, [Uint8Array.of(1)]]]) }
    const transaction = { ...createTab(createReplicaState()).write([[0, insert]]), writes: [typed, ...none] }
    const own: Chunk = { kind: 'own', transactions: [transaction] }
    const verdict = verdictOn(transaction, refused)
    const frozen = replay(createReplicaState(), [own], 0, 1)
    const { rebuilt } = thaw(way, replay(createReplicaState(), [own, verdict], 0, 2), frozen)
    expect([...rebuilt]).toEqual([bodyKey(note, body)])
  })

  test.each(ways)('[W1] by %s: what is not on disk yet comes after everything that is', way => {
    const frozen = createReplicaState()
    const unwritten = createTab(frozen).write([[0, insert]])
    frozen.write(unwritten)
    const written = createTab(createReplicaState(), 'bob').write([[1, insert]])
    thaw(way, replay(createReplicaState(), [{ kind: 'own', transactions: [written] }], 0, 1), frozen)
    const entries = [...frozen.outbox.entries()].map(entry => [entry.transaction.id, entry.position])
    expect(entries).toEqual([
      [written.id, 1],
      [unwritten.id, 0],
    ])
    expect(rowExists(frozen.visible(note))).toBe(true)
  })
})
