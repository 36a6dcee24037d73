// Judging what is submitted: by shape, marks, standing, time and rule (SPEC Q1, T1, T4, C4, L2).
import { documentKey, emptyRow, failure, joinRows, judgeGiven, limits, noTexts, partName } from '@rejoin/core'
import type { AskCell, Judgement, Mark, Row } from '@rejoin/core'
import { expect, test } from 'vitest'
import { color, deltaOf, markOf, tags, title, votes, writerOf, type Edit } from './edits.ts'
import {
  now,
  note,
  insert,
  recolor,
  relayWith,
  knows,
  contextOf,
  rowOf,
  writeOf,
  submits,
  judges,
  codeOf,
  showsOf,
  deletionOf,
  withTwin,
  fieldOf,
} from './judge-scene.ts'

test('[Q1] a transaction is taken whole', () => {
  const judgement = judges(
    relayWith([insert, markOf('bob', now - 9)]),
    writeOf(deltaOf(recolor, undefined, markOf('alice', now)), markOf('alice', now)),
    writeOf(deltaOf(insert, undefined, markOf('alice', now, 1)), markOf('alice', now, 1), {
      key: documentKey('notes', 'other'),
    }),
  )
  expect(judgement.kind === 'taken' && [...new Map(judgement.rows).keys()]).toEqual([note, 'notes/other'])
  expect(showsOf(judgement)).toEqual(['yes', 'yes'])
})

test('[Q1] a transaction of which one write is refused is refused whole, and says which write and why', () => {
  const relay = relayWith([insert, markOf('bob', now - 9)])
  const fine = writeOf(deltaOf(recolor, rowOf(relay), markOf('alice', now)), markOf('alice', now))
  const orphan = { ...fine, key: documentKey('notes', 'other') }
  expect(judges(relay, fine, orphan)).toEqual({
    kind: 'refused',
    write: 1,
    error: failure('document-unknown', { document: 'notes/other' }),
  })
})

test('[A4] what is shown already is accepted whatever the rules say now', () => {
  const mark = markOf('alice', now + 60 * 60_000)
  const relay = relayWith([insert, markOf('bob', now - 9)], [recolor, mark])
  relay.rule = () => failure('refused-by-rule', { reason: 'closed' })
  expect(showsOf(submits(relay, recolor, mark))).toEqual(['yes'])
  expect(codeOf(submits(relay, { kind: 'color', value: 'blue' }, markOf('alice', now)))).toBe('taken')
  expect(codeOf(submits(relay, { kind: 'vote', by: 1 }, markOf('alice', now)))).toBe('refused-by-rule')
})

test('[Q1] a write that is accepted and loses to a greater one is told so', () => {
  const relay = relayWith([insert, markOf('bob', now - 9)], [recolor, markOf('bob', now + 5)])
  expect(showsOf(submits(relay, { kind: 'color', value: 'blue' }, markOf('alice', now)))).toEqual(['lost'])
  expect(showsOf(submits(relay, { kind: 'title', value: 'blue' }, markOf('alice', now)))).toEqual(['yes'])
})

test('[Q1] a write to a document that a deletion hides is told so', () => {
  const gone: Edit = { kind: 'delete', policy: 'delete-wins' }
  const relay = relayWith([insert, markOf('bob', now - 9)], [gone, markOf('bob', now - 8)])
  expect(showsOf(submits(relay, recolor, markOf('alice', now)))).toEqual(['hidden'])
})

test('[L2] a whole write over a row that has more than it brings asks its author to fetch the row', () => {
  const vote: Edit = { kind: 'vote', by: 1 }
  const fresh = relayWith([insert, markOf('bob', now - 9)], [vote, markOf('bob', now - 8)])
  expect(showsOf(submits(fresh, insert, markOf('alice', now), emptyRow))).toEqual(['partial'])
  expect(showsOf(submits(relayWith(), insert, markOf('alice', now)))).toEqual(['yes'])
  const again = relayWith([insert, markOf('alice', now - 9)])
  expect(showsOf(submits(again, insert, markOf('alice', now - 9), emptyRow))).toEqual(['yes'])
})

test('[L2] a whole write over a tombstone that its author was spared asks for it, although no field is missing', () => {
  const gone: Edit = { kind: 'delete', policy: 'edit-wins' }
  const relay = relayWith([insert, markOf('bob', now - 9)], [gone, markOf('bob', now - 8)])
  expect(showsOf(submits(relay, insert, markOf('alice', now), emptyRow))).toEqual(['partial'])
})

// ---------------------------------------------------------------- marks

test('[C4] a mark more than five minutes ahead is clock-skew, and the relay says its time', () => {
  const mark = markOf('alice', now + limits.skewMs + 3)
  expect(submits(relayWith(), insert, mark)).toEqual({
    kind: 'refused',
    write: 0,
    error: failure('clock-skew', { relayTime: now, ms: 3 }),
  })
})

test('[C4] a mark ahead is taken where its row is that far ahead already', () => {
  const ahead = now + 60 * 60_000
  const relay = knows(relayWith([insert, markOf('bob', ahead)]), markOf('bob', ahead), 'bob')
  expect(codeOf(submits(relay, recolor, markOf('alice', ahead + 1000)))).toBe('taken')
  expect(codeOf(submits(relay, recolor, markOf('alice', ahead + 1001)))).toBe('clock-skew')
})

test('[T1] what names a write of another writer that nobody here knows is unknown-mark', () => {
  const relay = relayWith([insert, markOf('bob', now - 9)])
  const elsewhere = joinRows(
    rowOf(relay),
    deltaOf({ kind: 'title', value: 'x' }, emptyRow, markOf('carol', now - 5)),
  )
  const submit = (): Judgement =>
    submits(relay, { kind: 'title', value: 'mine' }, markOf('alice', now), elsewhere)
  expect(codeOf(submit())).toBe('unknown-mark')
  knows(relay, markOf('carol', now - 5), 'carol')
  expect(codeOf(submit())).toBe('taken')
})

test('[T1] what the row here covers may be named although its writer is not remembered', () => {
  const relay = relayWith(
    [insert, markOf('bob', now - 9)],
    [{ kind: 'title', value: 'x' }, markOf('carol', now - 5)],
  )
  expect(codeOf(submits(relay, { kind: 'title', value: 'mine' }, markOf('alice', now)))).toBe('taken')
  expect(codeOf(submits(relay, { kind: 'delete', policy: 'ask' }, markOf('alice', now)))).toBe('taken')
})

test('[T1] of a field of lww anything up to its last may be named as seen', () => {
  const relay = relayWith([insert, markOf('bob', now - 9)])
  const replaced = (mark: Mark): Judgement =>
    judges(
      relay,
      writeOf(deltaOf(recolor, undefined, markOf('alice', now)), markOf('alice', now), {
        replaced: new Map([[color, mark]]),
      }),
    )
  expect(codeOf(replaced(markOf('carol', now - 10)))).toBe('taken')
  expect(codeOf(replaced(markOf('carol', now - 8)))).toBe('unknown-mark')
})

test.each([
  ['a value', color, deltaOf(recolor, undefined, markOf('bob', now))],
  ['a sibling', title, deltaOf({ kind: 'title', value: 'x' }, undefined, markOf('bob', now))],
  ['an element', tags, deltaOf({ kind: 'add', element: 'x' }, undefined, markOf('bob', now))],
  ['a total', votes, deltaOf({ kind: 'vote', by: 9 }, undefined, markOf('bob', now))],
  ['a deletion', color, deltaOf({ kind: 'delete', policy: 'ask' }, undefined, markOf('bob', now))],
  ['a revival', color, deltaOf({ kind: 'revive' }, undefined, markOf('bob', now))],
])('[T1] %s under the mark of another writer is not-permitted', (_, __, delta) => {
  const relay = relayWith([insert, markOf('bob', now - 9)])
  expect(codeOf(judges(relay, writeOf(delta, markOf('alice', now))))).toBe('not-permitted')
})

test('[T1] the context of a set names nobody but its own write', () => {
  const relay = relayWith([insert, markOf('bob', now - 9)])
  const delta = deltaOf({ kind: 'add', element: 'y' }, undefined, markOf('alice', now))
  const cell = delta.cells.get(tags)
  const context = new Map([
    [writerOf('alice'), markOf('alice', now)],
    [writerOf('bob'), markOf('bob', now - 9)],
  ])
  const forged = { ...delta, cells: new Map([[tags, { ...(cell as AskCell), context }]]) } as Row
  expect(codeOf(judges(relay, writeOf(forged, markOf('alice', now))))).toBe('not-permitted')
})

test('[T4] a writer that another user used first is client-id-taken', () => {
  const relay = knows(relayWith(), markOf('alice', now - 5), 'mallory')
  expect(codeOf(submits(relay, insert, markOf('alice', now)))).toBe('client-id-taken')
})

// ---------------------------------------------------------------- standing, permission, size

test('[S3] an edit of a document that the relay lacks is document-unknown', () => {
  expect(codeOf(submits(relayWith(), recolor, markOf('alice', now)))).toBe('document-unknown')
})

test('[Q1] the rule of the application refuses with its own code', () => {
  const relay = relayWith()
  relay.rule = write => failure('refused-by-rule', { reason: write.key })
  expect(submits(relay, insert, markOf('alice', now))).toMatchObject({
    error: { code: 'refused-by-rule', details: { reason: note } },
  })
})

test.each<[string, Row, boolean]>([
  ['a deletion that passes for an insert', deletionOf({}), true],
  [
    'a deletion with a value',
    deletionOf({ cells: deltaOf(recolor, undefined, markOf('alice', now)).cells }),
    false,
  ],
  ['a deletion with a revival', deletionOf({ revival: markOf('alice', now) }), false],
  ['an insert without a revival', deltaOf(recolor, undefined, markOf('alice', now)), true],
  ['an update with a revival', deltaOf(insert, undefined, markOf('alice', now)), false],
  ['a field under two strategies', withTwin(deltaOf(recolor, undefined, markOf('alice', now))), false],
])('[Q1] %s is no write, whatever the rule says', (_, delta, whole) => {
  const relay = relayWith([insert, markOf('bob', now - 9)])
  expect(codeOf(judges(relay, writeOf(delta, markOf('alice', now), { whole })))).toBe('not-permitted')
})

test.each([
  ['a document', { key: documentKey('notes', 'n\nm') }],
  ['a document without an id', { key: documentKey('notes', '') }],
  ['a field', { delta: fieldOf('a\nb') }],
  ['a text', { texts: new Map([[partName('text', 'a\u0085b'), []]]) }],
])('[W5] the name of %s that runs into others is key-forbidden, submitted or given', (_, more) => {
  const mark = markOf('alice', now)
  const write = writeOf(deltaOf(insert, undefined, mark), mark, more)
  expect(codeOf(judges(relayWith(), write))).toBe('key-forbidden')
  const given = { key: write.key, row: write.delta, texts: write.texts }
  expect(judgeGiven(given, contextOf(relayWith(), 'alice'))).toMatchObject({
    error: { code: 'key-forbidden' },
  })
})

test('[T1] every cell that a write brings bears its mark', () => {
  const mark = markOf('alice', now)
  const nobodys: Row = { ...emptyRow, cells: new Map([[votes, { strategy: 'counter', entries: new Map() }]]) }
  expect(codeOf(judges(relayWith([insert, markOf('bob', now - 9)]), writeOf(nobodys, mark)))).toBe(
    'not-permitted',
  )
  const given = { key: note, row: nobodys, texts: noTexts }
  expect(judgeGiven(given, contextOf(relayWith(), 'alice'))).toMatchObject({
    error: { code: 'not-permitted' },
  })
})

test('[S3] a body that came ahead of its row is no row to stand on', () => {
  const relay = relayWith()
  relay.rows.set(note, { row: emptyRow, texts: new Map() })
  expect(codeOf(submits(relay, recolor, markOf('alice', now)))).toBe('document-unknown')
})
