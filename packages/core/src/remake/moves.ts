/** Own writes of one row while a pass makes writes anew (SPEC W6): by their marks as they were, and as they are now. */
import { addToContext, contextCovers, type Context } from '../context.ts'
import { compareMarks, greaterMark, type Mark } from '../mark.ts'
import type { PartName } from '../row.ts'

export interface Move {
  readonly old: Mark
  readonly now: Mark
  /** The cells that it wrote. */
  readonly parts: readonly PartName[]
}

export interface Moves {
  add(move: Move): void
  /** The greatest that those have now which were smaller than a mark. */
  greatestUnder(mark: Mark): Mark | null
  /** The greatest that those to a cell have now which were no greater than a mark. */
  greatestTo(part: PartName, mark: Mark): Mark | null
  /** With what writes to a cell are now that another context of it covered as they were. */
  coverWith(context: Context, part: PartName, covering: Context): Context
}

export function createMoves(first: readonly Move[] = []): Moves {
  const moves = [...first]
  let greatest = greatestOf(moves, 'now')
  let greatestOld = greatestOf(moves, 'old')
  /** By cell, and by who wrote it as it was and who now. W3: both marks rise, so the last that is covered stands for all. */
  const risingByPart = new Map<PartName, Map<string, Move[]>>()

  function enter(move: Move): void {
    const writers = `${move.old.writer} ${move.now.writer}`
    for (const part of move.parts) {
      const byWriters = risingByPart.get(part) ?? new Map<string, Move[]>()
      risingByPart.set(part, byWriters)
      const rising = byWriters.get(writers)
      if (rising === undefined) byWriters.set(writers, [move])
      else rising.push(move)
    }
  }

  for (const move of moves) enter(move)
  return {
    add(move) {
      moves.push(move)
      enter(move)
      greatest = greaterMark(greatest, move.now)
      greatestOld = greaterMark(greatestOld, move.old)
    },
    greatestUnder(mark) {
      // Nearly always it is the latest one, of thousands.
      if (greatestOld === null || compareMarks(greatestOld, mark) < 0) return greatest
      return greatestOf(
        moves.filter(({ old }) => compareMarks(old, mark) < 0),
        'now',
      )
    },
    greatestTo: (part, mark) =>
      greatestOf(
        moves.filter(({ old, parts }) => compareMarks(old, mark) <= 0 && parts.includes(part)),
        'now',
      ),
    coverWith(context, part, covering) {
      let more = context
      for (const rising of risingByPart.get(part)?.values() ?? []) {
        // Nearly always it is the latest one, of thousands.
        const last = rising.findLast(({ old }) => contextCovers(covering, old))
        if (last !== undefined) more = addToContext(more, last.now)
      }
      return more
    },
  }
}

function greatestOf(moves: readonly Move[], side: 'old' | 'now'): Mark | null {
  return moves.reduce<Mark | null>((greatest, move) => greaterMark(greatest, move[side]), null)
}
