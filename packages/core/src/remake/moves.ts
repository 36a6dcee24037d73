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
  return {
    add(move) {
      moves.push(move)
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
      for (const { old, now, parts } of moves) {
        if (contextCovers(more, now) || !contextCovers(covering, old) || !parts.includes(part)) continue
        more = addToContext(more, now)
      }
      return more
    },
  }
}

function greatestOf(moves: readonly Move[], side: 'old' | 'now'): Mark | null {
  return moves.reduce<Mark | null>((greatest, move) => greaterMark(greatest, move[side]), null)
}
