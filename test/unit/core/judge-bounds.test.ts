// Bounds of what a write brings, and of what it makes of a row (SPEC F4).
import {
  documentKey,
  emptyRow,
  joinRows,
  judgeGiven,
  keyOfBytes,
  limits,
  noTexts,
  partName,
  writerFromBytes,
} from '@rejoin/core'
import type { Mark, PartName, Row, WriterId } from '@rejoin/core'
import { expect, test } from 'vitest'
import { bytesOf, deltaOf, markOf, tags, title, votes, type Edit } from './edits.ts'
import {
  now,
  note,
  insert,
  recolor,
  relayWith,
  contextOf,
  rowOf,
  writeOf,
  submits,
  judges,
  codeOf,
  rowWith,
  siblingsOf,
} from './judge-scene.ts'

const tooLong = 'x'.repeat(limits.valueBytesMax + 1)

test.each<[string, Edit]>([
  ['a value', { kind: 'color', value: tooLong }],
  ['a sibling', { kind: 'title', value: tooLong }],
  ['an element of a set', { kind: 'add', element: tooLong }],
])('[F4] %s that is too long is limit-exceeded, submitted or given', (_, edit) => {
  const relay = relayWith([insert, markOf('bob', now - 9)])
  const mark = markOf('alice', now)
  expect(codeOf(submits(relay, edit, mark))).toBe('limit-exceeded')
  const given = { key: note, row: deltaOf(edit, rowOf(relay), mark), texts: noTexts }
  expect(judgeGiven(given, contextOf(relay, 'alice'))).toMatchObject({
    ok: false,
    error: { code: 'limit-exceeded' },
  })
})

test('[F4] a value that is named as a base is no longer than any other', () => {
  const mark = markOf('bob', now - 9)
  const relay = relayWith([insert, mark])
  const edit: Edit = { kind: 'title', value: 'mine' }
  const longer = deltaOf({ kind: 'title', value: tooLong }, undefined, mark)
  const delta = deltaOf(edit, joinRows(rowOf(relay), longer), markOf('alice', now))
  expect(codeOf(judges(relay, writeOf(delta, markOf('alice', now))))).toBe('limit-exceeded')
})

test('[F4] one field too many is limit-exceeded', () => {
  const mark = markOf('alice', now)
  const cells = Array.from({ length: limits.fieldsPerRowMax + 1 }, (_, i) => {
    const cell = { strategy: 'lww', last: mark, value: bytesOf('x') } as const
    return [partName('lww', `f${i}`), cell] as const
  })
  const delta: Row = { ...emptyRow, cells: new Map(cells), revival: mark }
  expect(codeOf(judges(relayWith(), writeOf(delta, mark)))).toBe('limit-exceeded')
})

test('[F4] one element too many, those that are out included, is limit-exceeded', () => {
  const mark = markOf('bob', now - 5)
  const elements = Array.from({ length: limits.setElementsMax }, (_, i) => {
    const value = bytesOf(String(i))
    return [keyOfBytes(value), { value, added: mark, removed: mark }] as const
  })
  const context = new Map([[mark.writer, mark]])
  const relay = rowWith(new Map([[tags, { strategy: 'set', elements: new Map(elements), context }]]))
  expect(codeOf(submits(relay, { kind: 'add', element: '7' }, markOf('alice', now)))).toBe('taken')
  expect(codeOf(submits(relay, { kind: 'add', element: 'new' }, markOf('alice', now)))).toBe('limit-exceeded')
})

test('[F4] one sibling too many is too-many-siblings', () => {
  const relay = rowWith(new Map([[title, siblingsOf(limits.siblingsMax)]]))
  const blind = submits(relay, { kind: 'title', value: 'mine' }, markOf('alice', now), emptyRow)
  expect(codeOf(blind)).toBe('too-many-siblings')
})

test('[F4] a row that peers have joined beyond its bounds can be written, settled and deleted, but not grown', () => {
  const relay = rowWith(new Map([[title, siblingsOf(limits.siblingsMax + 5)]]))
  const mark = markOf('alice', now)
  expect(codeOf(submits(relay, recolor, mark))).toBe('taken')
  expect(codeOf(submits(relay, { kind: 'title', value: 'settled' }, mark))).toBe('taken')
  expect(codeOf(submits(relay, { kind: 'delete', policy: 'ask' }, mark))).toBe('taken')
  expect(codeOf(submits(relay, { kind: 'title', value: 'one more' }, mark, emptyRow))).toBe(
    'too-many-siblings',
  )
})

test('[F4] a row takes so many bytes of values, and beyond that what adds none', () => {
  const value = new Uint8Array(limits.rowValueBytesMax - 1000)
  const elements = new Map([[keyOfBytes(value), { value, added: markOf('bob', now - 9), removed: null }]])
  const relay = rowWith(new Map([[tags, { strategy: 'set', elements, context: writersFrom(1) }]]))
  const mark = markOf('alice', now)
  expect(codeOf(submits(relay, { kind: 'color', value: 'x'.repeat(500) }, mark))).toBe('taken')
  expect(submits(relay, { kind: 'color', value: 'x'.repeat(1500) }, mark)).toMatchObject({
    error: { code: 'limit-exceeded', details: { what: 'bytes of the values of a row' } },
  })
  expect(codeOf(submits(relay, { kind: 'vote', by: 1 }, mark))).toBe('taken')
})

test('[F4] a row takes so many marks of who wrote it, and can be deleted with all of them', () => {
  const context = writersFrom(limits.rowBytesMax / 16)
  const relay = rowWith(new Map([[tags, { strategy: 'set', elements: new Map(), context }]]))
  const mark = markOf('alice', now)
  expect(submits(relay, { kind: 'add', element: 'y' }, mark)).toMatchObject({
    error: { code: 'limit-exceeded', details: { what: 'bytes of a row' } },
  })
  expect(codeOf(submits(relay, { kind: 'delete', policy: 'ask' }, mark))).toBe('taken')
})

test('[F4] a deletion takes as much as one submit can tell, whatever many who delete have seen together', () => {
  const context = writersFrom(limits.submitBytesMax / 32)
  const mark = markOf('alice', now)
  const relay = rowWith(new Map([[tags, { strategy: 'set', elements: new Map(), context }]]))
  const seeing = (part: PartName, by: Mark): Row => ({
    ...emptyRow,
    deletion: { mark: by, policy: 'ask', seen: new Map([[part, { kind: 'context', context }]]) },
  })
  const row = joinRows(rowOf(relay), seeing(tags, markOf('bob', now - 5)))
  relay.rows.set(note, { row, texts: new Map() })
  expect(codeOf(judges(relay, writeOf(seeing(tags, mark), mark)))).toBe('taken')
  expect(judges(relay, writeOf(seeing(votes, mark), mark))).toMatchObject({
    error: { code: 'limit-exceeded', details: { what: 'bytes of a deletion' } },
  })
})

function writersFrom(count: number): ReadonlyMap<WriterId, Mark> {
  const marks = Array.from({ length: count }, (_, i): Mark => {
    const writer = writerFromBytes(new Uint8Array([9, 0, 0, 0, 0, 0, i >> 8, i & 255]))
    return { ms: now - 1000, tick: 0, writer }
  })
  return new Map(marks.map(mark => [mark.writer, mark]))
}

test('[F4] a transaction beyond a submit is transaction-too-large', () => {
  const value = 'x'.repeat(limits.valueBytesMax)
  const writes = Array.from({ length: 5 }, (_, i) => {
    const mark = markOf('alice', now, i)
    return writeOf(deltaOf({ ...insert, value } as Edit, undefined, mark), mark, {
      key: documentKey('notes', `n${i}`),
    })
  })
  expect(codeOf(judges(relayWith(), ...writes))).toBe('transaction-too-large')
})

// ---------------------------------------------------------------- texts, by the real screen
