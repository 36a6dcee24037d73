// Two tabs of one replica that had not seen each other do not see each other when one pass makes both anew (SPEC W6).
import { failure, rowExists, type Mark, type TextSupport, type Transaction } from '@rejoin/core'
import { text } from '@rejoin/resolve'
import { expect, test } from 'vitest'
import { createTab } from './chunk-history.ts'
import { body, bytesOf, title, type Edit } from './edits.ts'
import { createScene, insert, recolor, sumIn, tagsIn, titlesIn, vote, type Scene } from './remake-scene.ts'

/** Writes of two tabs over what a relay has: of neither has the other one heard. */
function writtenApart(first: readonly Edit[], second: readonly Edit[]) {
  const scene = createScene()
  scene.pulls('carol', insert, 500)
  const tabs = [createTab(scene.state, 'alice'), createTab(scene.state, 'bob')] as const
  const here = first.map(edit => [0, edit] as const)
  const there = second.map(edit => [0, edit] as const)
  return { scene, transactions: [tabs[0].write(here), tabs[1].write(there)] as const }
}

function store({ state }: Scene, transactions: readonly Transaction[]): void {
  state.apply(state.seen + 1, { kind: 'own', transactions })
}

/** A transaction as two: who wrote the second had seen the first, and nothing that came between them. */
function split({ id, writes, seen, ...rest }: Transaction): readonly [Transaction, Transaction] {
  return [
    { ...rest, id, writes: writes.slice(0, 1), seen: seen.slice(0, 1) },
    { ...rest, id: `${id}1` as typeof id, writes: writes.slice(1), seen: seen.slice(1) },
  ]
}

test('[W6] a deletion of one tab does not hide what the other one wrote between its writes', () => {
  const { scene, transactions } = writtenApart(
    [{ kind: 'add', element: 'mine' }],
    [
      { kind: 'add', element: 'theirs' },
      { kind: 'delete', policy: 'edit-wins' },
    ],
  )
  const [added, deleted] = split(transactions[1])
  store(scene, [transactions[0], added, deleted])
  expect(rowExists(scene.row())).toBe(true)
  scene.remakes()
  expect(rowExists(scene.row())).toBe(true)
  expect(tagsIn(scene.row())).toContain('mine')
})

test('[W6] a deletion goes on hiding what its own tab wrote before it', () => {
  const { scene, transactions } = writtenApart(
    [],
    [
      { kind: 'add', element: 'theirs' },
      { kind: 'delete', policy: 'edit-wins' },
    ],
  )
  store(scene, split(transactions[1]))
  scene.remakes()
  expect(rowExists(scene.row())).toBe(false)
})

test('[W6] what one tab changed is not built on what is refused, though another tab deleted the document before it', () => {
  for (const isTaken of [true, false]) {
    const scene = createScene()
    if (isTaken) scene.pulls('carol', insert, 500)
    else scene.edits(insert)
    const recolored = createTab(scene.state, 'bob').write([[0, recolor]])
    scene.edits({ kind: 'delete', policy: 'edit-wins' })
    store(scene, [recolored])
    const before = scene.row()
    expect(rowExists(before)).toBe(true)
    expect(scene.remakes().quarantined).toEqual([])
    expect(rowExists(scene.row())).toBe(true)
  }
})

test('[W6] of two values of an ask field that did not see each other both stand, whichever is made anew first', () => {
  for (const isTurned of [false, true]) {
    const { scene, transactions } = writtenApart(
      [{ kind: 'title', value: 'mine' }],
      [{ kind: 'title', value: 'theirs' }],
    )
    store(scene, isTurned ? [transactions[1], transactions[0]] : transactions)
    scene.remakes()
    expect([...titlesIn(scene.row())].sort()).toEqual(['mine', 'theirs'])
  }
})

test('[W6] what two tabs counted counts once each', () => {
  const { scene, transactions } = writtenApart([vote, vote], [vote])
  store(scene, transactions)
  const before = sumIn(scene.row())
  scene.remakes()
  expect(sumIn(scene.row())).toBe(before)
})

test('[W6, T1] a mark that nothing bears any more has one of its own writer in the place of it in each write that names it', () => {
  const scene = createScene()
  scene.pulls('carol', insert, 500)
  const refused = scene.edits({ kind: 'title', value: 'refused' })
  const over: Edit = { kind: 'title', value: 'over it' }
  const apart = (['bob', 'carol'] as const).map(person => createTab(scene.state, person).write([[0, over]]))
  store(scene, apart)
  const error = failure('refused-by-rule', { reason: 'no' })
  const { transactions } = scene.remakes({ refused: { transaction: refused, error } })
  const marks = transactions.map(({ to }): readonly [Mark | undefined, Mark | undefined] => {
    const cell = to.writes[0]?.delta.cells.get(title)
    return [to.writes[0]?.mark, cell?.strategy === 'ask' ? cell.siblings[0]?.base?.mark : undefined]
  })
  expect(marks.length).toBe(2)
  for (const [own, base] of marks) {
    expect(base?.writer).toBe(own?.writer)
    expect(base).not.toEqual(own)
  }
  expect(marks[0]?.[0]?.writer).not.toBe(marks[1]?.[0]?.writer)
})

test('[W6, X9] what two tabs typed is typed again by two Yjs clients', () => {
  const { scene, transactions } = writtenApart([{ kind: 'type' }], [{ kind: 'type' }])
  const typed = transactions.map((transaction, i) => ({
    ...transaction,
    writes: transaction.writes.map(write => ({ ...write, texts: new Map([[body, [bytesOf(`${i}`)]]]) })),
  }))
  store(scene, typed)
  const clients: number[] = []
  const remake: TextSupport['remake'] = (_now, _before, _moves, later, clientOf) => {
    clients.push(...later.map(clientOf))
    return later
  }
  scene.remakes({}, { support: () => ({ ...text().text, remake }) })
  expect(new Set(clients).size).toBe(2)
})
