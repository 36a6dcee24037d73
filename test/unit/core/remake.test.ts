// Writes made anew: the same content and time under marks of a new writer, beating nobody that they did not beat.
import {
  compareMarks,
  contextOfCell,
  createReplicaState,
  createRowMap,
  decodeChunk,
  emptyRow,
  encodeChunk,
  entriesToRemake,
  failure,
  isInSet,
  joinRows,
  makeAnew,
  rowExists,
  sumOfCounter,
  writerFromBytes,
} from '@rejoin/core'
import type {
  Chunk,
  Mark,
  RemadeChunk,
  RemakeContext,
  RemakePlan,
  ReplicaState,
  Row,
  TextSupport,
  Transaction,
  Write,
  WriterId,
} from '@rejoin/core'
import { text } from '@rejoin/resolve'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  arbitraryActions,
  confirmedRows,
  createTab,
  expectedVisible,
  contentOf,
  generation,
  keys,
  play,
  relay,
  type Action,
} from './chunk-history.ts'
import {
  body,
  bytesOf,
  color,
  deltaOf,
  markOf,
  tags,
  textOf,
  title,
  votes,
  writerOf,
  type Edit,
  type Person,
} from './edits.ts'
import { pulledChunk } from './chunks.ts'

const [note, other] = keys as [(typeof keys)[number], (typeof keys)[number]]
const insert: Edit = { kind: 'insert', value: 'red', element: 'x' }
const recolor: Edit = { kind: 'color', value: 'teal' }
const vote: Edit = { kind: 'vote', by: 1 }
const fresh: WriterId = writerOf('alice', 99)

interface Scene {
  readonly state: ReplicaState
  edits(...edits: readonly (Edit | readonly [number, Edit])[]): Transaction
  pulls(person: Person, edit: Edit, ms: number): void
  takes(transaction: Transaction): void
  refuses(transaction: Transaction): void
  /** Makes anew what is left, from this transaction or the first one on, and applies it. */
  remakes(more?: Partial<RemakePlan>, context?: Partial<RemakeContext>): RemadeChunk
  row(key?: (typeof keys)[number]): Row
}

function createScene(): Scene {
  const state = createReplicaState()
  const tab = createTab(state)
  const append = (chunk: Chunk): void => void state.apply(state.seen + 1, chunk)
  const answer = ({ id }: Transaction, outcome: 'acknowledged' | 'refused'): void =>
    append({
      kind: 'verdicts',
      store: relay,
      generation,
      position: 1,
      cut: false,
      verdicts: [
        {
          id,
          outcome:
            outcome === 'acknowledged'
              ? { kind: 'acknowledged', shows: 'yes' }
              : { kind: 'refused', write: 0, error: failure('refused-by-rule', { reason: 'no' }) },
        },
      ],
      wants: [],
    })
  return {
    state,
    edits(...edits) {
      const transaction = tab.write(edits.map(edit => ('kind' in edit ? [0, edit] : edit)))
      append({ kind: 'own', transactions: [transaction] })
      return transaction
    },
    pulls(person, edit, ms) {
      const delta = deltaOf(edit, state.confirmed(note), markOf(person, ms))
      append(pulledChunk(relay, { rows: [{ key: note, delta, parts: 0, texts: new Map() }] }))
    },
    takes: transaction => answer(transaction, 'acknowledged'),
    refuses: transaction => answer(transaction, 'refused'),
    remakes(more, context) {
      const first = [...state.outbox.entries()][0]
      const from = first?.transaction.id as Transaction['id']
      const chunk = makeAnew(
        state,
        { from, keys: null, refused: null, ...more },
        { writer: fresh, now: 5000, correction: 0, body: () => [], support: () => undefined, ...context },
      )
      if (chunk === null) throw new Error('there is nothing to make anew')
      append(chunk)
      return chunk
    },
    row: key => state.visible(key ?? note) ?? emptyRow,
  }
}

/** A relay takes transactions in their order. */
function inOrder(actions: readonly Action[]): readonly Action[] {
  return actions.map(one => (one.kind === 'acknowledge' ? { ...one, at: 0 } : one))
}

/** L3: a refused increment leaves later totals when they are made anew, so what shows is not as before then. */
function withoutRefusedVotes(actions: readonly Action[]): readonly Action[] {
  const votesAtAll = actions.some(
    one => one.kind === 'write' && one.edits.some(([, edit]) => edit.kind === 'vote'),
  )
  return votesAtAll ? actions.filter(one => one.kind !== 'refuse') : actions
}

function sumIn(row: Row): number {
  const cell = row.cells.get(votes)
  return cell?.strategy === 'counter' ? sumOfCounter(cell) : 0
}

function titlesIn(row: Row): readonly string[] {
  const cell = row.cells.get(title)
  return cell?.strategy === 'ask' ? cell.siblings.map(({ value }) => textOf(value)) : []
}

function tagsIn(row: Row): readonly string[] {
  const cell = row.cells.get(tags)
  return cell?.strategy === 'set'
    ? [...cell.elements.values()].filter(isInSet).map(one => textOf(one.value))
    : []
}

function marksOf(chunk: RemadeChunk): readonly Mark[] {
  return chunk.transactions.flatMap(({ to }) => to.writes.map(write => write.mark))
}

describe('marks', () => {
  test('[W6] a write keeps its time, less what the clock was corrected by since', () => {
    const alice = createScene()
    const [write] = alice.edits(insert).writes
    const [mark] = marksOf(alice.remakes({}, { correction: -300 }))
    expect(mark).toEqual({ ms: (write?.mark.ms ?? 0) - 300, tick: 0, writer: fresh })
  })

  test('[W6] no write is moved beyond now, unless it must come after what its writer saw', () => {
    const alice = createScene()
    alice.edits(insert)
    expect(marksOf(alice.remakes({}, { correction: 700, now: 1200 }))).toMatchObject([{ ms: 1200 }])
    const bob = createScene()
    bob.pulls('carol', insert, 9000)
    bob.edits(recolor)
    expect(marksOf(bob.remakes({}, { now: 1200 }))).toMatchObject([{ ms: 9000, tick: 1 }])
  })

  test('[W6] a mark that one row forces ahead does not carry a write to another row along', () => {
    const alice = createScene()
    alice.pulls('bob', insert, 100_000)
    alice.edits(recolor)
    alice.edits([1, insert])
    const marks = marksOf(alice.remakes())
    expect(marks[0]).toMatchObject({ ms: 100_000, tick: 1 })
    expect(marks[1]?.ms).toBeLessThan(1100)
  })

  test('[W3] marks of a pass rise in each row, come after what was seen, and never meet', () => {
    fc.assert(
      fc.property(arbitraryActions, fc.integer({ min: -900, max: 900 }), (actions, correction) => {
        const { state } = play(actions)
        const before = [...state.outbox.entries()]
        const [first] = before
        if (first === undefined) return
        const plan = { from: first.transaction.id, keys: null, refused: null }
        const context = { writer: fresh, now: 1500, correction, body: () => [], support: () => undefined }
        const chunk = makeAnew(state, plan, context)
        if (chunk === null) return
        const lastByKey = new Map<string, Mark>()
        const met = new Set<string>()
        for (const { to } of chunk.transactions) {
          to.writes.forEach((write, i) => {
            expect(write.mark.writer).toBe(fresh)
            const seen = to.seen[i]?.last ?? null
            for (const floor of [lastByKey.get(write.key) ?? null, seen])
              if (floor !== null) expect(compareMarks(write.mark, floor)).toBeGreaterThan(0)
            expect(met.has(`${write.mark.ms}.${write.mark.tick}`)).toBe(false)
            met.add(`${write.mark.ms}.${write.mark.tick}`)
            lastByKey.set(write.key, write.mark)
          })
        }
      }),
      { numRuns: 200 },
    )
  })

  test('[W6] no mark that stands for one that is gone is that of a write of another document', () => {
    const alice = createScene()
    alice.pulls('bob', insert, 500)
    const bob = createTab(alice.state, 'bob')
    const refused = alice.edits({ kind: 'title', value: 'a' })
    const apart = bob.write([[1, insert]])
    const over = bob.write([[0, { kind: 'title', value: 'b' }]])
    alice.state.apply(alice.state.seen + 1, { kind: 'own', transactions: [apart, over] })
    const stampOf = ({ writes }: Transaction) => [writes[0]?.mark.ms, writes[0]?.mark.tick]
    expect(stampOf(apart)).toEqual(stampOf(refused))
    const error = failure('refused-by-rule', { reason: 'no' })
    const { transactions } = alice.remakes({ refused: { transaction: refused, error } })
    const [moved, again] = [apart, over].map(({ id }) => transactions.find(({ from }) => from === id)?.to)
    if (moved === undefined || again === undefined) throw new Error('both are made anew')
    const cell = again.writes[0]?.delta.cells.get(title)
    const base = cell?.strategy === 'ask' ? cell.siblings[0]?.base?.mark : undefined
    expect(base?.writer).toBe(fresh)
    expect(base).not.toEqual(moved.writes[0]?.mark)
  })

  test('[W6] what one mark was made in a row says nothing of the same mark in another one', () => {
    const alice = createScene()
    const ahead = [note, other].map(key => {
      const delta = deltaOf(insert, undefined, markOf('bob', 100_000))
      return { key, delta, parts: 0, texts: new Map() }
    })
    alice.state.apply(1, pulledChunk(relay, { rows: ahead }))
    const [here, there] = [0, 1].map(of => alice.edits([of, { kind: 'title', value: 'a' }]))
    expect(here?.writes[0]?.mark).toEqual(there?.writes[0]?.mark)
    const late = createTab(alice.state, 'bob').write([[0, { kind: 'title', value: 'c' }]])
    const over = alice.edits({ kind: 'title', value: 'b' })
    const baseOf = (transaction: Transaction | undefined): Mark | undefined => {
      const cell = transaction?.writes[0]?.delta.cells.get(title)
      return cell?.strategy === 'ask' ? cell.siblings[0]?.base?.mark : undefined
    }
    const { transactions } = alice.remakes()
    const again = new Map(transactions.map(({ from, to }) => [from, to]))
    const now = here && again.get(here.id)?.writes[0]?.mark
    expect(baseOf(again.get(over.id))).toEqual(now)
    // In a later pass too.
    alice.state.apply(alice.state.seen + 1, { kind: 'own', transactions: [late] })
    const orphans = { from: late.id, keys: new Set<typeof note>() }
    expect(baseOf(alice.remakes(orphans, { writer: writerOf('carol') }).transactions[0]?.to)).toEqual(now)
  })

  test('[W6] what stays as it is raises nothing whose writer had not seen it', () => {
    const alice = createScene()
    alice.pulls('carol', insert, 500)
    const late = createTab(alice.state, 'bob').write([[0, recolor]])
    alice.edits([1, insert])
    alice.edits(vote)
    alice.state.apply(alice.state.seen + 1, { kind: 'own', transactions: [late] })
    const [mark] = marksOf(alice.remakes({ from: late.id }))
    expect(mark).toEqual({ ...late.writes[0]?.mark, writer: fresh })
  })

  test('[W6] a write stays above what its writer wrote before it, also when a relay has taken that meanwhile', () => {
    const alice = createScene()
    const earlier = alice.edits(insert)
    alice.edits(recolor)
    alice.takes(earlier)
    alice.remakes({}, { correction: -900 })
    const cell = alice.row().cells.get(color)
    expect(cell?.strategy === 'lww' && textOf(cell.value)).toBe('teal')
  })

  test('[W6] nothing beats what it did not beat: a write of another in between stands', () => {
    const alice = createScene()
    alice.pulls('bob', insert, 500)
    const [write] = alice.edits(recolor).writes
    const later = deltaOf({ kind: 'color', value: 'blue' }, emptyRow, {
      ...markOf('carol', (write?.mark.ms ?? 0) + 1),
    })
    alice.remakes()
    const cell = joinRows(alice.row(), later).cells.get(color)
    expect(cell?.strategy === 'lww' && textOf(cell.value)).toBe('blue')
  })

  test('[W6] nothing beats what it did not beat: in a history, only what a mark was raised over is beaten anew', () => {
    fc.assert(
      fc.property(arbitraryActions, actions => {
        const { state } = play(inOrder(actions))
        const old = new Map(
          [...state.outbox.entries()].map(entry => [entry.transaction.id, entry.transaction]),
        )
        const [first] = old.keys()
        if (first === undefined) return
        const plan = { from: first, keys: null, refused: null }
        const context = { writer: fresh, now: 5000, correction: 0, body: () => [], support: () => undefined }
        for (const { from, to } of makeAnew(state, plan, context)?.transactions ?? []) {
          const was = old.get(from)
          to.writes.forEach((write, i) => {
            const before = was?.writes[i]?.mark
            if (before === undefined) return
            // One person's marks rise already, so nothing has to be raised.
            expect([write.mark.ms, write.mark.tick]).toEqual([before.ms, before.tick])
          })
        }
      }),
      { numRuns: 200 },
    )
  })
})

describe('content', () => {
  test.each([
    ['whatever others wrote meanwhile', true, 0],
    ['however the clock was corrected', false, -900],
  ])('[W6] what shows is as before, %s', (_, pulls, correction) => {
    fc.assert(
      fc.property(arbitraryActions, fc.integer({ min: correction, max: 0 }), (actions, corrected) => {
        const { state } = play(
          withoutRefusedVotes(inOrder(actions)).filter(one => pulls || one.kind !== 'pull'),
        )
        const [first] = state.outbox.entries()
        if (first === undefined) return
        const shown = keys.map(key => formOfShown(state.visible(key)))
        const plan = { from: first.transaction.id, keys: null, refused: null }
        const context = { writer: fresh, now: 5000, body: () => [], support: () => undefined }
        const chunk = makeAnew(state, plan, { ...context, correction: corrected })
        if (chunk === null || chunk.quarantined.length > 0) return
        state.apply(state.seen + 1, chunk)
        expect(keys.map(key => formOfShown(state.visible(key)))).toEqual(shown)
        for (const key of keys) expect(contentOf(state.visible(key))).toBe(expectedVisible(state, key))
      }),
      { numRuns: 300 },
    )
  })

  test('[W6] a counter keeps its sum, twice made anew too', () => {
    const alice = createScene()
    alice.pulls('bob', insert, 500)
    alice.takes(alice.edits(vote))
    alice.edits(vote)
    alice.edits(vote)
    alice.remakes()
    expect(sumIn(alice.row())).toBe(3)
    alice.remakes({}, { writer: writerOf('alice', 100) })
    expect(sumIn(alice.row())).toBe(3)
  })

  test('[W6] increments of a writer that was made anew before they were on disk count once', () => {
    const state = createReplicaState()
    const tab = createTab(state)
    const written = [insert, vote, vote, vote].map(edit => {
      const transaction = tab.write([[0, edit]])
      state.write(transaction)
      return transaction
    })
    const stores = (
      transactions: readonly Transaction[],
      keys: RemakePlan['keys'],
      opening: number,
    ): void => {
      state.apply(state.seen + 1, { kind: 'own', transactions })
      const plan = { from: written[0]?.id as Transaction['id'], keys, refused: null }
      const context = { now: 5000, correction: 0, body: () => [], support: () => undefined }
      const chunk = makeAnew(state, plan, { ...context, writer: writerOf('alice', opening) })
      if (chunk !== null) state.apply(state.seen + 1, chunk)
    }
    stores(written.slice(0, 2), null, 99)
    // What was on its way to the disk by then is made anew by itself.
    stores(written.slice(2, 3), new Set(), 100)
    stores(written.slice(3), new Set(), 101)
    expect(state.outbox.size).toBe(4)
    expect(sumIn(state.visible(note) ?? emptyRow)).toBe(3)
  })

  test('[L3] a refused increment is in no later total', () => {
    const alice = createScene()
    alice.pulls('bob', insert, 500)
    alice.takes(alice.edits(vote))
    const refused = alice.edits({ kind: 'vote', by: 10 })
    alice.edits({ kind: 'vote', by: 100 })
    alice.refuses(refused)
    alice.remakes({
      keys: new Set([note]),
      refused: { transaction: refused, error: failure('refused-by-rule', { reason: 'no' }) },
    })
    expect(sumIn(alice.row())).toBe(101)
  })

  test('[L3] a refused increment is in no total that was on its way to the disk either', () => {
    const alice = createScene()
    alice.pulls('bob', insert, 500)
    const tab = createTab(alice.state)
    const refused = tab.write([[0, { kind: 'vote', by: 10 }]])
    alice.state.write(refused)
    alice.state.apply(alice.state.seen + 1, { kind: 'own', transactions: [refused] })
    const late = tab.write([[0, { kind: 'vote', by: 100 }]])
    alice.state.write(late)
    const error = failure('refused-by-rule', { reason: 'no' })
    alice.remakes({ keys: new Set([note]), refused: { transaction: refused, error } })
    alice.state.apply(alice.state.seen + 1, { kind: 'own', transactions: [late] })
    alice.remakes({ keys: new Set() }, { writer: writerOf('carol') })
    expect(sumIn(alice.row())).toBe(100)
  })

  test('[W6] increments that go to the quarantine in a pass are in no later total', () => {
    const alice = createScene()
    alice.pulls('bob', insert, 500)
    const refused = alice.edits([1, insert])
    alice.edits([0, { kind: 'vote', by: 10 }], [1, recolor])
    alice.edits({ kind: 'vote', by: 100 })
    alice.refuses(refused)
    const chunk = alice.remakes({
      keys: new Set([other]),
      refused: { transaction: refused, error: failure('refused-by-rule', { reason: 'no' }) },
    })
    expect(chunk.quarantined.length).toBe(1)
    expect(sumIn(alice.row())).toBe(100)
  })

  test('[K1] an answer goes on replacing exactly what it had seen, also what was not made anew', () => {
    const alice = createScene()
    alice.pulls('bob', insert, 500)
    alice.takes(alice.edits({ kind: 'title', value: 'first' }))
    alice.edits({ kind: 'title', value: 'second' })
    alice.edits({ kind: 'title', value: 'third' })
    alice.remakes()
    expect(titlesIn(alice.row())).toEqual(['third'])
    // Even if the one in between is refused and the last one made anew again.
    const [middle, last] = [...alice.state.outbox.entries()].map(entry => entry.transaction)
    alice.refuses(middle as Transaction)
    alice.remakes({ from: last?.id as Transaction['id'] }, { writer: writerOf('alice', 100) })
    expect(titlesIn(alice.row())).toEqual(['third'])
  })

  test('[W6] a removal goes on taking the add that it saw, under its new mark', () => {
    const alice = createScene()
    alice.pulls('bob', insert, 500)
    alice.edits({ kind: 'add', element: 'y' })
    alice.edits({ kind: 'remove', element: 'y' })
    alice.remakes()
    expect(tagsIn(alice.row())).toEqual(['x'])
  })

  test('[W6] a deletion goes on covering everything that its writer had seen, own acknowledged writes included', () => {
    const alice = createScene()
    alice.takes(alice.edits(insert))
    alice.takes(alice.edits(vote))
    alice.edits(vote)
    alice.edits({ kind: 'add', element: 'y' })
    alice.edits({ kind: 'delete', policy: 'edit-wins' })
    expect(rowExists(alice.row())).toBe(false)
    alice.remakes()
    expect(rowExists(alice.row())).toBe(false)
  })

  test('[W6] nothing names an old mark any more', () => {
    fc.assert(
      fc.property(arbitraryActions, actions => {
        const { state } = play(actions)
        const entries = [...state.outbox.entries()]
        if (entries[0] === undefined) return
        const plan = { from: entries[0].transaction.id, keys: null, refused: null }
        const context = { writer: fresh, now: 5000, correction: 0, body: () => [], support: () => undefined }
        const chunk = makeAnew(state, plan, context)
        const old = new Set(
          (chunk?.transactions ?? []).flatMap(({ from }) =>
            (state.outbox.get(from)?.transaction.writes ?? []).map(write => JSON.stringify(write.mark)),
          ),
        )
        for (const { to } of chunk?.transactions ?? [])
          for (const mark of marksIn(to)) expect(old.has(JSON.stringify(mark))).toBe(false)
      }),
      { numRuns: 200 },
    )
  })
})

/** As a client writes it that says which mark it replaced. */
function withReplaced(transaction: Transaction, part: typeof color, mark: Mark | undefined): Transaction {
  const replace = (write: Transaction['writes'][number]): Transaction['writes'][number] =>
    mark === undefined || !write.delta.cells.has(part)
      ? write
      : { ...write, replaced: new Map([[part, mark]]) }
  return { ...transaction, writes: transaction.writes.map(replace) }
}

function formOfShown(row: Row | undefined): unknown {
  const cell = row?.cells.get(color)
  const shown = row ?? emptyRow
  return [
    rowExists(row),
    cell?.strategy === 'lww' ? textOf(cell.value) : null,
    titlesIn(shown),
    [...tagsIn(shown)].sort(),
    sumIn(shown),
  ]
}

function marksIn({ writes, seen }: Transaction): readonly Mark[] {
  return [
    ...seen.flatMap(({ last }) => (last === null ? [] : [last])),
    ...writes.flatMap(({ mark, delta, replaced }) => [
      mark,
      ...replaced.values(),
      ...[...delta.cells.values()].flatMap(cell => [...contextOfCell(cell).values()]),
      ...[...(delta.deletion?.seen.values() ?? [])].flatMap(one =>
        one.kind === 'context' ? [...one.context.values()] : one.kind === 'last' ? [one.mark] : [],
      ),
    ]),
  ]
}

describe('what is made anew', () => {
  test('[L3] after a refusal: what touches its documents, and what touches theirs; the rest stays as it is', () => {
    const alice = createScene()
    const refused = alice.edits(insert)
    const both = alice.edits([0, insert], [1, insert])
    const apart = alice.edits([2, insert])
    const behind = alice.edits([1, vote])
    alice.refuses(refused)
    const plan = { from: both.id, keys: new Set([note]), refused: null }
    expect(entriesToRemake(alice.state, plan).map(entry => entry.transaction.id)).toEqual([
      both.id,
      behind.id,
    ])
    const [, stays] = [...alice.state.outbox.entries()]
    alice.remakes(plan)
    const after = [...alice.state.outbox.entries()].map(entry => entry.transaction)
    expect(after[1]).toBe(stays?.transaction)
    expect(after[1]?.id).toBe(apart.id)
    expect(after.map(({ writes }) => writes[0]?.mark.writer === fresh)).toEqual([true, false, true])
  })

  test('[W6] what another relay may have taken waits', () => {
    const alice = createScene()
    const transaction = alice.edits(insert)
    const entry = alice.state.outbox.get(transaction.id)
    if (entry !== undefined)
      alice.state.outbox.put({ ...entry, acks: new Map([[relay, { generation, position: 1 }]]) })
    const plan = { from: transaction.id, keys: null, refused: null }
    expect(entriesToRemake(alice.state, plan)).toEqual([])
  })

  test('[W6] what bears a writer that was made anew is made anew as soon as it is on disk', () => {
    const state = createReplicaState()
    const tab = createTab(state)
    const [early, late] = [tab.write([[0, insert]]), tab.write([[1, insert]])]
    state.write(early)
    state.write(late)
    state.apply(1, { kind: 'own', transactions: [early] })
    const plan = { from: early.id, keys: null, refused: null }
    const context = { writer: fresh, now: 5000, correction: 0, body: () => [], support: () => undefined }
    const chunk = makeAnew(state, plan, context)
    if (chunk !== null) state.apply(2, chunk)
    const orphans = (): readonly string[] =>
      entriesToRemake(state, { ...plan, keys: new Set() }).map(entry => entry.transaction.id)
    expect(orphans()).toEqual([])
    state.apply(3, { kind: 'own', transactions: [late] })
    expect(orphans()).toEqual([late.id])
  })

  test('[W6] and what came to the disk while others were made anew is so too', () => {
    const alice = createScene()
    const [refused, edit] = [alice.edits(insert), alice.edits(recolor)]
    const error = failure('refused-by-rule', { reason: 'no' })
    const plan = { from: edit.id, keys: new Set([note]), refused: { transaction: refused, error } }
    const context = { writer: fresh, now: 5000, correction: 0, body: () => [], support: () => undefined }
    const chunk = makeAnew(alice.state, plan, context)
    const between = alice.edits({ kind: 'add', element: 'y' })
    if (chunk !== null) alice.state.apply(alice.state.seen + 1, chunk)
    const orphans = { from: between.id, keys: new Set<typeof note>(), refused: null }
    expect(entriesToRemake(alice.state, orphans).map(entry => entry.transaction.id)).toEqual([between.id])
  })

  test('[W6] what names a mark that was made anew while it was on its way to the disk is made anew too', () => {
    for (const edit of [
      recolor,
      { kind: 'title', value: 'b' },
      { kind: 'delete', policy: 'edit-wins' },
    ] as const) {
      const state = createReplicaState()
      const early = createTab(state).write([[0, insert]])
      state.write(early)
      state.apply(1, { kind: 'own', transactions: [early] })
      const late = createTab(state, 'bob').write([[0, edit]])
      state.write(withReplaced(late, color, early.writes[0]?.mark))
      const plan = { from: early.id, keys: null, refused: null }
      const context = { writer: fresh, now: 5000, correction: 0, body: () => [], support: () => undefined }
      const first = makeAnew(state, plan, context)
      expect(first?.transactions.map(({ from }) => from)).toEqual([early.id])
      if (first !== null) state.apply(2, first)
      state.apply(3, { kind: 'own', transactions: [withReplaced(late, color, early.writes[0]?.mark)] })
      const orphans = { ...plan, keys: new Set<typeof note>() }
      const second = makeAnew(state, orphans, { ...context, writer: writerOf('carol') })
      expect(second?.transactions.map(({ from }) => from)).toEqual([late.id])
      for (const { to } of second?.transactions ?? [])
        expect(marksIn(to).map(({ writer }) => writer)).not.toContain(early.writes[0]?.mark.writer)
      if (second !== null) state.apply(4, second)
      expect(entriesToRemake(state, orphans)).toEqual([])
    }
  })

  test('[W6] what names a mark that was taken, and that others wrote over since, stays as it is', () => {
    const alice = createScene()
    alice.pulls('bob', insert, 500)
    const taken = alice.edits(recolor)
    alice.takes(taken)
    const mark = taken.writes[0]?.mark
    const late = createTab(alice.state, 'bob')
    const named = [
      withReplaced(late.write([[0, recolor]]), color, mark),
      late.write([[0, { kind: 'delete', policy: 'edit-wins' }]]),
    ]
    // Of another document something is made anew, and this writer's tabs have another one since.
    alice.edits([1, insert])
    alice.remakes()
    alice.state.apply(alice.state.seen + 1, { kind: 'own', transactions: named })
    alice.pulls('carol', recolor, 100_000)
    const [first] = named
    expect(first && entriesToRemake(alice.state, { from: first.id, keys: new Set(), refused: null })).toEqual(
      [],
    )
  })

  describe('what its tab wrote before it heard of an earlier pass', () => {
    const plan = (from: Transaction | undefined): RemakePlan => ({
      from: from?.id as Transaction['id'],
      keys: null,
      refused: null,
    })
    const context = { now: 5000, correction: 0, body: () => [], support: () => undefined }

    /** Edits are made anew and taken, ahead of what was written over them by one of two tabs and comes to the disk only then. */
    function remadeBefore(early: readonly Edit[], late: readonly Edit[], by: 'alice' | 'bob'): Row {
      const state = createReplicaState()
      const tabs = { alice: createTab(state), bob: createTab(state, 'bob') }
      const written = early.map(edit => {
        const transaction = tabs.alice.write([[0, edit]])
        state.write(transaction)
        return transaction
      })
      state.apply(1, { kind: 'own', transactions: written })
      const over = tabs[by].write(late.map(edit => [0, edit]))
      const first = makeAnew(state, plan(written[0]), { ...context, correction: 2000, writer: fresh })
      if (first === null) throw new Error('there is nothing to make anew')
      state.apply(2, first)
      const verdicts = first.transactions.map(({ to: { id } }) => ({
        id,
        outcome: { kind: 'acknowledged', shows: 'yes' } as const,
      }))
      const answer = { store: relay, generation, position: 1, cut: false, verdicts, wants: [] }
      state.apply(3, { kind: 'verdicts', ...answer })
      state.apply(4, { kind: 'own', transactions: [over] })
      const orphans = { ...plan(over), keys: new Set<typeof note>() }
      const second = makeAnew(state, orphans, { ...context, writer: writerOf('carol') })
      if (second === null) throw new Error('nothing came late')
      state.apply(5, second)
      return state.visible(note) ?? emptyRow
    }

    test.each(['alice', 'bob'] as const)('[W6] replaces what it had seen and is made anew (%s)', by => {
      const rename: Edit = { kind: 'title', value: 'b' }
      expect(titlesIn(remadeBefore([insert], [rename], by))).toEqual(['b'])
      expect(titlesIn(remadeBefore([insert, rename], [{ kind: 'title', value: 'c' }], by))).toEqual(['c'])
      const deletion: Edit = { kind: 'delete', policy: 'edit-wins' }
      expect(rowExists(remadeBefore([insert, rename, recolor], [deletion], by))).toBe(false)
    })

    test.each(['alice', 'bob'] as const)('[W6] takes out what it had seen, and stands over it (%s)', by => {
      const row = remadeBefore([insert], [{ kind: 'remove', element: 'x' }, recolor], by)
      expect(tagsIn(row)).toEqual([])
      const cell = row.cells.get(color)
      expect(cell?.strategy === 'lww' && textOf(cell.value)).toBe('teal')
    })
  })

  test('[W6] of marks that were made anew the latest are kept, and of one pass all or none', () => {
    const alice = createScene()
    for (let i = 0; i < 3000; i++) alice.edits(insert)
    const kept = (): readonly number[] => [
      ...new Set(alice.state.remadeMarks.all().map(({ position }) => position)),
    ]
    for (const opening of [1, 2]) {
      alice.remakes({}, { writer: writerOf('alice', opening) })
      expect([alice.state.remadeMarks.all().length, kept()]).toEqual([3000, [alice.state.seen]])
    }
  })

  test('[W6] what is left without its document goes to the quarantine, and so does what stands on that', () => {
    const alice = createScene()
    const refused = alice.edits(insert)
    const edit = alice.edits(recolor)
    const mixed = alice.edits([1, insert], [0, vote])
    const behind = alice.edits([1, recolor])
    alice.refuses(refused)
    const chunk = alice.remakes({
      from: edit.id,
      keys: new Set([note]),
      refused: { transaction: refused, error: failure('refused-by-rule', { reason: 'no' }) },
    })
    expect(chunk.quarantined).toEqual([
      { id: edit.id, error: failure('built-on-refused', { document: note }) },
      { id: mixed.id, error: failure('built-on-refused', { document: note }) },
      { id: behind.id, error: failure('built-on-refused', { document: other }) },
    ])
    expect(alice.state.outbox.size).toBe(0)
    expect([...alice.state.quarantine.keys()]).toEqual([refused.id, edit.id, mixed.id, behind.id])
    expect(alice.state.visible(note)).toBeUndefined()
  })

  test('[W6] what brings back a document that is not even deleted any more goes to the quarantine too', () => {
    const alice = createScene()
    const refused = alice.edits(insert)
    const gone = [alice.edits({ kind: 'delete', policy: 'edit-wins' }), alice.edits({ kind: 'revive' }, vote)]
    alice.edits([1, insert])
    const kept = alice.edits([1, { kind: 'delete', policy: 'edit-wins' }], [1, { kind: 'revive' }])
    alice.refuses(refused)
    const chunk = alice.remakes({ from: gone[0]?.id as Transaction['id'], keys: new Set([note, other]) })
    expect(chunk.quarantined).toEqual(
      gone.map(({ id }) => ({ id, error: failure('built-on-refused', { document: note }) })),
    )
    expect(chunk.transactions.at(-1)?.from).toBe(kept.id)
  })

  test('[W6] what brings back a document that its writer had seen deleted stands on that', () => {
    const alice = createScene()
    alice.pulls('bob', insert, 500)
    alice.pulls('bob', { kind: 'delete', policy: 'edit-wins' }, 600)
    alice.edits({ kind: 'revive' }, vote)
    expect(alice.remakes().quarantined).toEqual([])
  })

  test('[W6] an own edit that a deletion had not seen keeps its document for what was written after it', () => {
    const alice = createScene()
    alice.pulls('bob', insert, 500)
    const refused = alice.edits(recolor)
    const kept = alice.edits(vote)
    alice.pulls('bob', { kind: 'delete', policy: 'edit-wins' }, 600)
    const behind = alice.edits(recolor)
    alice.refuses(refused)
    const chunk = alice.remakes({ from: kept.id, keys: new Set([note]) })
    expect(chunk.transactions.map(({ from }) => from)).toEqual([kept.id, behind.id])
    expect(chunk.quarantined).toEqual([])
  })

  test('[W6] what was written after a deletion that had seen all but what was refused goes to the quarantine', () => {
    const alice = createScene()
    alice.pulls('bob', insert, 500)
    const refused = alice.edits(recolor)
    alice.pulls('bob', { kind: 'delete', policy: 'edit-wins' }, 600)
    const behind = alice.edits(vote)
    alice.refuses(refused)
    const chunk = alice.remakes({ from: behind.id, keys: new Set([note]) })
    expect(chunk.quarantined.map(({ id }) => id)).toEqual([behind.id])
  })

  test('[W6] what comes to the disk when what its document was there by is gone goes to the quarantine too', () => {
    for (const edit of [recolor, { kind: 'delete', policy: 'edit-wins' }] as const) {
      const alice = createScene()
      const refused = alice.edits(insert)
      const tab = createTab(alice.state, 'bob')
      const late = [tab.write([[0, edit]]), tab.write([[0, vote]])]
      const error = failure('refused-by-rule', { reason: 'no' })
      alice.remakes({ from: refused.id, keys: new Set([note]), refused: { transaction: refused, error } })
      alice.state.apply(alice.state.seen + 1, { kind: 'own', transactions: late })
      const chunk = alice.remakes({ keys: new Set() }, { writer: writerOf('carol') })
      expect(chunk.quarantined).toEqual(
        late.map(({ id }) => ({ id, error: failure('built-on-refused', { document: note }) })),
      )
      expect(alice.state.outbox.size).toBe(0)
    }
  })

  describe('what stands on an undelete that is refused', () => {
    const error = failure('refused-by-rule', { reason: 'no' })
    const bringsBack = (): readonly [Scene, Transaction] => {
      const alice = createScene()
      alice.pulls('carol', insert, 500)
      alice.pulls('carol', { kind: 'delete', policy: 'edit-wins' }, 600)
      return [alice, alice.edits({ kind: 'revive' })]
    }
    const quarantinedIn = ({ quarantined }: RemadeChunk) => quarantined.map(({ id }) => id)

    test.each([recolor, { kind: 'type' }] as const)('[W6] goes to the quarantine with it (%o)', edit => {
      const [alice, refused] = bringsBack()
      const behind = alice.edits(edit)
      const plan = { keys: new Set([note]), refused: { transaction: refused, error } }
      expect(quarantinedIn(alice.remakes(plan))).toEqual([refused.id, behind.id])
      expect(rowExists(alice.row())).toBe(false)
    })

    test.each([recolor, { kind: 'type' }] as const)(
      '[W6] goes there too if it comes to the disk later (%o)',
      edit => {
        const [alice, refused] = bringsBack()
        const late = createTab(alice.state, 'bob').write([[0, edit]])
        alice.remakes({ keys: new Set([note]), refused: { transaction: refused, error } })
        alice.state.apply(alice.state.seen + 1, { kind: 'own', transactions: [late] })
        const orphans = { keys: new Set<typeof note>(), refused: null }
        expect(quarantinedIn(alice.remakes(orphans, { writer: writerOf('carol') }))).toEqual([late.id])
        expect(rowExists(alice.row())).toBe(false)
      },
    )

    test('[X5] of what is typed by who had heard of the refusal that is not so: it keeps the document', () => {
      const [alice, refused] = bringsBack()
      alice.remakes({ keys: new Set([note]), refused: { transaction: refused, error } })
      const typed = createTab(alice.state, 'bob').write([[0, { kind: 'type' }]])
      alice.state.apply(alice.state.seen + 1, { kind: 'own', transactions: [typed] })
      const orphans = { from: typed.id, keys: new Set<typeof note>(), refused: null }
      expect(entriesToRemake(alice.state, orphans)).toEqual([])
    })
  })

  test('[D2] what is typed in a document that was deleted and forgotten meanwhile is sent: a relay knows it', () => {
    const alice = createScene()
    alice.pulls('bob', insert, 500)
    alice.pulls('bob', { kind: 'delete', policy: 'edit-wins' }, 600)
    alice.state.apply(alice.state.seen + 1, { kind: 'forgotten', keys: [note] })
    const typed = alice.edits({ kind: 'type' })
    const orphans = { from: typed.id, keys: new Set<typeof note>(), refused: null }
    expect(entriesToRemake(alice.state, orphans)).toEqual([])
  })

  test('[X5] what is typed in a document that is known to be deleted is sent, and keeps it', () => {
    const alice = createScene()
    alice.pulls('bob', insert, 500)
    alice.pulls('bob', { kind: 'delete', policy: 'edit-wins' }, 600)
    const typed = alice.edits({ kind: 'type' })
    const orphans = { from: typed.id, keys: new Set<typeof note>(), refused: null }
    expect(entriesToRemake(alice.state, orphans)).toEqual([])
    expect(alice.remakes().quarantined).toEqual([])
    expect(rowExists(alice.row())).toBe(true)
  })

  test('[W6] an edit upon an own insert that was taken keeps a document that others deleted since', () => {
    const alice = createScene()
    const taken = alice.edits(insert)
    alice.edits(recolor)
    alice.takes(taken)
    alice.pulls('bob', { kind: 'delete', policy: 'edit-wins' }, 100_000)
    const [entry] = alice.state.outbox.entries()
    expect(
      entry && entriesToRemake(alice.state, { from: entry.transaction.id, keys: new Set(), refused: null }),
    ).toEqual([])
    expect(alice.remakes().quarantined).toEqual([])
    expect(rowExists(alice.row())).toBe(true)
  })

  test('[W6] so it does where pages were read since, and the insert was of another tab', () => {
    const state = createReplicaState()
    const apply = (chunk: Chunk): void => void state.apply(state.seen + 1, chunk)
    const write = (tab: 'alice' | 'carol', edit: Edit): Transaction => {
      const transaction = createTab(state, tab).write([[0, edit]])
      apply({ kind: 'own', transactions: [transaction] })
      return transaction
    }
    const { id } = write('alice', insert)
    const { id: from } = write('carol', recolor)
    const verdicts = [{ id, outcome: { kind: 'acknowledged', shows: 'yes' } }] as const
    apply({ kind: 'verdicts', store: relay, generation, position: 7, cut: false, verdicts, wants: [] })
    const deletion = deltaOf(
      { kind: 'delete', policy: 'edit-wins' },
      state.visible(note),
      markOf('bob', 100_000),
    )
    apply(pulledChunk(relay, { rows: [{ key: note, delta: deletion, parts: 0, texts: new Map() }] }))
    const rows = createRowMap()
    for (const [key, row] of confirmedRows(state)) rows.set(key, row)
    const read = createReplicaState()
    read.load(rows, state.snapshot(), state.seen)
    const chunk = makeAnew(
      read,
      { from, keys: null, refused: null },
      { writer: fresh, now: 5000, correction: 0, body: () => [], support: () => undefined },
    )
    expect(chunk?.quarantined).toEqual([])
  })

  test('[W6] what another tab has not on disk yet is no document that an edit could stand on', () => {
    const alice = createScene()
    const refused = alice.edits(insert)
    const edit = alice.edits(recolor)
    const state = createReplicaState()
    state.write(createTab(state, 'bob').write([[0, insert]]))
    state.apply(1, { kind: 'own', transactions: [refused, edit] })
    const error = failure('refused-by-rule', { reason: 'no' })
    const chunk = makeAnew(
      state,
      { from: refused.id, keys: new Set([note]), refused: { transaction: refused, error } },
      { writer: fresh, now: 5000, correction: 0, body: () => [], support: () => undefined },
    )
    expect(chunk?.quarantined).toEqual([
      { id: refused.id, error },
      { id: edit.id, error: failure('built-on-refused', { document: note }) },
    ])
  })

  test('[W6] an edit of a document that its writer had seen is not quarantined', () => {
    const alice = createScene()
    alice.pulls('bob', insert, 500)
    const refused = alice.edits(recolor)
    alice.edits(vote)
    alice.refuses(refused)
    expect(alice.remakes({ keys: new Set([note]) }).quarantined).toEqual([])
  })

  test('[W6] the tabs of old writers are told to draw another one', () => {
    const alice = createScene()
    const [write] = alice.edits(insert).writes
    const chunk = alice.remakes()
    expect(chunk.writers).toEqual([{ from: write?.mark.writer, to: fresh }])
    expect(alice.state.retired).toEqual(new Map([[write?.mark.writer, chunk.seen]]))
  })

  test('[W6] of the writers that were made anew the latest are known, so that they do not grow with each refusal', () => {
    const state = createReplicaState()
    const writers = Array.from({ length: 5000 }, (_, i) =>
      writerFromBytes(new Uint8Array([...new Uint8Array(6), i >> 8, i & 255])),
    )
    for (const [i, from] of writers.entries()) {
      const chunk = { seen: i, writers: [{ from, to: fresh }], transactions: [], quarantined: [] }
      state.apply(i + 1, { kind: 'remade', ...chunk })
    }
    expect([...state.retired.keys()]).toEqual(writers.slice(-4096))
  })
})

describe('texts', () => {
  /** A write of a text, beside an insert or alone, that becomes this when it is made anew. */
  function remakeText(edits: readonly Edit[], becomes: 'nothing' | 'lost') {
    const state = createReplicaState()
    const made = createTab(state).write(edits.map(edit => [0, edit]))
    const typed = (write: Write): Write => ({ ...write, texts: new Map([[body, [bytesOf('update')]]]) })
    const writes = made.writes.map(write => (write.delta.cells.has(body) ? typed(write) : write))
    const transaction = { ...made, writes, seen: made.seen.map(seen => ({ ...seen, exists: true })) }
    state.apply(1, { kind: 'own', transactions: [transaction] })
    const plan = { from: transaction.id, keys: null, refused: null }
    const support: TextSupport = { ...text().text, remake: () => [becomes] }
    const context = { writer: fresh, now: 5000, correction: 0, body: () => [], support: () => support }
    const chunk = makeAnew(state, plan, context)
    const read = chunk && decodeChunk(encodeChunk(chunk))
    if (!read?.ok || read.value.kind !== 'remade') throw new Error('there is nothing to make anew')
    state.apply(2, read.value)
    return { state, transaction, chunk: read.value }
  }

  test('[X9] a text of which nothing remains leaves no cell behind in a write', () => {
    const { chunk, state } = remakeText([insert, { kind: 'type' }], 'nothing')
    const [made] = chunk.transactions
    expect(made?.to.writes.map(({ delta }) => delta.cells.has(body))).toEqual([false])
    expect(made?.to.seen.length).toBe(1)
    expect(state.outbox.size).toBe(1)
  })

  test('[X9] a write of which nothing remains leaves the outbox, and is not refused', () => {
    const { chunk, state, transaction } = remakeText([{ kind: 'type' }], 'nothing')
    expect(chunk.transactions.map(({ from, to }) => [from, to.writes])).toEqual([[transaction.id, []]])
    expect([state.outbox.size, state.quarantine.size]).toEqual([0, 0])
    expect(state.visible(note)).toBeUndefined()
  })

  test('[X9] what was typed in a text that nobody has goes to the quarantine with its transaction', () => {
    for (const edits of [[{ kind: 'type' }], [insert, { kind: 'type' }]] satisfies Edit[][]) {
      const { state, transaction } = remakeText(edits, 'lost')
      expect(state.outbox.size).toBe(0)
      expect([...state.quarantine]).toEqual([
        [transaction.id, { transaction, error: failure('built-on-refused', { document: note }) }],
      ])
    }
  })
})
