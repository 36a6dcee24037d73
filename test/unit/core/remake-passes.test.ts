// What is made anew of what its tab wrote before it heard of an earlier pass, and what then stands on nothing (SPEC W6).
import { createReplicaState, emptyRow, entriesToRemake, failure, makeAnew, rowExists } from '@rejoin/core'
import type { RemadeChunk, RemakePlan, Row, Transaction } from '@rejoin/core'
import { describe, expect, test } from 'vitest'
import { createTab, generation, relay } from './chunk-history.ts'
import { color, textOf, writerOf, type Edit } from './edits.ts'
import {
  note,
  other,
  insert,
  recolor,
  vote,
  createScene,
  titlesIn,
  tagsIn,
  type Scene,
} from './remake-scene.ts'
import { drawing, fresh } from './remake-context.ts'

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
    const first = makeAnew(state, plan(written[0]), {
      ...context,
      correction: 2000,
      drawWriter: drawing(fresh),
    })
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
    const second = makeAnew(state, orphans, { ...context, drawWriter: drawing(writerOf('carol')) })
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
    alice.remakes({}, { drawWriter: drawing(writerOf('alice', opening)) })
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
    const chunk = alice.remakes({ keys: new Set() }, { drawWriter: drawing(writerOf('carol')) })
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
      expect(quarantinedIn(alice.remakes(orphans, { drawWriter: drawing(writerOf('carol')) }))).toEqual([
        late.id,
      ])
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
