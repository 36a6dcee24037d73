// SPEC.md is the contract of the core: what it names exists, and what tests cite stands in it.
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..', '..', '..')
const text = readFileSync(join(root, 'packages/core/SPEC.md'), 'utf8')
const rules = [...text.matchAll(/^- \*\*([A-Z]\d)\*\*/gm)].map(([, id]) => id ?? '')

test('every rule is stated once, and the rules of a letter are numbered without a gap', () => {
  expect(new Set(rules).size).toBe(rules.length)
  const lengths = { W: 6, L: 4, P: 5, S: 4, R: 3, D: 2, C: 4, A: 4, Q: 4, T: 4, F: 5, X: 9, K: 5, H: 1 }
  const expected = Object.entries(lengths).flatMap(([letter, count]) =>
    Array.from({ length: count }, (_, i) => `${letter}${i + 1}`),
  )
  expect([...rules].sort()).toEqual(expected.sort())
})

test('every module that it names exists', () => {
  const named = [...text.matchAll(/`((?:core|resolve|client|relay)\/[\w./-]+\.ts)`/g)].map(
    ([, path]) => path ?? '',
  )
  const missing = named.filter(path => {
    const [shelf, ...rest] = path.split('/')
    return !existsSync(join(root, 'packages', shelf ?? '', 'src', ...rest))
  })
  expect(named.length).toBeGreaterThan(50)
  expect(missing).toEqual([])
})

test('every rule that a test cites in its name stands in it', () => {
  const known = new Set([...rules, 'Data'])
  const unknown = globSync('test/**/*.test.ts', { cwd: root, exclude: ['**/node_modules/**'] }).flatMap(
    file => {
      const source = readFileSync(join(root, file), 'utf8')
      const cited = [...source.matchAll(/['`]\[((?:[A-Z]\d(?:, )?)+|Data)\] /g)]
      const ids = cited.flatMap(([, list]) => (list ?? '').split(', '))
      return ids.filter(id => !known.has(id)).map(id => `${file}: ${id}`)
    },
  )
  expect(unknown).toEqual([])
})
