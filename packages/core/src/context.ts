/**
 * Contexts: for one cell, each writer's greatest mark of its writes to that cell.
 *
 * A writer's marks rise and its writes to one cell have each seen the last (SPEC W3); that is what lets one
 * mark for each writer stand for all of that writer's writes up to it. Contexts only grow by join.
 */
import { copyMap } from './map-copy.ts'
import { compareMarks, type Mark, type WriterId } from './mark.ts'

export type Context = ReadonlyMap<WriterId, Mark>

export const emptyContext: Context = new Map()

/** A context covers a mark if its entry for that writer is not smaller. */
export function contextCovers(context: Context, mark: Mark): boolean {
  const entry = context.get(mark.writer)
  return entry !== undefined && compareMarks(entry, mark) >= 0
}

/** Whether `a` covers every entry of `b`. */
export function contextCoversAll(a: Context, b: Context): boolean {
  for (const mark of b.values()) if (!contextCovers(a, mark)) return false
  return true
}

/** The greater entry for each writer. Returns `a` itself if `b` adds nothing. */
export function joinContexts(a: Context, b: Context): Context {
  if (a === b || contextCoversAll(a, b)) return a
  const joined = copyMap(a)
  for (const [writer, mark] of b) {
    const own = joined.get(writer)
    if (own === undefined || compareMarks(mark, own) > 0) joined.set(writer, mark)
  }
  return joined
}

export function addToContext(context: Context, mark: Mark): Context {
  return contextCovers(context, mark) ? context : copyMap(context).set(mark.writer, mark)
}

/** The greatest mark in a context, or null if it is empty. */
export function lastOfContext(context: Context): Mark | null {
  let last: Mark | null = null
  for (const mark of context.values()) if (last === null || compareMarks(mark, last) > 0) last = mark
  return last
}
