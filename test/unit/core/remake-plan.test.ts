// What is made anew after a refusal, and what came to the disk meanwhile (SPEC L3, W6).
import {
  createReplicaState,
  createRowMap,
  entriesToRemake,
  failure,
  makeAnew,
  rowExists,
  writerFromBytes,
} from '@rejoin/core'
import type { Chunk, Transaction } from '@rejoin/core'
import { expect, test } from 'vitest'
import { confirmedRows, createTab, generation, relay } from './chunk-history.ts'
import { color, deltaOf, markOf, writerOf, type Edit } from './edits.ts'
import { pulledChunk } from './chunks.ts'
import { note, insert, recolor, vote, createScene, withReplaced, marksIn } from './remake-scene.ts'
import { drawing, fresh, remakeContext } from './remake-context.ts'

test('[L3] after a refusal: what touches its documents, and what touches theirs; the rest stays as it is', () => {
  const alice = createScene()
  const refused = alice.edits(insert)
  const both = alice.edits([0, insert], [1, insert])
  const apart = alice.edits([2, insert])
  const behind = alice.edits([1, vote])
  alice.refuses(refused)
  const plan = { from: both.id, keys: new Set([note]), refused: null }
  expect(entriesToRemake(alice.state, plan).map(entry => entry.transaction.id)).toEqual([both.id, behind.id])
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
  const context = remakeContext()
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
  const context = remakeContext()
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
    const context = remakeContext()
    const first = makeAnew(state, plan, context)
    expect(first?.transactions.map(({ from }) => from)).toEqual([early.id])
    if (first !== null) state.apply(2, first)
    state.apply(3, { kind: 'own', transactions: [withReplaced(late, color, early.writes[0]?.mark)] })
    const orphans = { ...plan, keys: new Set<typeof note>() }
    const second = makeAnew(state, orphans, { ...context, drawWriter: drawing(writerOf('carol')) })
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
  const chunk = makeAnew(read, { from, keys: null, refused: null }, remakeContext())
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
    remakeContext(),
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
