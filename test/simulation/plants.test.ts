// Proof that the simulator sees: three of the planted bugs, each in a process of its own. `npm run sim -- --plants` runs all.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { elusive, plants, unseen } from './plants.ts'
import { runPlant } from './run-plants.ts'

const packages = join(import.meta.dirname, '../../packages')

test.each(['join counter', 'W1', 'K2'])(
  'a product that breaks %s is caught',
  async name => {
    const plant = plants.find(one => one.name === name)
    if (plant === undefined) throw new Error(`there is no plant ${name}`)
    expect((await runPlant(plant, 5, 80)).caught).toMatch(/^seed \d+ in /)
  },
  60_000,
)

test('every plant fits exactly one place of the source', () => {
  const sources = readdirSync(packages, { recursive: true, encoding: 'utf8' })
    .map(path => path.replaceAll('\\', '/'))
    .filter(path => /^[a-z]+\/src\/.*\.ts$/.test(path))
    .map(path => readFileSync(join(packages, path), 'utf8'))
  const places = (find: string): number => sources.reduce((sum, text) => sum + text.split(find).length - 1, 0)
  const misfits = [...plants, ...elusive].filter(({ find }) => places(find) !== 1)
  expect(misfits.map(({ name }) => name)).toEqual([])
})

test('every rule of SPEC.md is planted, or it is said why it cannot be seen', () => {
  const spec = readFileSync(join(packages, 'core/SPEC.md'), 'utf8')
  const rules = [...spec.matchAll(/^- \*\*([A-Z]\d)\*\*/gm)].map(match => match[1] ?? '')
  const known = [...[...plants, ...elusive].map(({ name }) => name), ...unseen.map(({ rule }) => rule)]
  const missing = rules.filter(rule => !known.some(name => name === rule || name.startsWith(`${rule} `)))
  expect(rules.length).toBeGreaterThan(50)
  expect(missing).toEqual([])
})
