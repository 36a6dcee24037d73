// Proof that the simulator sees: some of the planted bugs. `npm run sim -- --plants` runs all.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { plantNamed, plants, ruleOf } from './plants/all.ts'
import { createPlaces } from './plants/places.ts'
import { editsOf } from './plants/plant.ts'
import { catchPlant } from './plants/run.ts'
import { unseen } from './plants/unseen.ts'

const spec = readFileSync(join(import.meta.dirname, '../../packages/core/SPEC.md'), 'utf8')

test.each(['join counter', 'A1', 'T1 own'])(
  'a product that breaks %s is caught, and one that does not is not',
  async name => {
    expect((await catchPlant(plantNamed(name)))?.finding).toMatch(/./)
  },
  60_000,
)

test('every plant fits exactly one place of the source', () => {
  const placesOf = createPlaces()
  const misfits = plants.filter(plant => editsOf(plant).some(({ find }) => placesOf(find).length !== 1))
  expect(misfits.map(({ name }) => name)).toEqual([])
})

test('every plant has a name of its own', () => {
  expect(new Set(plants.map(({ name }) => name)).size).toBe(plants.length)
})

test('every rule of SPEC.md is planted, or it is said why it cannot be seen', () => {
  const rules = [...spec.matchAll(/^- \*\*([A-Z]\d)\*\*/gm)].map(match => match[1] ?? '')
  const known = new Set([...plants.map(({ name }) => ruleOf(name)), ...unseen.map(({ rule }) => rule)])
  expect(rules.length).toBeGreaterThan(50)
  expect(rules.filter(rule => !known.has(rule))).toEqual([])
})
