/**
 * Edits of one document as a client makes them: each is given what its writer sees of the row and its mark, and
 * becomes a delta. Fields have fixed names, one for each strategy, and one that is passive.
 */
import {
  addToContext,
  emptyContext,
  emptyRow,
  keyOfBytes,
  partName,
  seenOfCell,
  writerFromBytes,
} from '@rejoin/core'
import type { Cell, DeletePolicy, Mark, PartName, Row, Seen, SetCell, WriterId } from '@rejoin/core'

export type Person = 'alice' | 'bob' | 'carol'

export const people: readonly Person[] = ['alice', 'bob', 'carol']

/** A writer of somebody, named in at most seven letters: the first opening of their tab, unless another is asked for. */
export function writerOf(person: string, opening = 0): WriterId {
  const bytes = new TextEncoder().encode(person.padEnd(8, '.'))
  bytes[7] = opening
  return writerFromBytes(bytes)
}

export function markOf(person: string, ms: number, tick = 0): Mark {
  return { ms, tick, writer: writerOf(person) }
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}

export const color: PartName = partName('lww', 'color')
export const viewed: PartName = partName('lww', 'viewed')
export const title: PartName = partName('ask', 'title')
export const tags: PartName = partName('set', 'tags')
export const votes: PartName = partName('counter', 'votes')
export const body: PartName = partName('text', 'body')

/** The one field that keeps nothing alive. */
export const passivePart: PartName = viewed

export type Edit =
  | { readonly kind: 'color' | 'view' | 'title'; readonly value: string }
  | { readonly kind: 'add' | 'remove'; readonly element: string }
  | { readonly kind: 'vote'; readonly by: number }
  | { readonly kind: 'type' | 'revive' }
  | { readonly kind: 'insert'; readonly value: string; readonly element: string }
  | { readonly kind: 'delete'; readonly policy: DeletePolicy }

export function deltaOf(edit: Edit, seen: Row | undefined, mark: Mark): Row {
  switch (edit.kind) {
    case 'color':
      return cellsOf([color, lww(edit.value, mark)])
    case 'view':
      return cellsOf([viewed, lww(edit.value, mark)])
    case 'title':
      return cellsOf([title, ask(edit.value, seen, mark)])
    case 'add':
      return cellsOf([tags, setOf([[edit.element, mark, null]], mark)])
    case 'remove':
      return cellsOf([tags, setOf([[edit.element, null, addOf(edit.element, seen)]], mark)])
    case 'vote':
      return cellsOf([votes, count(edit.by, seen, mark)])
    case 'type':
      return cellsOf([body, { strategy: 'text', context: new Map([[mark.writer, mark]]) }])
    case 'insert':
      return { ...insertion(edit, seen, mark), revival: mark }
    case 'revive':
      return { ...emptyRow, revival: mark }
    case 'delete':
      return { ...emptyRow, deletion: { mark, policy: edit.policy, seen: seenOf(seen) } }
  }
}

/** W5: every field but the passive one, whose default nobody wrote; over a seen set its elements are taken out. */
function insertion(
  { value, element }: { readonly value: string; readonly element: string },
  seen: Row | undefined,
  mark: Mark,
): Row {
  const seenTags = seen?.cells.get(tags)
  const emptied = [...(seenTags?.strategy === 'set' ? seenTags.elements.values() : [])]
    .filter(({ added }) => added !== null)
    .map(({ value: bytes, added }): [string, Mark | null, Mark | null] => [textOf(bytes), null, added])
    .filter(([name]) => name !== element)
  return cellsOf(
    [color, lww(value, mark)],
    [title, ask(value, seen, mark)],
    [tags, setOf([[element, mark, addOf(element, seen)], ...emptied], mark)],
  )
}

/** What the writer of a deletion sees of each field. */
export function seenOf(row: Row | undefined): ReadonlyMap<PartName, Seen> {
  const seen = new Map<PartName, Seen>([[passivePart, { kind: 'everything' }]])
  for (const [name, cell] of row?.cells ?? []) if (name !== passivePart) seen.set(name, seenOfCell(cell))
  return seen
}

function cellsOf(...cells: readonly (readonly [PartName, Cell])[]): Row {
  return { ...emptyRow, cells: new Map(cells) }
}

function lww(value: string, mark: Mark): Cell {
  return { strategy: 'lww', last: mark, value: bytesOf(value) }
}

function ask(value: string, seen: Row | undefined, mark: Mark): Cell {
  const cell = seen?.cells.get(title)
  const known = cell?.strategy === 'ask' ? cell : { siblings: [], context: emptyContext }
  const replaced = known.siblings.at(-1)
  const base = replaced === undefined ? null : { mark: replaced.mark, value: replaced.value }
  return {
    strategy: 'ask',
    siblings: [{ mark, value: bytesOf(value), base, answers: null }],
    context: addToContext(known.context, mark),
  }
}

function setOf(elements: readonly (readonly [string, Mark | null, Mark | null])[], mark: Mark): SetCell {
  return {
    strategy: 'set',
    elements: new Map(
      elements.map(([name, added, removed]) => {
        const value = bytesOf(name)
        return [keyOfBytes(value), { value, added, removed }]
      }),
    ),
    context: new Map([[mark.writer, mark]]),
  }
}

function addOf(element: string, seen: Row | undefined): Mark | null {
  const cell = seen?.cells.get(tags)
  return (cell?.strategy === 'set' ? cell.elements.get(keyOfBytes(bytesOf(element)))?.added : null) ?? null
}

function count(by: number, seen: Row | undefined, mark: Mark): Cell {
  const cell = seen?.cells.get(votes)
  const before = (cell?.strategy === 'counter' ? cell.entries.get(mark.writer)?.total : 0) ?? 0
  return { strategy: 'counter', entries: new Map([[mark.writer, { mark, total: before + by }]]) }
}
