/**
 * Refused writes as new ones: the same content, over what is seen now (SPEC Q3).
 *
 * Not made anew (SPEC W6), which keeps a write's time and beats nobody: somebody decided to write this now, so it is
 * an ordinary write with a mark of now.
 */
import {
  addToContext,
  emptyContext,
  idOfKey,
  rowExists,
  type AskCell,
  type Cell,
  type Mark,
  type PartName,
  type SeenDocument,
  type SetCell,
  type SetElement,
  type Write,
  type WriterId,
} from '@rejoin/core'
import type { Collection } from './collection.ts'
import { writeCells, writeDeletion, writeRevival, type WriteSite } from './document-writes.ts'
import type { Draft } from './drafts.ts'
import { documentUnknown } from './field-errors.ts'

/** A text that has to be typed again, once its body is loaded. */
export interface TextToRetype {
  readonly write: Write
  readonly part: PartName
  readonly updates: readonly Uint8Array[]
}

/**
 * Adds one refused write to a draft, but for its texts, which it gives back. `counted` is what its writer had counted
 * before it. Throws `document-unknown` if it changes a document that does not exist here, or brings back one that is not
 * even deleted here.
 */
export function sendWriteAgain(
  draft: Draft,
  collection: Collection,
  write: Write,
  counted: SeenDocument['counted'],
): readonly TextToRetype[] {
  const { key, delta } = write
  const seen = draft.row(key)
  const isThere = delta.revival === null ? rowExists(seen) : write.whole || seen !== undefined
  if (!isThere) throw documentUnknown(collection, idOfKey(key))
  const site: WriteSite = { collection, key, seen, mark: draft.nextMark(seen) }
  if (delta.deletion !== null) {
    draft.add(writeDeletion(site, delta.deletion.policy))
    return []
  }
  const cells = new Map<PartName, Cell>()
  const texts: TextToRetype[] = []
  for (const [part, cell] of delta.cells) {
    const old = seen?.cells.get(part)
    if (cell.strategy === 'text') texts.push({ write, part, updates: write.texts.get(part) ?? [] })
    else {
      const again = cellAgain(cell, old, write.mark.writer, counted.get(part) ?? 0, site.mark)
      if (again !== null) cells.set(part, again)
    }
  }
  if (delta.revival !== null) {
    const revival = writeRevival(site).delta.revival
    const again = writeCells(site, cells)
    draft.add({ ...again, delta: { ...again.delta, revival }, whole: write.whole })
  } else if (cells.size > 0) draft.add(writeCells(site, cells))
  return texts
}

/** Null if nothing of it is left to be done. */
function cellAgain(
  cell: Cell,
  seen: Cell | undefined,
  writer: WriterId,
  counted: number,
  mark: Mark,
): Cell | null {
  switch (cell.strategy) {
    case 'lww':
      return { ...cell, last: mark }
    case 'ask':
      return askAgain(cell, seen, mark)
    case 'set':
      return setAgain(cell, seen, mark)
    case 'counter': {
      const total = seen?.strategy === 'counter' ? (seen.entries.get(mark.writer)?.total ?? 0) : 0
      const amount = (cell.entries.get(writer)?.total ?? 0) - counted
      return { strategy: 'counter', entries: new Map([[mark.writer, { mark, total: total + amount }]]) }
    }
    case 'text':
      return cell
  }
}

/** One write brought one sibling. As an ordinary write it replaces what is seen now, and answers nothing. */
function askAgain(cell: AskCell, seen: Cell | undefined, mark: Mark): Cell {
  const known = seen?.strategy === 'ask' ? seen : null
  const replaced = known?.siblings.at(-1)
  const base = replaced === undefined ? null : { mark: replaced.mark, value: replaced.value }
  const siblings = cell.siblings.slice(-1).map(({ value }) => ({ mark, value, base, answers: null }))
  return { strategy: 'ask', siblings, context: addToContext(known?.context ?? emptyContext, mark) }
}

/** What it added is added now; what it removed is removed as it is seen now, if it is: what is not here nobody knows. */
function setAgain(cell: SetCell, seen: Cell | undefined, mark: Mark): Cell | null {
  const known = seen?.strategy === 'set' ? seen.elements : new Map<string, SetElement>()
  const elements = new Map<string, SetElement>()
  for (const [name, { value, added, removed }] of cell.elements) {
    const gone = removed === null ? null : (known.get(name)?.added ?? null)
    if (added !== null || gone !== null)
      elements.set(name, { value, added: added === null ? null : mark, removed: gone })
  }
  return elements.size === 0 ? null : { strategy: 'set', elements, context: new Map([[mark.writer, mark]]) }
}
