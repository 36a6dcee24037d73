/** A relay as its judge sees it: what it holds, whom it knows, and what comes of a write there. */
import {
  documentKey,
  emptyRow,
  joinRows,
  judgeTransaction,
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
import * as Y from 'yjs'
import { body, bytesOf, deltaOf, markOf, type Edit } from './edits.ts'

export const now = 1_764_000_000_000
export const note: DocumentKey = documentKey('notes', 'n')
export const insert: Edit = { kind: 'insert', value: 'red', element: 'x' }
export const recolor: Edit = { kind: 'color', value: 'teal' }

export type JudgedRow = NonNullable<ReturnType<JudgeContext['row']>>

export interface Relay {
  rows: Map<DocumentKey, JudgedRow>
  writers: Map<WriterId, WriterRecord>
  rule: JudgeContext['rule']
}

export function relayWith(...edits: readonly (readonly [Edit, Mark])[]): Relay {
  const row = edits.reduce((held, [edit, mark]) => joinRows(held, deltaOf(edit, held, mark)), emptyRow)
  const rows = new Map(edits.length === 0 ? [] : [[note, { row, texts: new Map() }]])
  return { rows, writers: new Map(), rule: () => null }
}

/** The relay has taken writes of this mark's writer, up to it. */
export function knows(relay: Relay, mark: Mark, user: string): Relay {
  relay.writers.set(mark.writer, { writer: mark.writer, user, device: 'laptop', highest: mark })
  return relay
}

export function contextOf(relay: Relay, user: string): JudgeContext {
  return {
    row: key => relay.rows.get(key),
    writer: id => relay.writers.get(id),
    user,
    now,
    screen: screenUpdate,
    rule: relay.rule,
  }
}

export function rowOf(relay: Relay): Row {
  return relay.rows.get(note)?.row ?? emptyRow
}

export function writeOf(delta: Row, mark: Mark, more: Partial<Write> = {}): Write {
  const whole = delta.revival !== null && delta.cells.size > 0
  return { mark, key: note, delta, texts: noTexts, replaced: nothingReplaced, whole, ...more }
}

/** Alice submits what she writes over the relay's row as it is, unless told otherwise. */
export function submits(relay: Relay, edit: Edit, mark: Mark, seen: Row = rowOf(relay)): Judgement {
  return judges(relay, writeOf(deltaOf(edit, seen, mark), mark))
}

export function judges(relay: Relay, ...writes: readonly Write[]): Judgement {
  return judgeTransaction({ writes, preconditions: [] }, contextOf(relay, 'alice'))
}

export function codeOf(judgement: Judgement): string {
  return judgement.kind === 'refused' ? judgement.error.code : judgement.kind
}

export function showsOf(judgement: Judgement): readonly string[] {
  return judgement.kind === 'taken' ? judgement.shows : [judgement.error.code]
}

// ---------------------------------------------------------------- Q1, A4

export function deletionOf(more: Partial<Row>): Row {
  return { ...deltaOf({ kind: 'delete', policy: 'ask' }, undefined, markOf('alice', now)), ...more }
}

export function withTwin({ cells, deletion, revival }: Row): Row {
  const mark = markOf('alice', now)
  const twin = { strategy: 'ask', siblings: [], context: new Map([[mark.writer, mark]]) } as const
  return { cells: new Map([...cells, [partName('ask', 'color'), twin]]), deletion, revival }
}

export function fieldOf(name: string): Row {
  const last = markOf('alice', now)
  const cell = { strategy: 'lww', last, value: bytesOf('x') } as const
  return { cells: new Map([[partName('lww', name), cell]]), deletion: null, revival: last }
}

export function rowWith(cells: Row['cells']): Relay {
  const relay = relayWith([insert, markOf('bob', now - 9)])
  relay.rows.set(note, {
    row: { ...rowOf(relay), cells: new Map([...rowOf(relay).cells, ...cells]) },
    texts: new Map(),
  })
  return relay
}

export function siblingsOf(count: number): AskCell {
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

export interface Typist {
  readonly document: Y.Doc
  types(text: string): Uint8Array
}

export function typistOf(writer: WriterId, ...known: readonly Uint8Array[]): Typist {
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

export function typing(update: Uint8Array, mark: Mark, part: PartName = body): Write {
  return writeOf(deltaOf({ kind: 'type' }, undefined, mark), mark, { texts: new Map([[part, [update]]]) })
}
