// Random histories of three replicas against an oracle that knows only the log: who wrote what, having seen which
// writes. Deltas arrive in each writer's order; whole cells arrive whenever they like.
import { compareMarks, joinCells, type Cell, type Field, type Mark } from '@rejoin/core'
import { ask, counter, lww, set } from '@rejoin/resolve'
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { mark, type Person } from './marks.ts'
import { createRandom, pick, type Random } from './yjs-history.ts'

const people: readonly Person[] = ['alice', 'bob', 'carol']

interface Write<Operation> {
  readonly mark: Mark
  readonly operation: Operation
  readonly delta: Cell
  readonly seen: ReadonlySet<Write<Operation>>
}

interface Replica<Operation> {
  cell: Cell | undefined
  known: ReadonlySet<Write<Operation>>
}

interface Subject<Read, Operation> {
  readonly choose: (random: Random) => Operation
  /** The cell that the operation writes, or null if it writes none. */
  readonly write: (operation: Operation, write: { mark: Mark; seen: Cell | undefined }) => Cell | null
  readonly read: (cell: Cell | undefined) => Read
  readonly expected: (known: readonly Write<Operation>[]) => Read
}

/** Runs histories and compares every replica with the oracle after every step, and all at the end. */
function checkHistories<Read, Operation>({ choose, write, read, expected }: Subject<Read, Operation>): void {
  for (let seed = 1; seed <= 250; seed++) {
    const random = createRandom(seed)
    const log: { person: Person; write: Write<Operation> }[] = []
    const replicas = new Map<Person, Replica<Operation>>(
      people.map(person => [person, { cell: undefined, known: new Set() }]),
    )
    const replicaOf = (person: Person): Replica<Operation> => replicas.get(person) as Replica<Operation>
    const learn = (to: Replica<Operation>, cell: Cell, known: Iterable<Write<Operation>>): void => {
      to.cell = to.cell === undefined ? cell : joinCells(to.cell, cell)
      to.known = new Set([...to.known, ...known])
    }
    const takeState = (to: Replica<Operation>, from: Replica<Operation>): void => {
      if (from.cell !== undefined) learn(to, from.cell, from.known)
    }
    for (let step = 0; step < 40; step++) {
      const person = pick(random, people)
      const replica = replicaOf(person)
      const kind = random()
      if (kind < 0.5) {
        const seenMs = Math.max(0, ...[...replica.known].map(known => known.mark.ms))
        const at = mark(person, seenMs + 1 + Math.floor(random() * 3))
        const operation = choose(random)
        const delta = write(operation, { mark: at, seen: replica.cell })
        if (delta === null) continue
        const made = { mark: at, operation, delta, seen: replica.known }
        log.push({ person, write: made })
        learn(replica, delta, [made])
      } else if (kind < 0.75) {
        const author = pick(random, people)
        const next = log.find(entry => entry.person === author && !replica.known.has(entry.write))
        if (next !== undefined) learn(replica, next.write.delta, [next.write])
      } else takeState(replica, replicaOf(pick(random, people)))
      expect(read(replica.cell), `seed ${seed}, step ${step}`).toEqual(expected([...replica.known]))
    }
    for (const from of people) for (const to of people) takeState(replicaOf(to), replicaOf(from))
    takeState(replicaOf('alice'), replicaOf('carol'))
    takeState(replicaOf('bob'), replicaOf('carol'))
    const all = expected(log.map(entry => entry.write))
    for (const person of people) expect(read(replicaOf(person).cell), `seed ${seed}`).toEqual(all)
  }
}

function latest<Operation>(writes: readonly Write<Operation>[]): Write<Operation> | undefined {
  return [...writes].sort((a, b) => compareMarks(a.mark, b.mark)).at(-1)
}

type Insert = { readonly kind: 'insert'; readonly value: string }
type Update = { readonly kind: 'update'; readonly value: string }

function chooseValue(random: Random): Insert | Update {
  return { kind: random() < 0.2 ? 'insert' : 'update', value: pick(random, ['a', 'b', 'c', 'd']) }
}

function writeValue(field: Field<string, string, string>): Subject<unknown, Insert | Update>['write'] {
  return ({ kind, value }, write) =>
    kind === 'insert' ? field.insert(value, write) : field.update(value, write)
}

test('[Data] of lww the greatest known write stands', () => {
  const field = lww(v.string())
  checkHistories<string | undefined, Insert | Update>({
    choose: chooseValue,
    write: writeValue(field),
    read: field.read,
    expected: known => latest(known)?.operation.value,
  })
})

test('[K1] of ask those writes stand that no known write had seen', () => {
  const field = ask(v.string())
  checkHistories<readonly string[], Insert | Update>({
    choose: chooseValue,
    write: writeValue(field),
    read(cell) {
      const sides = field.conflict?.(cell)?.sides.map(side => side.value)
      return (sides ?? (cell === undefined ? [] : [field.read(cell)])).toSorted()
    },
    expected(known) {
      const standing = known.filter(write => !known.some(other => other.seen.has(write)))
      return [...new Set(standing.map(write => write.operation.value))].sort()
    },
  })
})

type SetOperation =
  | { readonly kind: 'insert'; readonly elements: readonly string[] }
  | { readonly kind: 'patch'; readonly add: readonly string[]; readonly remove: readonly string[] }

test('[Data] of a set an element stands if its greatest add is greater than any that a remover saw', () => {
  const field = set(v.string())
  const elements = ['a', 'b', 'c']
  const some = (random: Random): readonly string[] => elements.filter(() => random() < 0.4)
  const greatest = (writes: readonly Write<SetOperation>[], element: string): Mark | undefined =>
    latest(
      writes.filter(({ operation }) =>
        (operation.kind === 'insert' ? operation.elements : operation.add).includes(element),
      ),
    )?.mark
  checkHistories<readonly string[], SetOperation>({
    choose: random =>
      random() < 0.15
        ? { kind: 'insert', elements: some(random) }
        : { kind: 'patch', add: some(random), remove: some(random) },
    write: (operation, write) =>
      operation.kind === 'insert'
        ? field.insert(operation.elements, write)
        : field.update({ add: operation.add, remove: operation.remove }, write),
    read: field.read,
    expected: known =>
      elements.filter(element => {
        const added = greatest(known, element)
        if (added === undefined) return false
        return known.every(({ operation, seen }) => {
          const isRemover = operation.kind === 'insert' || operation.remove.includes(element)
          const removed = isRemover ? greatest([...seen], element) : undefined
          return removed === undefined || compareMarks(added, removed) > 0
        })
      }),
  })
})

test('[Data] a counter is the sum of all known increments', () => {
  const field = counter()
  checkHistories<number, { readonly kind: 'insert' | 'update'; readonly increment: number }>({
    choose: random => ({
      kind: random() < 0.1 ? 'insert' : 'update',
      increment: Math.floor(random() * 9) - 3,
    }),
    write: ({ kind, increment }, write) =>
      kind === 'insert' ? field.insert(increment, write) : field.update({ increment }, write),
    read: field.read,
    expected: known => known.reduce((sum, { operation }) => sum + operation.increment, 0),
  })
})
