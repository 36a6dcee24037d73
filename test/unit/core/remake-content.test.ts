// The content of what is made anew: the same, under other marks (SPEC W6, L3, K1).
import { createReplicaState, emptyRow, failure, makeAnew, rowExists, transactionId } from '@rejoin/core'
import type { RemakePlan, Transaction } from '@rejoin/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { arbitraryActions, createTab, expectedVisible, contentOf, keys, play } from './chunk-history.ts'
import { color, writerOf } from './edits.ts'
import {
  note,
  other,
  insert,
  recolor,
  vote,
  createScene,
  inOrder,
  withoutRefusedVotes,
  sumIn,
  titlesIn,
  tagsIn,
  formOfShown,
  marksIn,
} from './remake-scene.ts'
import { drawing, remakeContext } from './remake-context.ts'

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
      const context = remakeContext()
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
  alice.remakes({}, { drawWriter: drawing(writerOf('alice', 100)) })
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
  const stores = (transactions: readonly Transaction[], keys: RemakePlan['keys'], opening: number): void => {
    state.apply(state.seen + 1, { kind: 'own', transactions })
    const plan = { from: written[0]?.id as Transaction['id'], keys, refused: null }
    const context = { now: 5000, correction: 0, body: () => [], support: () => undefined }
    const chunk = makeAnew(state, plan, { ...context, drawWriter: drawing(writerOf('alice', opening)) })
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
  alice.remakes({ keys: new Set() }, { drawWriter: drawing(writerOf('carol')) })
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
  alice.remakes({ from: last?.id as Transaction['id'] }, { drawWriter: drawing(writerOf('alice', 100)) })
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

test('[W6] a deletion goes on covering a value that it has seen under an own one whose clock was ahead', () => {
  const alice = createScene()
  alice.edits(insert)
  alice.pulls('bob', recolor, 900)
  alice.edits({ kind: 'delete', policy: 'edit-wins' })
  expect(rowExists(alice.row())).toBe(false)
  alice.remakes({}, { correction: -600 })
  expect(rowExists(alice.row())).toBe(false)
})

test('[W6] a deletion goes on covering both of two values that change places when they are made anew', () => {
  const alice = createScene()
  alice.pulls('bob', insert, 500)
  // Of two tabs that had not seen each other's.
  const { state } = alice
  const [ahead, behind] = [2000, 1500].map((ms, i) =>
    recolored(createTab(state).write([[0, recolor]]), ms, i),
  )
  if (ahead === undefined || behind === undefined) throw new Error('there are two of them')
  state.apply(state.seen + 1, { kind: 'own', transactions: [ahead, behind] })
  alice.edits({ kind: 'delete', policy: 'edit-wins' })
  expect(rowExists(alice.row())).toBe(false)
  alice.remakes()
  expect(rowExists(alice.row())).toBe(false)
})

/** The same as another writer made it at another time. */
function recolored(transaction: Transaction, ms: number, opening: number): Transaction {
  const mark = { ms, tick: 0, writer: writerOf('alice', 50 + opening) }
  const writes = transaction.writes.map(write => {
    const cell = write.delta.cells.get(color)
    if (cell?.strategy !== 'lww') throw new Error('it writes a color')
    const cells = new Map([[color, { ...cell, last: mark }]])
    return { ...write, mark, delta: { ...write.delta, cells } }
  })
  return { ...transaction, id: transactionId(mark.writer, 1), writes }
}

test('[W6] a deletion covers nothing that it has not seen, wherever its own value comes to stand', () => {
  const alice = createScene()
  alice.edits(insert)
  alice.edits({ kind: 'delete', policy: 'edit-wins' })
  alice.pulls('bob', recolor, 900)
  alice.remakes({}, { correction: -600 })
  expect(rowExists(alice.row())).toBe(true)
})

test('[W6] nothing names an old mark any more', () => {
  fc.assert(
    fc.property(arbitraryActions, actions => {
      const { state } = play(actions)
      const entries = [...state.outbox.entries()]
      if (entries[0] === undefined) return
      const plan = { from: entries[0].transaction.id, keys: null, refused: null }
      const context = remakeContext()
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
