import { expect, test, vi } from 'vitest'
import { exchange, openReplica, type Replica } from './notes-surface.ts'
import { codeOf } from './replica-core-double.ts'

/** Both have the note; then each renames it without knowing of the other. */
function disagree(): { readonly alice: Replica; readonly bob: Replica; readonly id: string } {
  const [alice, bob] = [openReplica(), openReplica()]
  const { id } = alice.collections.notes.insert({ title: 'Base' })
  exchange(alice, bob)
  alice.core.pass(1000)
  bob.core.pass(2000)
  alice.collections.notes.update(id, { title: 'Hers' })
  bob.collections.notes.update(id, { title: 'His' })
  exchange(alice, bob)
  return { alice, bob, id }
}

type OpenConflict = ReturnType<Replica['conflicts']['get']>[number]

function onlyConflict({ conflicts }: Replica): OpenConflict {
  const [conflict] = conflicts.get()
  if (conflict === undefined) throw new Error('there is no conflict')
  return conflict
}

test('[K3] a conflict says base, sides, who, which device and when, alike on both replicas but for whose it is', () => {
  const { alice, bob, id } = disagree()
  const aliceWriter = alice.core.writer
  if (aliceWriter === null) throw new Error('alice wrote')
  for (const { core } of [alice, bob]) {
    core.learn([{ writer: aliceWriter, user: 'alice', device: 'phone', highest: core.nextMark(null) }])
    core.tick()
  }
  expect(bob.conflicts.get()).toMatchObject([
    {
      kind: 'field',
      collection: 'notes',
      id,
      field: 'title',
      base: { value: 'Base' },
      sides: [
        { value: 'Hers', who: 'alice', device: 'phone', mine: false },
        { value: 'His', who: null, mine: true },
      ],
      provisional: 'His',
      settledBy: 'person',
    },
  ])
  expect(alice.conflicts.get()).toMatchObject([
    { sides: [{ mine: true }, { mine: false }], provisional: 'His' },
  ])
  const [side] = onlyConflict(alice).sides
  expect(side?.when).toBe(1_764_000_001_000)
})

test('[K2] everybody reads the same provisional winner while a conflict is open', () => {
  const { alice, bob, id } = disagree()
  expect(alice.collections.notes.get(id)?.title).toBe('His')
  expect(bob.collections.notes.get(id)?.title).toBe('His')
})

test('[K3] a conflict appears once, stays the same object, and goes everywhere when it is settled', () => {
  const { alice, bob } = disagree()
  const told = vi.fn<(count: number) => void>()
  const stop = bob.conflicts.subscribe(list => told(list.length))
  const before = bob.conflicts.get()
  exchange(alice, bob)
  expect(bob.conflicts.get()).toBe(before)
  const handle = alice.conflicts.resolve(onlyConflict(alice), { pick: 0 })
  expect(handle.outcome).toBe('settled')
  expect(alice.conflicts.get()).toEqual([])
  exchange(alice, bob)
  expect(bob.conflicts.get()).toEqual([])
  expect(told.mock.calls).toEqual([[1], [0]])
  expect(bob.collections.notes.query().get()).toMatchObject([{ title: 'Hers' }])
  stop()
})

test('[K1] a decision replaces what its maker was shown; a side that came since stays beside it', () => {
  const { alice, bob } = disagree()
  const carol = openReplica()
  carol.core.pullFrom(alice.core)
  const shown = onlyConflict(bob)
  carol.core.pass(9000)
  carol.collections.notes.update(shown.id, { title: 'Carols' })
  bob.core.pullFrom(carol.core)
  bob.core.tick()
  expect(bob.conflicts.resolve(shown, { value: 'Ours' }).outcome).toBe('settled')
  expect(onlyConflict(bob).sides.map(({ value }) => value)).toEqual(['Carols', 'Ours'])
})

/** What a view makes of a conflict, or a state container: alike, and not the same object. */
function copyOf(conflict: OpenConflict): OpenConflict {
  return structuredClone(conflict) as OpenConflict
}

test('[K1] nobody can turn the sides of a conflict around, by whose places it is decided', () => {
  const { alice } = disagree()
  const sides = onlyConflict(alice).sides as unknown as unknown[]
  expect(() => sides.reverse()).toThrow(TypeError)
  expect(onlyConflict(alice).sides.map(({ value }) => value)).toEqual(['Hers', 'His'])
})

test('[K1] a copy of a conflict decides between the sides that it shows, and by their places in it', () => {
  const [alice, bob, carol] = [openReplica(), openReplica(), openReplica()]
  const { id } = alice.collections.notes.insert({ title: 'Base' })
  exchange(alice, bob)
  carol.core.pullFrom(alice.core)
  carol.core.tick()
  for (const [i, { core, collections }] of [alice, carol, bob].entries()) {
    core.pass(1000 * (i + 1))
    collections.notes.update(id, { title: ['Hers', 'Carols', 'His'][i] ?? '' })
  }
  exchange(alice, bob)
  const shown = copyOf(onlyConflict(alice))
  expect(shown.sides.map(({ value }) => value)).toEqual(['Hers', 'His'])
  alice.core.pullFrom(carol.core)
  alice.core.tick()
  expect(alice.conflicts.resolve(shown, { pick: 1 }).outcome).toBe('settled')
  expect(onlyConflict(alice).sides.map(({ value }) => value)).toEqual(['Carols', 'His'])
  // Nothing came since: it is as good as the conflict itself.
  alice.conflicts.resolve(copyOf(onlyConflict(alice)), { pick: 0 })
  expect(alice.conflicts.get()).toEqual([])
  expect(alice.collections.notes.get(id)?.title).toBe('Carols')
  expect(alice.conflicts.resolve(shown, { pick: 1 }).outcome).toBe('already-settled')
})

test('[K1] a copy of a disputed deletion deletes no edit that it does not show', () => {
  const [alice, bob] = [openReplica('ask'), openReplica('ask')]
  const { id } = alice.collections.notes.insert({ title: 'a' })
  exchange(alice, bob)
  alice.collections.notes.delete(id)
  bob.core.pass(5)
  bob.collections.notes.update(id, { color: 'red' })
  exchange(alice, bob)
  const shown = copyOf(onlyConflict(alice))
  bob.core.pass(5)
  bob.collections.notes.update(id, { color: 'blue' })
  exchange(alice, bob)
  expect(codeOf(() => alice.conflicts.resolve(shown, { pick: 0 }))).toBe('value-unsupported')
  expect(alice.conflicts.resolve(copyOf(onlyConflict(alice)), { pick: 0 }).outcome).toBe('settled')
  expect(alice.collections.notes.get(id)).toBeUndefined()
})

test('settling a conflict that is settled writes nothing and says so', async () => {
  const { alice, bob } = disagree()
  const shown = onlyConflict(alice)
  bob.conflicts.resolve(onlyConflict(bob), { value: 'Both' })
  exchange(alice, bob)
  const count = alice.core.transactions.length
  const handle = alice.conflicts.resolve(shown, { pick: 1 })
  expect(handle.outcome).toBe('already-settled')
  await handle.reached('quorum')
  expect(alice.core.transactions).toHaveLength(count)
  expect(alice.collections.notes.get(shown.id)?.title).toBe('Both')
})

test('[K4] two people who settle one conflict at once make no new one', () => {
  const { alice, bob } = disagree()
  alice.conflicts.resolve(onlyConflict(alice), { pick: 0 })
  bob.conflicts.resolve(onlyConflict(bob), { pick: 1 })
  exchange(alice, bob)
  expect(alice.conflicts.get()).toEqual([])
  expect(bob.conflicts.get()).toEqual([])
  expect(alice.collections.notes.query().get()).toEqual(bob.collections.notes.query().get())
})

test('a side or a value that there is not is refused, and the conflict stays', () => {
  const { alice } = disagree()
  const conflict = onlyConflict(alice)
  expect(codeOf(() => alice.conflicts.resolve(conflict, { pick: 7 }))).toBe('value-unsupported')
  expect(codeOf(() => alice.conflicts.resolve(conflict, { value: 5 } as never))).toBe('value-unsupported')
  expect(alice.conflicts.get()).toHaveLength(1)
})

test('one device that edits alone, however often, never has a conflict', () => {
  const [alice, bob] = [openReplica(), openReplica()]
  const { id } = alice.collections.notes.insert({ title: '0' })
  exchange(alice, bob)
  const seen: number[] = []
  const stop = bob.collections.notes.query().subscribe(rows => seen.push(Number(rows[0]?.title)))
  for (let i = 1; i <= 300; i++) {
    alice.core.pass(1)
    alice.collections.notes.update(id, { title: String(i) })
    if (i % 50 === 0) alice.core.renewWriter()
    if (i % 7 === 0) exchange(alice, bob)
    expect(alice.conflicts.get()).toEqual([])
    expect(bob.conflicts.get()).toEqual([])
  }
  exchange(alice, bob)
  expect(seen.at(-1)).toBe(300)
  expect([...seen].sort((a, b) => a - b)).toEqual(seen)
  stop()
})

test('a document that was deleted and edited at once is a conflict if its collection asks', () => {
  const [alice, bob] = [openReplica('ask'), openReplica('ask')]
  const { id } = alice.collections.notes.insert({ title: 'a' })
  exchange(alice, bob)
  alice.collections.notes.delete(id)
  bob.core.pass(5)
  bob.collections.notes.update(id, { color: 'red' })
  exchange(alice, bob)
  expect(alice.collections.notes.get(id)?.color).toBe('red')
  expect(onlyConflict(bob)).toMatchObject({
    kind: 'deletion',
    field: null,
    sides: [
      { value: 'delete', mine: false },
      { value: 'keep', mine: true },
    ],
    provisional: 'keep',
  })
})

test.each([
  ['delete', 0, undefined],
  ['keep', 1, 'red'],
] as const)('a disputed deletion can be settled by %s', (_, pick, color) => {
  const [alice, bob] = [openReplica('ask'), openReplica('ask')]
  const { id } = alice.collections.notes.insert({ title: 'a' })
  exchange(alice, bob)
  alice.collections.notes.delete(id)
  bob.collections.notes.update(id, { color: 'red' })
  exchange(alice, bob)
  const conflict = onlyConflict(alice)
  expect(alice.conflicts.resolve(conflict, { pick }).outcome).toBe('settled')
  exchange(alice, bob)
  for (const replica of [alice, bob]) {
    expect(replica.conflicts.get()).toEqual([])
    expect(replica.collections.notes.get(id)?.color).toBe(color)
  }
  expect(alice.conflicts.resolve(conflict, { pick: 0 }).outcome).toBe('already-settled')
})

test('conflicts stand in the order in which they began', () => {
  const [alice, bob] = [openReplica(), openReplica()]
  const ids = ['b', 'a', 'c']
  for (const id of ids) alice.collections.notes.insert({ title: 'x' }, { id })
  exchange(alice, bob)
  for (const id of ids) {
    for (const replica of [alice, bob]) {
      replica.core.pass(10)
      replica.collections.notes.update(id, { title: replica === alice ? 'hers' : 'his' })
    }
  }
  exchange(alice, bob)
  expect(alice.conflicts.get().map(({ id }) => id)).toEqual(ids)
  expect(bob.conflicts.get().map(({ id }) => id)).toEqual(ids)
})
