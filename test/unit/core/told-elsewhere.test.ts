// What other relays told, and who may lack it (SPEC S3).
import { createGrapevine, documentKey, emptyRow, type GenerationId } from '@rejoin/core'
import { expect, test } from 'vitest'
import { deltaOf, markOf } from './edits.ts'

const [a, b] = [documentKey('notes', 'a'), documentKey('notes', 'b')]
const recolored = { key: a, delta: deltaOf({ kind: 'color', value: 'red' }, undefined, markOf('bob', 500)) }
const told = (at: number, position: number) => ({ at, generation: 'g' as GenerationId, position })
const upTo =
  (position: number) =>
  (one: { readonly position: number }): boolean =>
    one.position <= position

test('[S3] a relay may lack what another one told of a document, for whoever had heard of it', () => {
  const begin = createGrapevine()
  const [mine, other] = [begin(), begin()]
  other.tell({ rows: [recolored], told: told(5, 70) })
  expect([mine.lacks(a, 4, upTo(0)), mine.lacks(a, 5, upTo(0)), mine.lacks(b, 5, upTo(0))]).toEqual([
    false,
    true,
    false,
  ])
  // What a relay told itself it has; and what it says that it holds it has from then on.
  expect(other.lacks(a, 5, upTo(0))).toBe(false)
  expect(mine.lacks(a, 5, upTo(70))).toBe(false)
  expect(mine.lacks(a, 5, upTo(0))).toBe(false)
})

test('[S3] what the relay tells too it does not lack, be it in several steps', () => {
  const begin = createGrapevine()
  const [mine, other] = [begin(), begin()]
  const inserted = deltaOf({ kind: 'insert', value: 'red', element: 'x' }, undefined, markOf('bob', 500))
  other.tell({ rows: [{ key: a, delta: inserted }], told: told(5, 70) })
  const [first, ...others] = inserted.cells
  mine.holds(a, { ...inserted, cells: new Map(first === undefined ? [] : [first]) })
  expect([mine.lacks(a, 5, upTo(0)), mine.isEmpty]).toEqual([true, false])
  mine.holds(a, { ...emptyRow, cells: new Map(others) })
  expect([mine.lacks(a, 5, upTo(0)), mine.isEmpty]).toEqual([false, true])
})

test('[S3] who goes on writing does not wait for what is told while others go on too', () => {
  const begin = createGrapevine()
  const [mine, other] = [begin(), begin()]
  for (let i = 1; i <= 10; i++) other.tell({ rows: [recolored], told: told(i, i) })
  expect(mine.lacks(a, 4, upTo(4))).toBe(false)
  expect(mine.lacks(a, 5, upTo(4))).toBe(true)
  mine.given([a])
  expect(mine.lacks(a, 10, upTo(4))).toBe(false)
})

test('[S3] of what is told again and again little is kept, and nothing of it is taken for held too early', () => {
  const begin = createGrapevine()
  const [mine, other] = [begin(), begin()]
  for (let i = 1; i <= 1000; i++) other.tell({ rows: [recolored], told: told(i, i) })
  let asked = 0
  mine.settle(() => {
    asked += 1
    return false
  })
  expect(asked).toBeLessThan(50)
  expect(mine.lacks(a, 500, upTo(499))).toBe(true)
  expect(mine.lacks(a, 1000, upTo(1000))).toBe(false)
})
