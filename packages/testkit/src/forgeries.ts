/** What a hostile client sends: submits and gives that are beyond what it has the right to change. */
import {
  emptyRow,
  encodeValue,
  keyOfBytes,
  limits,
  noTexts,
  nothingReplaced,
  partName,
  yjsClientOf,
  type Cell,
  type DocumentKey,
  type GiveFrame,
  type Mark,
  type PartName,
  type Row,
  type SubmitFrame,
  type TextUpdates,
  type Write,
} from '@rejoin/core'
import { simulatedCollections } from './schema.ts'

export interface Forgery {
  readonly name: string
  readonly frame: SubmitFrame | GiveFrame
}

const [color, title, tags, views, body] = [
  partName('lww', 'color'),
  partName('ask', 'title'),
  partName('set', 'tags'),
  partName('counter', 'views'),
  partName('text', 'body'),
] as const
const garbage = Uint8Array.of(1, 255, 7, 3, 200, 9)
const huge = new Uint8Array(limits.valueBytesMax + 1)

/** `ahead` and `known` are the victim's: beyond all that anybody knows of it, and not; `future` is no time that a relay takes. */
export function forgeries(
  key: DocumentKey,
  own: Mark,
  { ahead, known }: { readonly ahead: Mark; readonly known: Mark },
  victim: Mark,
  future: number,
): readonly Forgery[] {
  const value = encodeValue('forged')
  const client = yjsClientOf(victim.writer)
  const update = simulatedCollections.notes.fields.body.text?.create('forged', client) ?? undefined
  const beyond: Mark = { ...own, ms: future }
  const mine = cells(color, { strategy: 'lww', last: own, value })
  const submits: readonly (readonly [string, Write])[] = [
    ['a context that names what nobody wrote', write(key, own, cells(title, ask(own, value, ahead)))],
    ['a removal of what nobody has added yet', write(key, own, cells(tags, removal(own, value, ahead)))],
    ['a deletion that saw what nobody wrote', write(key, own, deletion(own, ahead))],
    [
      'a value under a mark of somebody else',
      write(key, own, cells(color, { strategy: 'lww', last: ahead, value })),
    ],
    [
      'a write of a writer of somebody else',
      write(key, ahead, cells(color, { strategy: 'lww', last: ahead, value })),
    ],
    ['a revival from the future', write(key, beyond, { ...emptyRow, revival: beyond })],
    ['a value from the future', write(key, beyond, cells(color, { strategy: 'lww', last: beyond, value }))],
    ['a text without its updates', write(key, own, cells(body, textCell(own)))],
    ['a text of somebody else', write(key, own, cells(body, textCell(own)), update)],
    ['a text of garbage', write(key, own, cells(body, textCell(own)), garbage)],
    ['a deletion by somebody else', write(key, own, deletion(ahead, victim))],
    ['a revival by somebody else', write(key, own, { ...emptyRow, revival: ahead })],
    ['a total of somebody else', write(key, own, cells(views, total(ahead)))],
    ['an element that somebody else has added', write(key, own, cells(tags, addition(own, value, ahead)))],
    ['an element under a mark of somebody else', write(key, own, cells(tags, addition(own, value, known)))],
    ['a title of somebody else', write(key, own, cells(title, ask(ahead, value, victim)))],
    ['a value beyond all bounds', write(key, own, cells(color, { strategy: 'lww', last: own, value: huge }))],
    ['a deletion that passes for an insert', { ...write(key, own, deletion(own, victim)), whole: true }],
    ['an undelete that passes for an update', write(key, own, { ...mine, revival: own })],
    ['a deletion with a value', write(key, own, { ...mine, deletion: deletion(own, victim).deletion })],
  ]
  const given = cells(color, { strategy: 'lww', last: beyond, value })
  const nobody = cells(title, { strategy: 'ask', siblings: [], context: new Map() })
  const gives: readonly (readonly [string, Row, Uint8Array?])[] = [
    ['a deletion from the future that is given back', deletion(beyond, victim)],
    ['a revival from the future that is given back', { ...emptyRow, revival: beyond }],
    ['a text without its body that is given back', cells(body, textCell(own))],
    ['a text of garbage that is given back', cells(body, textCell(own)), garbage],
    ['a row from the future that is given back', given],
    ['a cell of nobody that is given back', nobody],
  ]
  return [
    ...submits.map(
      ([name, one]): Forgery => ({
        name,
        frame: { type: 'submit', round: 0, transactions: [{ writes: [one], preconditions: [] }] },
      }),
    ),
    ...gives.map(
      ([name, row, update]): Forgery => ({
        name,
        frame: { type: 'give', rows: [{ key, row, texts: textsOf(update) }], last: false },
      }),
    ),
  ]
}

function write(key: DocumentKey, mark: Mark, delta: Row, update?: Uint8Array): Write {
  return { mark, key, delta, texts: textsOf(update), replaced: nothingReplaced, whole: false }
}

function textsOf(update: Uint8Array | undefined): TextUpdates {
  return update === undefined ? noTexts : new Map([[body, [update]]])
}

function cells(part: PartName, cell: Cell): Row {
  return { ...emptyRow, cells: new Map([[part, cell]]) }
}

function ask(mark: Mark, value: Uint8Array, seen: Mark): Cell {
  const context = new Map([
    [mark.writer, mark],
    [seen.writer, seen],
  ])
  return { strategy: 'ask', siblings: [{ mark, value, base: null, answers: null }], context }
}

function removal(mark: Mark, value: Uint8Array, removed: Mark): Cell {
  const elements = new Map([[keyOfBytes(value), { value, added: null, removed }]])
  return { strategy: 'set', elements, context: new Map([[mark.writer, mark]]) }
}

function addition(mark: Mark, value: Uint8Array, added: Mark): Cell {
  const elements = new Map([[keyOfBytes(value), { value, added, removed: null }]])
  return { strategy: 'set', elements, context: new Map([[mark.writer, mark]]) }
}

function total(mark: Mark): Cell {
  return { strategy: 'counter', entries: new Map([[mark.writer, { mark, total: 1_000_000 }]]) }
}

function textCell(mark: Mark): Cell {
  return { strategy: 'text', context: new Map([[mark.writer, mark]]) }
}

function deletion(mark: Mark, seen: Mark): Row {
  const context = new Map([[seen.writer, seen]])
  return {
    ...emptyRow,
    deletion: { mark, policy: 'edit-wins', seen: new Map([[title, { kind: 'context', context }]]) },
  }
}
