// Frontier and reach: positions that stand for everything before them, also in what a store forked from. The oracle
// is the set of (generation, position) events that a position implies, written out.
import {
  addPosition,
  coversPosition,
  coversPositions,
  heldPosition,
  impliedPosition,
  joinPositions,
  learnGenerations,
  limits,
  lineageOf,
  noPositions,
} from '@rejoin/core'
import type { Generation, GenerationId, Positions, StoreId } from '@rejoin/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'

type Table = ReadonlyMap<GenerationId, Generation>

const id = (name: string): GenerationId => name as GenerationId

function tableOf(...facts: readonly (readonly [string, string | null, number])[]): Table {
  return new Map(
    facts.map(([name, parent, start]) => [
      id(name),
      { id: id(name), store: 'store' as StoreId, parent: parent === null ? null : id(parent), start },
    ]),
  )
}

/** Two stores; the first has forked twice, and one fork was opened again. */
const table = tableOf(
  ['a', null, 0],
  ['a1', 'a', 4],
  ['a2', 'a', 2],
  ['a11', 'a1', 6],
  ['a12', 'a1', 3],
  ['b', null, 0],
  ['b1', 'b', 5],
)
const names = [...table.keys()]
const lastPosition = 8

/** Every event that a position implies: its feed's up to it, and its parent's up to where that feed began. */
function eventsOf(generation: GenerationId, position: number): Set<string> {
  const events = new Set<string>()
  for (let at = 1; at <= position; at++) events.add(`${generation} ${at}`)
  const fact = table.get(generation)
  if (fact === undefined || fact.parent === null) return events
  for (const event of eventsOf(fact.parent, Math.min(position, fact.start))) events.add(event)
  return events
}

function eventsOfAll(positions: Positions): Set<string> {
  return new Set([...positions].flatMap(([generation, position]) => [...eventsOf(generation, position)]))
}

const place = fc.tuple(fc.constantFrom(...names), fc.integer({ min: 0, max: lastPosition }))
const positions: fc.Arbitrary<Positions> = fc
  .array(place, { maxLength: 5 })
  .map(places => places.reduce((held, [of, at]) => addPosition(table, held, of, at), noPositions))

const sorted = (held: Positions): unknown => [...held].sort()

test('[S2] a position implies those of its lineage up to where each began', () => {
  for (const generation of names) {
    for (let position = 0; position <= lastPosition; position++) {
      const events = eventsOf(generation, position)
      for (const ancestor of names) {
        const implied = [...events].filter(event => event.startsWith(`${ancestor} `)).length
        expect(Math.max(0, impliedPosition(table, generation, position, ancestor))).toBe(implied)
      }
    }
  }
})

test('[S2] a position implies nothing of a branch that was lost', () => {
  expect(impliedPosition(table, id('a2'), 8, id('a1'))).toBe(-1)
  expect(coversPosition(table, new Map([[id('a11'), 8]]), id('a'), 4)).toBe(true)
  expect(coversPosition(table, new Map([[id('a11'), 8]]), id('a'), 5)).toBe(false)
})

test('[P3] a frontier covers a place exactly when it implies every event up to it', () => {
  fc.assert(
    fc.property(positions, place, (frontier, [generation, position]) => {
      const held = eventsOfAll(frontier)
      const covered = [...eventsOf(generation, position)].every(event => held.has(event))
      expect(coversPosition(table, frontier, generation, position)).toBe(covered)
    }),
    { numRuns: 500 },
  )
})

test('[S3] a frontier covers a reach exactly when it implies every event of it', () => {
  fc.assert(
    fc.property(positions, positions, (frontier, reach) => {
      const held = eventsOfAll(frontier)
      const covered = [...eventsOfAll(reach)].every(event => held.has(event))
      expect(coversPositions(table, frontier, reach)).toBe(covered)
    }),
    { numRuns: 500 },
  )
})

/** The generation whose opening made what stands at a position of a feed. */
function madeBy(generation: GenerationId, position: number): GenerationId {
  const fact = table.get(generation)
  const parent = fact?.parent ?? null
  return fact !== undefined && parent !== null && position <= fact.start
    ? madeBy(parent, position)
    : generation
}

test('[A3, S4] a frontier holds of a feed what was made before it left its lineage', () => {
  fc.assert(
    fc.property(positions, place, (frontier, [generation, position]) => {
      const held = new Set<string>()
      for (const [of, at] of frontier) for (let i = 1; i <= at; i++) held.add(`${madeBy(of, i)} ${i}`)
      let most = 0
      while (most < position && held.has(`${madeBy(generation, most + 1)} ${most + 1}`)) most++
      expect(heldPosition(table, frontier, generation, position)).toBe(most)
    }),
    { numRuns: 1000 },
  )
})

test('[Data] adding a position drops what it implies, and keeps the same object when it was covered', () => {
  fc.assert(
    fc.property(positions, place, (held, [generation, position]) => {
      const added = addPosition(table, held, generation, position)
      const events = new Set([...eventsOfAll(held), ...eventsOf(generation, position)])
      expect([...eventsOfAll(added)].sort()).toEqual([...events].sort())
      expect(added === held).toBe(coversPosition(table, held, generation, position))
      for (const [of, at] of added) {
        const others = new Map([...added].filter(([other]) => other !== of))
        expect(coversPosition(table, others, of, at)).toBe(false)
      }
    }),
    { numRuns: 500 },
  )
})

test('[Data] frontiers join alike in any order, grouping and number', () => {
  const join = (a: Positions, b: Positions): Positions => joinPositions(table, a, b)
  fc.assert(
    fc.property(positions, positions, positions, (a, b, c) => {
      expect(sorted(join(a, b))).toEqual(sorted(join(b, a)))
      expect(sorted(join(join(a, b), c))).toEqual(sorted(join(a, join(b, c))))
      expect(join(a, a)).toBe(a)
      expect(join(join(a, b), b)).toEqual(join(a, b))
    }),
    { numRuns: 500 },
  )
})

test('[S2] what is not known is not covered', () => {
  const stranger = id('stranger')
  expect(coversPosition(table, new Map([[id('a'), 8]]), stranger, 1)).toBe(false)
  expect(coversPosition(table, new Map([[stranger, 8]]), id('a'), 1)).toBe(false)
  expect(coversPosition(table, new Map([[stranger, 8]]), stranger, 8)).toBe(true)
  expect(sorted(addPosition(table, new Map([[id('a'), 8]]), stranger, 3))).toEqual([
    ['a', 8],
    ['stranger', 3],
  ])
})

test('[S1] a lineage is told newest first', () => {
  expect(lineageOf(table, id('a11')).map(fact => fact.id)).toEqual(['a11', 'a1', 'a'])
  expect(lineageOf(table, id('stranger'))).toEqual([])
})

test('[Data] a fact that contradicts a known one is not believed, nor one that closes a circle', () => {
  const known = new Map(tableOf(['a', null, 0], ['a1', 'a', 4]))
  const told = [
    ...tableOf(['a', 'a1', 0]).values(),
    ...tableOf(['a1', 'a', 9], ['b', 'c', 1], ['c', 'c', 0]).values(),
    ...tableOf(['c', 'b', 1], ['d', 'a1', 5]).values(),
  ]
  expect(learnGenerations(known, told).map(fact => fact.id)).toEqual(['b', 'd'])
  expect(lineageOf(known, id('d')).map(fact => fact.start)).toEqual([5, 4, 0])
  expect(lineageOf(known, id('b')).map(fact => fact.id)).toEqual(['b'])
})

test('[Data] a walk ends whatever a table says', () => {
  const circle = tableOf(['a', 'b', 0], ['b', 'a', 0])
  expect(lineageOf(circle, id('a')).length).toBe(limits.lineageMax)
  expect(impliedPosition(circle, id('a'), 7, id('c'))).toBe(-1)
})
