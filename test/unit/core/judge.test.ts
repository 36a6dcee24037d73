// What a relay takes of a client and what it refuses: each code is provoked once, by the write that provokes it.
import {
  documentKey,
  emptyRow,
  failure,
  joinRows,
  judgeGiven,
  judgeTransaction,
  keyOfBytes,
  limits,
  noTexts,
  nothingReplaced,
  partName,
  writerFromBytes,
  yjsClientOf,
} from '@rejoin/core'
import type {
  AskCell,
  DocumentKey,
  JudgeContext,
  Judgement,
  Mark,
  PartName,
  Row,
  Write,
  WriterId,
  WriterRecord,
} from '@rejoin/core'
import { screenUpdate } from '@rejoin/resolve/screen'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { body, bytesOf, color, deltaOf, markOf, tags, title, votes, writerOf, type Edit } from './edits.ts'

const now = 1_764_000_000_000
const note: DocumentKey = documentKey('notes', 'n')
const insert: Edit = { kind: 'insert', value: 'red', element: 'x' }
const recolor: Edit = { kind: 'color', value: 'teal' }

type JudgedRow = NonNullable<ReturnType<JudgeContext['row']>>

interface Relay {
  rows: Map<DocumentKey, JudgedRow>
  writers: Map<WriterId, WriterRecord>
  rule: JudgeContext['rule']
}

function relayWith(...edits: readonly (readonly [Edit, Mark])[]): Relay {
  const row = edits.reduce((held, [edit, mark]) => joinRows(held, deltaOf(edit, held, mark)), emptyRow)
  const rows = new Map(edits.length === 0 ? [] : [[note, { row, texts: new Map() }]])
  return { rows, writers: new Map(), rule: () => null }
}

/** The relay has taken writes of this mark's writer, up to it. */
function knows(relay: Relay, mark: Mark, user: string): Relay {
  relay.writers.set(mark.writer, { writer: mark.writer, user, device: 'laptop', highest: mark })
  return relay
}

function contextOf(relay: Relay, user: string): JudgeContext {
  return {
    row: key => relay.rows.get(key),
    writer: id => relay.writers.get(id),
    user,
    now,
    screen: screenUpdate,
    rule: relay.rule,
  }
}

function rowOf(relay: Relay): Row {
  return relay.rows.get(note)?.row ?? emptyRow
}

function writeOf(delta: Row, mark: Mark, more: Partial<Write> = {}): Write {
  const whole = delta.revival !== null && delta.cells.size > 0
  return { mark, key: note, delta, texts: noTexts, replaced: nothingReplaced, whole, ...more }
}

/** Alice submits what she writes over the relay's row as it is, unless told otherwise. */
function submits(relay: Relay, edit: Edit, mark: Mark, seen: Row = rowOf(relay)): Judgement {
  return judges(relay, writeOf(deltaOf(edit, seen, mark), mark))
}

function judges(relay: Relay, ...writes: readonly Write[]): Judgement {
  return judgeTransaction({ writes, preconditions: [] }, contextOf(relay, 'alice'))
}

function codeOf(judgement: Judgement): string {
  return judgement.kind === 'refused' ? judgement.error.code : judgement.kind
}

function showsOf(judgement: Judgement): readonly string[] {
  return judgement.kind === 'taken' ? judgement.shows : [judgement.error.code]
}

// ---------------------------------------------------------------- Q1, A4

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

function deletionOf(more: Partial<Row>): Row {
  return { ...deltaOf({ kind: 'delete', policy: 'ask' }, undefined, markOf('alice', now)), ...more }
}

function withTwin({ cells, deletion, revival }: Row): Row {
  const mark = markOf('alice', now)
  const twin = { strategy: 'ask', siblings: [], context: new Map([[mark.writer, mark]]) } as const
  return { cells: new Map([...cells, [partName('ask', 'color'), twin]]), deletion, revival }
}

test('[T2] of what is given back the rule is asked by what could have made it: what inserts, and what deletes', () => {
  const relay = relayWith()
  const asked: string[] = []
  relay.rule = ({ delta, whole }) => {
    asked.push(
      `${whole ? 'whole' : 'part'}: ${[...delta.cells.keys()].join()}${delta.deletion ? ' deletion' : ''}`,
    )
    return delta.deletion === null ? null : failure('refused-by-rule', { reason: 'nobody deletes here' })
  }
  const row = withTwin(deltaOf(recolor, undefined, markOf('bob', now - 9)))
  const given = { key: note, row, texts: noTexts }
  expect(judgeGiven(given, contextOf(relay, 'alice'))).toMatchObject({ ok: true })
  expect(asked).toEqual(['whole: lww:color', 'whole: ask:color'])
  const deleted = { ...given, row: { ...row, deletion: deletionOf({}).deletion } }
  expect(judgeGiven(deleted, contextOf(relay, 'alice'))).toMatchObject({ error: { code: 'refused-by-rule' } })
  expect(asked.slice(2)).toEqual(['whole: lww:color', 'whole: ask:color', 'part:  deletion'])
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

function fieldOf(name: string): Row {
  const last = markOf('alice', now)
  const cell = { strategy: 'lww', last, value: bytesOf('x') } as const
  return { cells: new Map([[partName('lww', name), cell]]), deletion: null, revival: last }
}

function rowWith(cells: Row['cells']): Relay {
  const relay = relayWith([insert, markOf('bob', now - 9)])
  relay.rows.set(note, {
    row: { ...rowOf(relay), cells: new Map([...rowOf(relay).cells, ...cells]) },
    texts: new Map(),
  })
  return relay
}

function siblingsOf(count: number): AskCell {
  const marks = Array.from({ length: count }, (_, i): Mark => {
    const writer = writerFromBytes(new Uint8Array([9, 0, 0, 0, 0, 0, i >> 8, i & 255]))
    return { ms: now - 1000 + i, tick: 0, writer }
  })
  return {
    strategy: 'ask',
    siblings: marks.map(mark => ({ mark, value: bytesOf(String(mark.ms)), base: null, answers: null })),
    context: new Map(marks.map(mark => [mark.writer, mark])),
  }
}

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

test.each(['text:body', 'set:tags'] as const)('[X3] updates of %s are not given without its cell', name => {
  const relay = relayWith([insert, markOf('bob', now - 9)])
  const row = deltaOf({ kind: 'color', value: 'teal' }, rowOf(relay), markOf('bob', now - 8))
  const given = { key: note, row, texts: new Map([[name as PartName, [new Uint8Array(3)]]]) }
  expect(judgeGiven(given, contextOf(relay, 'alice'))).toMatchObject({
    ok: false,
    error: { code: 'text-invalid' },
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

interface Typist {
  readonly document: Y.Doc
  types(text: string): Uint8Array
}

function typistOf(writer: WriterId, ...known: readonly Uint8Array[]): Typist {
  const document = new Y.Doc()
  document.clientID = yjsClientOf(writer)
  for (const update of known) Y.applyUpdate(document, update)
  const text = document.getText('text')
  return {
    document,
    types(typed) {
      const before = Y.encodeStateVector(document)
      text.insert(text.length, typed)
      return Y.encodeStateAsUpdate(document, before)
    },
  }
}

function typing(update: Uint8Array, mark: Mark, part: PartName = body): Write {
  return writeOf(deltaOf({ kind: 'type' }, undefined, mark), mark, { texts: new Map([[part, [update]]]) })
}

test('[X5] what a writer types is taken, and the state of the body moves with it', () => {
  const relay = relayWith([insert, markOf('bob', now - 9)])
  const judgement = judges(relay, typing(typistOf(writerOf('alice')).types('hello'), markOf('alice', now)))
  const taken = judgement.kind === 'taken' ? new Map(judgement.rows).get(note) : undefined
  expect(taken?.texts.get(body)?.stateVector).toEqual(new Map([[yjsClientOf(writerOf('alice')), 5]]))
  expect(taken?.updates.length).toBe(1)
})

test('[X5] what was typed behind something that never came is text-gap', () => {
  const alice = typistOf(writerOf('alice'))
  alice.types('lost')
  const relay = relayWith([insert, markOf('bob', now - 9)])
  expect(judges(relay, typing(alice.types('!'), markOf('alice', now)))).toMatchObject({
    error: { code: 'text-gap', details: { have: 0, from: 4 } },
  })
})

test('[F4] the texts of a row take so many clients together', () => {
  const relay = relayWith([insert, markOf('bob', now - 9)])
  const typed = typing(typistOf(writerOf('alice')).types('hello'), markOf('alice', now))
  const many = new Map(Array.from({ length: limits.textClientsMax }, (_, client) => [client, 1]))
  const others = new Map([[partName('text', 'other'), { stateVector: many, bytes: 9 }]])
  relay.rows.set(note, { row: rowOf(relay), texts: others })
  expect(judges(relay, typed)).toMatchObject({ error: { details: { limit: limits.textClientsMax } } })
  many.delete(0)
  expect(codeOf(judges(relay, typed))).toBe('taken')
})

test('[X5] text under the client of another writer is text-not-owned', () => {
  const relay = relayWith([insert, markOf('bob', now - 9)])
  const update = typistOf(writerOf('bob')).types('as bob')
  expect(codeOf(judges(relay, typing(update, markOf('alice', now))))).toBe('text-not-owned')
})

test('[X5] bytes that are no update are text-invalid, and so are updates without a cell', () => {
  const relay = relayWith([insert, markOf('bob', now - 9)])
  expect(codeOf(judges(relay, typing(new Uint8Array([1, 2, 3]), markOf('alice', now))))).toBe('text-invalid')
  const update = typistOf(writerOf('alice')).types('hello')
  const stray = typing(update, markOf('alice', now), partName('text', 'other'))
  expect(codeOf(judges(relay, stray))).toBe('text-invalid')
})

test('[X7] a writer whose client another writer of that text has is client-id-taken', () => {
  const twin = writerFromBytes(new Uint8Array([1, 2, 3, 4, ...writerBytesLow()]))
  const relay = relayWith(
    [insert, markOf('bob', now - 9)],
    [{ kind: 'type' }, { ms: now - 5, tick: 0, writer: twin }],
  )
  const update = typistOf(writerOf('alice')).types('hello')
  expect(codeOf(judges(relay, typing(update, markOf('alice', now))))).toBe('client-id-taken')
})

function writerBytesLow(): Uint8Array {
  const low = new Uint8Array(4)
  new DataView(low.buffer).setUint32(0, yjsClientOf(writerOf('alice')))
  return low
}

// ---------------------------------------------------------------- T2

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

test('[X3] the cell of a text is not taken without what was typed', () => {
  const relay = relayWith([insert, markOf('bob', now - 9)])
  expect(codeOf(submits(relay, { kind: 'type' }, markOf('alice', now)))).toBe('text-invalid')
})

test('[X3] the cell of a text is not given back without its body, unless all that it tells of is here', () => {
  const relay = relayWith([insert, markOf('bob', now - 9)], [{ kind: 'type' }, markOf('bob', now - 5)])
  const gives = (row: Row): ReturnType<typeof judgeGiven> =>
    judgeGiven({ key: note, row, texts: noTexts }, contextOf(relay, 'alice'))
  expect(gives(rowOf(relay)).ok).toBe(true)
  const later = deltaOf({ kind: 'type' }, rowOf(relay), markOf('carol', now - 3))
  expect(gives(later)).toMatchObject({ ok: false, error: { code: 'text-invalid' } })
})

test('[T2] a row that is given back is taken under the marks of others', () => {
  const row = rowOf(relayWith([insert, markOf('bob', now - 9)], [recolor, markOf('carol', now - 5)]))
  const judged = judgeGiven({ key: note, row, texts: noTexts }, contextOf(relayWith(), 'alice'))
  expect(judged.ok && judged.value.row).toEqual(row)
})

test('[T2] a row that is given back is judged by rule, time and size as if it were written now', () => {
  const late = rowOf(relayWith([insert, markOf('bob', now + limits.skewMs + 1)]))
  const given = { key: note, row: late, texts: noTexts }
  expect(judgeGiven(given, contextOf(relayWith(), 'alice'))).toMatchObject({ error: { code: 'clock-skew' } })
  const crowded = { ...given, row: rowOf(rowWith(new Map([[title, siblingsOf(limits.siblingsMax + 1)]]))) }
  expect(judgeGiven(crowded, contextOf(relayWith(), 'alice'))).toMatchObject({
    error: { code: 'too-many-siblings' },
  })
  const closed = { ...relayWith(), rule: () => failure('refused-by-rule', { reason: 'closed' }) }
  expect(judgeGiven({ ...given, row: emptyRow }, contextOf(closed, 'alice'))).toMatchObject({
    error: { code: 'refused-by-rule' },
  })
})

test('[T2] what the relay shows already it takes back whatever the rules say now', () => {
  const relay = relayWith([insert, markOf('bob', now - 9)], [recolor, markOf('bob', now - 5)])
  relay.rule = () => failure('refused-by-rule', { reason: 'only its author writes here' })
  const gives = (row: Row): ReturnType<typeof judgeGiven> =>
    judgeGiven({ key: note, row, texts: noTexts }, contextOf(relay, 'alice'))
  expect(gives(rowOf(relay))).toMatchObject({ ok: true, value: { row: rowOf(relay), updates: [] } })
  const later = deltaOf(recolor, rowOf(relay), markOf('bob', now - 3))
  expect(gives(later)).toMatchObject({ ok: false, error: { code: 'refused-by-rule' } })
})

test('[X8] a long body that is given back is taken, although nobody may type that much at once', () => {
  const update = typistOf(writerOf('bob')).types('x'.repeat(limits.textUpdateBytesMax + 1))
  const row = rowOf(relayWith([insert, markOf('bob', now - 9)], [{ kind: 'type' }, markOf('bob', now - 5)]))
  const given = { key: note, row, texts: new Map([[body, [update]]]) }
  expect(judgeGiven(given, contextOf(relayWith(), 'alice')).ok).toBe(true)
  const typed = typistOf(writerOf('alice')).types('x'.repeat(limits.textUpdateBytesMax + 1))
  const relay = relayWith([insert, markOf('bob', now - 9)])
  expect(codeOf(judges(relay, typing(typed, markOf('alice', now))))).toBe('limit-exceeded')
})
