/**
 * The marks of writes that are made anew (SPEC W6, W3): each keeps its time as the clock is corrected now, raised over
 * what its writer saw and over own writes to the row that were under it, and is of the writer that stands for its old one.
 */
import { contextOfCell, lastOfCell } from '../cells/cell.ts'
import type { RemadeMark } from '../chunk.ts'
import { addToContext, type Context } from '../context.ts'
import { followingStamp, type Stamp } from '../clock.ts'
import { marksOfDelta } from '../judge/marks.ts'
import { compareMarks, formatMark, greaterMark, type Mark, type WriterId } from '../mark.ts'
import type { ReplicaState } from '../replica/replica.ts'
import type { DocumentKey, PartName, Row } from '../row.ts'
import type { Transaction, Write } from '../write.ts'
import type { RemakeContext } from './make-anew.ts'
import { createMoves, type Move, type Moves } from './moves.ts'
import type { NewWriters } from './new-writers.ts'
import { isConfirmed, isOwnElder } from './plan.ts'
import { createRenames } from './renames.ts'

export interface MarksAnew {
  /**
   * What stands for a mark that a write names: the new one of what was made anew, in this pass or before; one of the write's
   * own writer, if nothing bears it any more; else itself.
   */
  rename(write: Write, mark: Mark): Mark
  /** W6 (4): the renamed context that a write names goes on covering what it covered under its old marks. */
  keepCovered(write: Write, part: PartName, old: Context, renamed: Context, made: Made): Context
  /** W6 (4): and so does the renamed last that a deletion has seen of a cell, of a row that it has seen up to `seenLast`. */
  keepUnder(write: Write, part: PartName, old: Mark, renamed: Mark, seenLast: Mark | null, made: Made): Mark
  /** A write keeps its mark. */
  stay(write: Write): void
  /** The new mark of a write whose writer had seen the row up to `seenLast`. */
  move(write: Write, seenLast: Mark | null, made: Made): Mark
}

/** When a transaction was made: by what the clock was corrected, and of what its tab had heard. */
export type Made = Pick<Transaction, 'correction' | 'heard'>

export function createMarksAnew(
  state: ReplicaState,
  context: Pick<RemakeContext, 'now' | 'correction'>,
  newWriterOf: NewWriters,
): MarksAnew {
  const renames = createRenames(state)
  const movesByKey = new Map<DocumentKey, Moves>()
  const earlierByKey = new Map<DocumentKey, readonly RemadeMark[]>()
  const given = new Set<string>()

  function noteMove(write: Write, now: Mark): void {
    renames.note(write, now)
    addMove(write.key, { old: write.mark, now, parts: [...write.delta.cells.keys()] })
  }

  function addMove(key: DocumentKey, move: Move): void {
    const moves = movesByKey.get(key)
    if (moves === undefined) movesByKey.set(key, createMoves([move]))
    else moves.add(move)
  }

  /** What earlier passes made of a row and stands when this one begins. */
  function movedBefore(key: DocumentKey): readonly RemadeMark[] {
    let moves = earlierByKey.get(key)
    if (moves === undefined) {
      const all = state.remadeMarks.of(key).map(one => ({ ...one, now: state.remadeMarks.now(key, one.old) }))
      const waiting = new Set(state.outbox.writesOf(key).map(({ mark }) => formatMark(mark)))
      moves = all.filter(({ now }) => isConfirmed(state, key, now) || waiting.has(formatMark(now)))
      earlierByKey.set(key, moves)
    }
    return moves
  }

  /** Moves of this pass, and of those of which a tab had not heard. */
  function movesOf(key: DocumentKey, heard: number): readonly Moves[] {
    const here = movesByKey.get(key)
    const moves = here === undefined ? [] : [here]
    // Nearly every tab has heard of all of them.
    if ((state.remadeMarks.of(key).at(-1)?.position ?? 0) <= heard) return moves
    const unheard = movedBefore(key).filter(({ position }) => position > heard)
    const before = unheard.map(one => ({ ...one, now: renames.ofBorne(key, one.now) }))
    return [createMoves(before), ...moves]
  }

  /** C4, W6 (1): its time, less what the clock was corrected by since, never beyond now. */
  function stampAnew({ ms, tick }: Mark, correction: number): Stamp {
    const shifted = ms + context.correction - correction
    return { ms: Math.max(0, Math.floor(Math.min(shifted, context.now))), tick }
  }

  /** R1: marks of one old writer, moved by several corrections, may meet; in one row one would be taken for the other. */
  function give(wanted: Stamp, writer: WriterId): Mark {
    for (let { ms, tick } = wanted; ; { ms, tick } = followingStamp({ ms, tick })) {
      const mark: Mark = { ms, tick, writer }
      if (given.has(formatMark(mark))) continue
      given.add(formatMark(mark))
      return mark
    }
  }

  /** W6 (3): above everything that it saw. W3: and so above its writer's earlier writes to the row. */
  function markAnew(write: Write, seenLast: Mark | null, made: Made): Mark {
    const over = floorOf(write, write.mark, seenLast, made.heard)
    const stamp = stampOver(stampAnew(write.mark, made.correction), over)
    const mark = give(stamp, newWriterOf(write.mark.writer))
    noteMove(write, mark)
    return mark
  }

  /** Own marks that it names and nothing bears any more, since they went to the quarantine, keep their distance. */
  function moveGone(write: Write, seenLast: Mark | null, { correction, heard }: Made): void {
    const { key } = write
    for (const mark of marksOfDelta(write)) {
      if (!isOwnElder(state, write, mark) || renames.has(write, mark)) continue
      if (isConfirmed(state, key, state.remadeMarks.now(key, mark))) continue
      const over = floorOf(write, mark, seenLast, heard)
      const now = give(stampOver(stampAnew(mark, correction), over), newWriterOf(write.mark.writer))
      renames.noteGone(write, mark, now)
      addMove(key, { old: mark, now, parts: [] })
    }
  }

  /** The greatest of what is seen under a mark: of the confirmed layer, of own writes, and of those taken since. */
  function floorOf(write: Write, mark: Mark, seenLast: Mark | null, heard: number): Mark | null {
    const { key } = write
    const isUnder = (one: Mark): boolean => compareMarks(one, mark) < 0
    const seen = seenLast !== null && isUnder(seenLast) ? renames.of(write, seenLast) : null
    const taken = marksOfRow(state.confirmed(key)).filter(one => state.own.has(one.writer) && isUnder(one))
    const moved = movesOf(key, heard).map(moves => moves.greatestUnder(mark))
    return [...taken, ...moved].reduce(greaterMark, seen)
  }

  /** A mark stood for its writer's earlier writes to the cell too, which a relay has, or which bear other writers now. */
  function keepCovered({ key }: Write, part: PartName, old: Context, now: Context, { heard }: Made): Context {
    let kept = now
    const cell = state.confirmed(key)?.cells.get(part)
    for (const held of cell === undefined ? [] : contextOfCell(cell).values()) {
      const mark = old.get(held.writer)
      if (mark !== undefined && compareMarks(held, mark) < 0) kept = addToContext(kept, held)
    }
    for (const moves of movesOf(key, heard)) kept = moves.coverWith(kept, part, old)
    return kept
  }

  /** A clock that was corrected may have left under the new one what was seen under the old one, own or another's. */
  function keepUnder(
    write: Write,
    part: PartName,
    old: Mark,
    now: Mark,
    seenLast: Mark | null,
    { heard }: Made,
  ): Mark {
    const { key } = write
    const cell = state.confirmed(key)?.cells.get(part)
    const held = cell === undefined ? null : lastOfCell(cell)
    const isSeen = (mark: Mark): boolean =>
      compareMarks(mark, old) <= 0 &&
      seenLast !== null &&
      compareMarks(mark, renames.of(write, seenLast)) <= 0
    const moved = movesOf(key, heard).map(moves => moves.greatestTo(part, old))
    return [held !== null && isSeen(held) ? held : null, ...moved].reduce<Mark>(
      (kept, mark) => greaterMark(kept, mark) ?? kept,
      now,
    )
  }

  return {
    rename: renames.of,
    keepCovered,
    keepUnder,
    stay: write => noteMove(write, write.mark),
    move(write, seenLast, made) {
      moveGone(write, seenLast, made)
      return markAnew(write, seenLast, made)
    },
  }
}

function stampOver(stamp: Stamp, over: Mark | null): Stamp {
  const isAbove = over === null || stamp.ms > over.ms || (stamp.ms === over.ms && stamp.tick > over.tick)
  return isAbove ? stamp : followingStamp(over)
}

/** Every mark that a row bears, of each writer and cell the greatest. */
function marksOfRow(row: Row | undefined): readonly Mark[] {
  const marks: Mark[] = []
  if (row?.revival) marks.push(row.revival)
  if (row?.deletion) marks.push(row.deletion.mark)
  for (const cell of row?.cells.values() ?? []) marks.push(...contextOfCell(cell).values())
  return marks
}
