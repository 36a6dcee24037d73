// Sets of keys that are not made: they answer as those that are.
import {
  createRowMap,
  documentKey,
  emptyRow,
  GatheredKeys,
  keysOfRows,
  unionOfKeys,
  type DocumentKey,
} from '@rejoin/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'

const all = Array.from({ length: 12 }, (_, i) => documentKey('notes', `n${i}`))
const some: fc.Arbitrary<DocumentKey[]> = fc.subarray(all)

test('all keys of a map, with others or without, are what a set of them would be', () => {
  fc.assert(
    fc.property(some, some, some, (held, more, most) => {
      const rows = createRowMap()
      for (const key of held) rows.set(key, emptyRow)
      const keys = unionOfKeys(keysOfRows(rows), [new Set(more), new Set(most)])
      const made = new Set([...held, ...more, ...most])
      const told: DocumentKey[] = []
      keys.forEach(key => told.push(key))
      expect(new Set(keys)).toEqual(made)
      expect([...keys, ...told].length).toBe(2 * made.size)
      expect(keys.size).toBe(made.size)
      expect(new Set(keys.values())).toEqual(made)
      expect(new Set([...keys.entries()].map(([key]) => key))).toEqual(made)
      for (const key of all) expect(keys.has(key)).toBe(made.has(key))
    }),
  )
})

test('keys that are gathered, some twice, before somebody looks and after it, are what a set of them would be', () => {
  fc.assert(
    fc.property(some, some, some, (first, twice, later) => {
      const keys = new GatheredKeys()
      for (const key of [...first, ...twice]) keys.add(key)
      expect([...keys]).toEqual([...new Set([...first, ...twice])])
      for (const key of later) keys.add(key)
      const made = new Set([...first, ...twice, ...later])
      const told: DocumentKey[] = []
      keys.forEach(key => told.push(key))
      for (const list of [told, [...keys], [...keys.keys()], [...keys.values()]])
        expect(list).toEqual([...made])
      expect([...keys.entries()]).toEqual([...made.entries()])
      expect(keys.size).toBe(made.size)
      for (const key of all) expect(keys.has(key)).toBe(made.has(key))
    }),
  )
})
