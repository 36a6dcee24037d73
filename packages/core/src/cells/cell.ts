/**
 * A cell is what a field of a row holds under one strategy; a lattice, complete in itself.
 *
 * Every function here is total over the strategies, so a new one does not compile until each has its case.
 */
import { contextCoversAll, joinContexts, lastOfContext, type Context } from '../context.ts'
import { compareMarks, type Mark, type WriterId } from '../mark.ts'
import { joinAsk, type AskCell } from './ask.ts'
import { joinCounters, type CounterCell } from './counter.ts'
import { joinLww, type LwwCell } from './lww.ts'
import { joinSet, type SetCell } from './set.ts'
import { joinTexts, type TextCell } from './text.ts'

export type Cell = LwwCell | AskCell | SetCell | CounterCell | TextCell
export type Strategy = Cell['strategy']

/** In the order of their numbers on the wire. */
export const strategies: readonly Strategy[] = ['lww', 'ask', 'set', 'counter', 'text']

/** Joins two cells of one strategy. Returns `a` itself if `b` adds nothing (SPEC A4). */
export function joinCells(a: Cell, b: Cell): Cell {
  if (a === b) return a
  switch (a.strategy) {
    case 'lww':
      return b.strategy === 'lww' ? joinLww(a, b) : a
    case 'ask':
      return b.strategy === 'ask' ? joinAsk(a, b) : a
    case 'set':
      return b.strategy === 'set' ? joinSet(a, b) : a
    case 'counter':
      return b.strategy === 'counter' ? joinCounters(a, b) : a
    case 'text':
      return b.strategy === 'text' ? joinTexts(a, b) : a
  }
}

/** The context of a cell: each writer's greatest mark of its writes to it. Of `lww`, only the write that stands. */
export function contextOfCell(cell: Cell): Context {
  switch (cell.strategy) {
    case 'lww':
      return new Map([[cell.last.writer, cell.last]])
    case 'counter': {
      const context = new Map<WriterId, Mark>()
      for (const [writer, entry] of cell.entries) context.set(writer, entry.mark)
      return context
    }
    default:
      return cell.context
  }
}

/** Whether the context of a cell covers a mark. */
export function cellCovers(cell: Cell, mark: Mark): boolean {
  if (cell.strategy === 'lww') return cell.last.writer === mark.writer && compareMarks(cell.last, mark) >= 0
  const own =
    cell.strategy === 'counter' ? cell.entries.get(mark.writer)?.mark : cell.context.get(mark.writer)
  return own !== undefined && compareMarks(own, mark) >= 0
}

/** The greatest mark in a cell. */
export function lastOfCell(cell: Cell): Mark | null {
  switch (cell.strategy) {
    case 'lww':
      return cell.last
    case 'counter': {
      let last: Mark | null = null
      for (const { mark } of cell.entries.values())
        if (last === null || compareMarks(mark, last) > 0) last = mark
      return last
    }
    default:
      return lastOfContext(cell.context)
  }
}

/** What the writer of a deletion saw of one field: of `lww` the last mark, of others the context (SPEC, Data). */
export type Seen =
  | { readonly kind: 'last'; readonly mark: Mark }
  | { readonly kind: 'context'; readonly context: Context }
  /** A `passive` field keeps nothing alive: named as seen whatever comes. */
  | { readonly kind: 'everything' }

export function seenOfCell(cell: Cell): Seen {
  return cell.strategy === 'lww'
    ? { kind: 'last', mark: cell.last }
    : { kind: 'context', context: contextOfCell(cell) }
}

/** Whether a deletion that saw `seen` of a field saw everything that the cell holds now. */
export function seenCovers(seen: Seen | undefined, cell: Cell): boolean {
  if (seen === undefined) return lastOfCell(cell) === null
  if (seen.kind === 'everything') return true
  if (cell.strategy === 'lww') return seen.kind === 'last' && compareMarks(seen.mark, cell.last) >= 0
  return seen.kind === 'context' && contextCoversAll(seen.context, contextOfCell(cell))
}

/** Place by place the greater. Returns `a` itself if `b` adds nothing. */
export function joinSeen(a: Seen, b: Seen): Seen {
  if (a === b || a.kind === 'everything') return a
  if (b.kind === 'everything') return b
  if (a.kind === 'last') return b.kind === 'last' && compareMarks(b.mark, a.mark) > 0 ? b : a
  if (b.kind !== 'context') return a
  const context = joinContexts(a.context, b.context)
  return context === a.context ? a : { kind: 'context', context }
}
