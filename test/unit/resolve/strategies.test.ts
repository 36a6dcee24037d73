import { encodeValue, joinCells, type AskCell, type Cell, type Field, type FieldWrite } from '@rejoin/core'
import {
  ask,
  counter,
  hashOfMarks,
  lww,
  merge,
  overruledResolutions,
  set,
  text,
  type StandardSchema,
} from '@rejoin/resolve'
import * as v from 'valibot'
import { expect, expectTypeOf, test } from 'vitest'
import { mark } from './marks.ts'

const first: FieldWrite = { mark: mark('alice', 1), seen: undefined }

function joined(...cells: readonly (Cell | null | undefined)[]): Cell {
  const present = cells.filter(cell => cell !== null && cell !== undefined)
  return present.reduce((all, cell) => joinCells(all, cell))
}

/** A title that alice wrote first and that bob and carol, who both saw hers, changed apart from each other. */
function disputedTitle(field: Field<string, string, string>): Cell {
  const seen = field.insert('draft', first) ?? undefined
  const bobs = field.update('bob’s', { mark: mark('bob', 5), seen })
  const carols = field.update('carol’s', { mark: mark('carol', 4), seen })
  return joined(seen, bobs, carols)
}

function codeOf(code: string, details: object = {}): unknown {
  return expect.objectContaining({ code, details: expect.objectContaining(details) })
}

test('[Q1] types follow the schema: what may be left out, what is read, what patches', () => {
  expectTypeOf(lww(v.string())).toEqualTypeOf<Field<string, string, string>>()
  const color = lww(v.optional(v.string(), 'amber'))
  expectTypeOf(color).toEqualTypeOf<Field<string, string | undefined, string | undefined>>()
  expectTypeOf(ask(v.number()).read).returns.toEqualTypeOf<number>()
  expectTypeOf(set(v.string()).read).returns.toEqualTypeOf<readonly string[]>()
  expectTypeOf(counter().update).parameter(0).toEqualTypeOf<{ readonly increment: number }>()
  expectTypeOf(text().read).returns.toEqualTypeOf<never>()
  expectTypeOf(text().update).parameter(0).toEqualTypeOf<never>()
  expectTypeOf(text().insert).parameter(0).toEqualTypeOf<string | undefined>()
})

test('[Q1] what a schema refuses is not written, and the error says where and why', () => {
  const field = lww(v.object({ size: v.array(v.number()) }))
  expect(() => field.insert({ size: [1, 'x' as unknown as number] }, first)).toThrow(
    codeOf('value-unsupported', { path: 'size.1', reason: expect.stringContaining('number') }),
  )
})

test('[Q1] an asynchronous schema and one that throws are errors of the write, with a reason', () => {
  const field = (validate: StandardSchema['~standard']['validate']) =>
    lww({ '~standard': { version: 1, vendor: 'test', validate } })
  expect(() => field(value => Promise.resolve({ value })).insert(1, first)).toThrow(
    codeOf('value-unsupported', { reason: expect.stringContaining('asynchronous') }),
  )
  const throwing = field(() => {
    throw new Error('broken schema')
  })
  expect(() => throwing.insert(1, first)).toThrow(
    codeOf('value-unsupported', { reason: expect.stringContaining('broken schema') }),
  )
  expect(throwing.read(undefined)).toBeUndefined()
})

test('[F4] a value over 256 KiB is refused', () => {
  expect(() => lww(v.string()).insert('x'.repeat(300_000), first)).toThrow(codeOf('limit-exceeded'))
  expect(() => ask(v.string()).insert('x'.repeat(300_000), first)).toThrow(codeOf('limit-exceeded'))
})

test('[Q1] a value that does not validate is shown as it is, for somebody else wrote it', () => {
  const older = lww(v.number()).insert(7, first) ?? undefined
  expect(lww(v.string()).read(older)).toBe(7)
  const broken: Cell = { strategy: 'lww', last: mark('bob', 1), value: Uint8Array.of(255, 255) }
  expect(lww(v.string()).read(broken)).toBeUndefined()
})

test('[W1] reading one cell twice gives the same object', () => {
  const field = lww(v.object({ x: v.number() }))
  const cell = field.insert({ x: 1 }, first) ?? undefined
  expect(field.read(cell)).toBe(field.read(cell))
  const tags = set(v.string())
  const tagged = tags.insert(['a'], first) ?? undefined
  expect(tags.read(tagged)).toBe(tags.read(tagged))
})

test('[W5] a field that is left out is not written, unless there is something to empty', () => {
  for (const field of [lww(v.optional(v.string())), ask(v.optional(v.string()))]) {
    expect(field.insert(undefined, first)).toBeNull()
    const seen = field.insert('old', first) ?? undefined
    const over = field.insert(undefined, { mark: mark('alice', 2), seen })
    expect(field.read(joined(seen, over))).toBeUndefined()
  }
})

test('[W5] a default is written with the insert, and shown where nothing was written', () => {
  const field = lww(v.optional(v.string(), 'amber'))
  expect(field.read(undefined)).toBe('amber')
  const cell = field.insert(undefined, first)
  expect(cell).toMatchObject({ strategy: 'lww', value: encodeValue('amber') })
})

test('[W1] writing the value that stands writes nothing', () => {
  for (const field of [lww(v.string()), ask(v.string())]) {
    const seen = field.insert('same', first) ?? undefined
    expect(field.update('same', { mark: mark('bob', 2), seen })).toBeNull()
    expect(field.update('other', { mark: mark('bob', 2), seen })).not.toBeNull()
  }
})

test('[Data] a set shows its elements in the order of their bytes, each once', () => {
  const field = set(v.string())
  const cell = field.insert(['b', 'a', 'b'], first) ?? undefined
  expect(field.read(cell)).toEqual(['a', 'b'])
})

test('[Data] removing what is not in a set, and adding nothing, write nothing', () => {
  const field = set(v.string())
  const seen = field.insert(['a'], first) ?? undefined
  const write = { mark: mark('alice', 2), seen }
  expect(field.update({ remove: ['x'] }, write)).toBeNull()
  expect(field.update({}, write)).toBeNull()
  expect(field.update(['a'], write)).toBeNull()
  expect(field.insert(undefined, first)).toBeNull()
})

test('[Data] an array makes a set what it says, and an element that somebody else adds meanwhile stays', () => {
  const field = set(v.string())
  const seen = field.insert(['a', 'b'], first) ?? undefined
  const alices = field.update(['b', 'c'], { mark: mark('alice', 2), seen })
  const bobs = field.update({ add: ['d', 'a'] }, { mark: mark('bob', 2), seen })
  expect(field.read(joined(seen, alices))).toEqual(['b', 'c'])
  expect(field.read(joined(seen, alices, bobs))).toEqual(['a', 'b', 'c', 'd'])
})

test('[Data] of an element added and removed in one patch the add stands', () => {
  const field = set(v.string())
  const seen = field.insert(['a'], first) ?? undefined
  const cell = field.update({ add: ['a'], remove: ['a'] }, { mark: mark('alice', 2), seen })
  expect(field.read(joined(seen, cell))).toEqual(['a'])
})

test('[F4] a set takes 10,000 elements, those that are out included', () => {
  const field = set(v.number())
  const all = Array.from({ length: 10_000 }, (_, i) => i)
  const seen = field.insert(all, first) ?? undefined
  const cleared = joined(seen, field.update([], { mark: mark('alice', 2), seen }))
  const write = { mark: mark('alice', 3), seen: cleared }
  expect(() => field.update({ add: [-1] }, write)).toThrow(codeOf('limit-exceeded', { actual: 10_001 }))
  expect(field.update({ add: [5] }, write)).not.toBeNull()
})

test('[Data] a counter counts by finite numbers only, and not by 0', () => {
  const field = counter()
  for (const increment of [Number.NaN, Infinity, '1' as unknown as number]) {
    expect(() => field.update({ increment }, first)).toThrow(codeOf('value-unsupported'))
  }
  expect(field.update({ increment: 0 }, first)).toBeNull()
  expect(field.read(undefined)).toBe(0)
})

test('[W5] an insert over a counter goes on counting', () => {
  const field = counter()
  const seen = field.insert(5, first) ?? undefined
  const over = field.insert(2, { mark: mark('alice', 2), seen })
  expect(field.read(joined(seen, over))).toBe(7)
})

test('[Data] fractions add up to the same sum in whatever order they arrived', () => {
  const field = counter()
  const cells = [0.1, 0.2, 0.3].map((increment, i) =>
    field.update(
      { increment },
      { mark: mark((['carol', 'alice', 'bob'] as const)[i] ?? 'alice', 1), seen: undefined },
    ),
  )
  expect(field.read(joined(...cells))).toBe(field.read(joined(...cells.toReversed())))
})

test('[Data] fields may be declared passive', () => {
  expect(lww(v.string()).passive).toBe(false)
  expect([
    lww(v.string(), { passive: true }),
    set(v.string(), { passive: true }),
    counter({ passive: true }),
  ]).toEqual(expect.arrayContaining([expect.objectContaining({ passive: true })]))
})

test('[K1] a write keeps the greatest sibling that it replaces as its base', () => {
  const field = ask(v.string())
  const seen = disputedTitle(field)
  const cell = field.update('carol again', { mark: mark('carol', 9), seen }) as AskCell
  expect(cell.siblings).toEqual([
    {
      mark: mark('carol', 9),
      value: encodeValue('carol again'),
      base: { mark: mark('bob', 5), value: encodeValue('bob’s') },
      answers: null,
    },
  ])
  expect(field.conflict?.(joined(seen, cell))).toBeNull()
})

test('[K2] every replica shows the same provisional winner', () => {
  const field = ask(v.string())
  const cell = disputedTitle(field)
  expect(field.read(cell)).toBe('bob’s')
  expect(field.conflict?.(cell)).toEqual({
    base: { mark: mark('alice', 1), value: 'draft' },
    sides: [
      { mark: mark('carol', 4), value: 'carol’s' },
      { mark: mark('bob', 5), value: 'bob’s' },
    ],
    settledBy: 'person',
  })
})

test('[K2] equal values count as one, under the greatest mark', () => {
  const field = ask(v.string())
  const cells = [
    field.insert('same', { mark: mark('alice', 1), seen: undefined }),
    field.insert('same', { mark: mark('bob', 2), seen: undefined }),
  ]
  expect(field.conflict?.(joined(...cells))).toBeNull()
  const third = field.insert('other', { mark: mark('carol', 1), seen: undefined })
  expect(field.conflict?.(joined(...cells, third))?.sides.map(side => side.mark)).toEqual([
    mark('carol', 1),
    mark('bob', 2),
  ])
})

test('[K3] sides that replaced different writes have no common base', () => {
  const field = ask(v.string())
  const seen = field.insert('draft', first) ?? undefined
  const bobs = field.update('bob’s', { mark: mark('bob', 2), seen }) ?? undefined
  const again = field.update('bob again', { mark: mark('bob', 3), seen: joined(seen, bobs) })
  const carols = field.update('carol’s', { mark: mark('carol', 2), seen })
  expect(field.conflict?.(joined(seen, bobs, again, carols))?.base).toBeNull()
})

test('[K4] a resolution picks a side or brings a value, and ends the conflict', () => {
  const field = ask(v.string())
  const seen = disputedTitle(field)
  const write = { mark: mark('alice', 9), seen }
  expect(field.read(joined(seen, field.settle?.({ pick: 0 }, write)))).toBe('carol’s')
  const settled = joined(seen, field.settle?.({ value: 'ours' }, write))
  expect(field.read(settled)).toBe('ours')
  expect(field.conflict?.(settled)).toBeNull()
  expect(() => field.settle?.({ pick: 2 }, write)).toThrow(codeOf('value-unsupported', { path: 'pick' }))
  expect(() => field.settle?.({ pick: 0 }, { mark: mark('bob', 10), seen: settled })).toThrow(
    codeOf('value-unsupported', { reason: expect.stringContaining('settled') }),
  )
})

test('[K4] keeping all writes what the field says that keeps them all', () => {
  const field = ask(v.string(), { keepAll: sides => sides.join(' / ') })
  const seen = disputedTitle(field)
  const write = { mark: mark('alice', 9), seen }
  expect(field.read(joined(seen, field.settle?.({ keep: 'all' }, write)))).toBe('carol’s / bob’s')
  expect(() => ask(v.string()).settle?.({ keep: 'all' }, write)).toThrow(
    codeOf('value-unsupported', { path: 'keep' }),
  )
})

test('[K4] two resolutions of one conflict count as one, and the author of the smaller can be told', () => {
  const field = ask(v.string())
  const seen = disputedTitle(field)
  const bobs = field.settle?.({ pick: 0 }, { mark: mark('bob', 8), seen })
  const carols = field.settle?.({ value: 'both' }, { mark: mark('carol', 9), seen })
  const cell = joined(seen, bobs, carols)
  expect(field.conflict?.(cell)).toBeNull()
  expect(field.read(cell)).toBe('both')
  expect(overruledResolutions(cell).map(sibling => sibling.mark)).toEqual([mark('bob', 8)])
})

test('[K4] with onDoubleResolve ask, two resolutions are a new and smaller conflict', () => {
  const field = ask(v.string(), { onDoubleResolve: 'ask' })
  const seen = disputedTitle(field)
  const bobs = field.settle?.({ pick: 0 }, { mark: mark('bob', 8), seen })
  const carols = field.settle?.({ value: 'both' }, { mark: mark('carol', 9), seen })
  expect(field.conflict?.(joined(seen, bobs, carols))?.sides.map(side => side.value)).toEqual([
    'carol’s',
    'both',
  ])
})

test('[K4] a third edit that arrives after a resolution is a conflict with it', () => {
  const field = ask(v.string())
  const seen = disputedTitle(field)
  const settled = field.settle?.({ pick: 0 }, { mark: mark('bob', 8), seen })
  const late = field.insert('late', { mark: mark('alice', 7), seen: undefined })
  expect(field.conflict?.(joined(seen, settled, late))?.sides.map(side => side.value)).toEqual([
    'late',
    'carol’s',
  ])
})

test('[K4] the hash of marks is the same in any order, and another for other marks', () => {
  const marks = [mark('alice', 1), mark('bob', 2), mark('carol', 3)]
  expect(hashOfMarks(marks)).toHaveLength(8)
  expect(hashOfMarks(marks.toReversed())).toEqual(hashOfMarks(marks))
  expect(hashOfMarks(marks.slice(1))).not.toEqual(hashOfMarks(marks))
})

test('[K5] a function settles a conflict on every replica, and writes nothing', () => {
  const field = merge(v.string(), (base, sides) => [base, ...sides].join(' < '))
  const cell = disputedTitle(field)
  expect(field.read(cell)).toBe('draft < carol’s < bob’s')
  expect(field.conflict?.(cell)?.settledBy).toBe('function')
  expect((cell as AskCell).siblings).toHaveLength(2)
  const next = field.update('mine', { mark: mark('alice', 9), seen: cell })
  expect(field.conflict?.(joined(cell, next))).toBeNull()
})

test('[K5] a function that throws, or gives what the schema refuses, leaves the conflict to a person', () => {
  const throwing = merge(v.string(), () => {
    throw new Error('no idea')
  })
  const wrong = merge(v.string(), () => 5 as unknown as string)
  for (const field of [throwing, wrong]) {
    const cell = disputedTitle(field)
    expect(field.read(cell)).toBe('bob’s')
    expect(field.conflict?.(cell)?.settledBy).toBe('person')
  }
})

test('[W5] a text begins with a string; without one its cell is written only over another', () => {
  const field = text()
  expect(field.insert(undefined, first)).toBeNull()
  const cell = field.insert('Hello', first)
  expect(cell).toEqual({ strategy: 'text', context: new Map([[first.mark.writer, first.mark]]) })
  expect(field.insert(undefined, { mark: mark('alice', 2), seen: cell ?? undefined })).not.toBeNull()
  expect(() => field.insert('x'.repeat(300_000), first)).toThrow(codeOf('limit-exceeded'))
  expect(() => field.update('x' as never, first)).toThrow(codeOf('value-unsupported'))
})
