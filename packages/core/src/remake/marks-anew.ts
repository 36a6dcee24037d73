/**
 * The marks of writes that are made anew (SPEC W6, W3): each keeps its time as the clock is corrected now, raised over
 * what its writer saw and over what this pass has made in the row, and all are of one new writer.
 */
import { contextOfCell, lastOfCell } from '../cells/cell.ts'
import type { RemadeMark } from '../chunk.ts'
import { addToContext, type Context } from '../context.ts'
import { followingStamp, type Stamp } from '../clock.ts'
import { marksOfDelta } from '../judge/marks.ts'
import { compareMarks, formatMark, greaterMark, type Mark } from '../mark.ts'
import type { ReplicaState } from '../replica/replica.ts'
import type { DocumentKey, PartName, Row } from '../row.ts'
import type { Transaction, Write } from '../write.ts'
import type { RemakeContext } from './make-anew.ts'
import { createMoves, type Move, type Moves } from './moves.ts'
import { isConfirmed, isOwnElder } from './plan.ts'

export interface MarksAnew {
  /** What stands for a mark of a row now: the new one of a write that was made anew, in this pass or before, else itself. */
  rename(key: DocumentKey, mark: Mark): Mark
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
  context: Pick<RemakeContext, 'writer' | 'now' | 'correction'>,
): MarksAnew {
  /** By what they were when the pass began, for each row. */
  const renamedByKey = new Map<DocumentKey, Map<string, Mark>>()
  const movesByKey = new Map<DocumentKey, Moves>()
  const greatestByKey = new Map<DocumentKey, Mark>()
  const earlierByKey = new Map<DocumentKey, readonly RemadeMark[]>()
  const stamps = new Set<string>()

  function rename(key: DocumentKey, mark: Mark): Mark {
    const before = state.remadeMarks.now(key, mark)
    return renamedByKey.get(key)?.get(formatMark(before)) ?? before
  }

  function noteMove(key: DocumentKey, move: Move): void {
    const renamed = renamedByKey.get(key) ?? new Map<string, Mark>()
    renamedByKey.set(key, renamed)
    renamed.set(formatMark(state.remadeMarks.now(key, move.old)), move.now)
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
    const before = unheard.map(one => ({ ...one, now: rename(key, one.now) }))
    return [createMoves(before), ...moves]
  }

  /** C4, W6 (1): its time, less what the clock was corrected by since, never beyond now. */
  function stampAnew({ ms, tick }: Mark, correction: number): Stamp {
    const shifted = ms + context.correction - correction
    return { ms: Math.max(0, Math.floor(Math.min(shifted, context.now))), tick }
  }

  /** R1: marks of several old writers, moved by several corrections, may meet; in one row one would be taken for the other. */
  function takeStamp(wanted: Stamp): Stamp {
    let stamp = wanted
    while (stamps.has(`${stamp.ms}.${stamp.tick}`)) stamp = followingStamp(stamp)
    stamps.add(`${stamp.ms}.${stamp.tick}`)
    return stamp
  }

  /** W6 (3): above everything that it saw. W3: and above everything that this pass has made in the row. */
  function markAnew(write: Write, seenLast: Mark | null, made: Made): Mark {
    const given = greatestByKey.get(write.key) ?? null
    const over = greaterMark(given, floorOf(write.key, write.mark, seenLast, made.heard))
    const stamp = takeStamp(stampOver(stampAnew(write.mark, made.correction), over))
    const mark: Mark = { ms: stamp.ms, tick: stamp.tick, writer: context.writer }
    noteMove(write.key, { old: write.mark, now: mark, parts: partsOf(write) })
    greatestByKey.set(write.key, mark)
    return mark
  }

  /** Own marks that it names and nothing bears any more, since they went to the quarantine, keep their distance. */
  function moveGone(write: Write, seenLast: Mark | null, { correction, heard }: Made): void {
    for (const mark of marksOfDelta(write)) {
      const before = state.remadeMarks.now(write.key, mark)
      const isMoved = renamedByKey.get(write.key)?.has(formatMark(before)) === true
      if (!isOwnElder(state, write, mark) || isMoved) continue
      if (isConfirmed(state, write.key, before)) continue
      const over = floorOf(write.key, mark, seenLast, heard)
      const { ms, tick } = takeStamp(stampOver(stampAnew(mark, correction), over))
      noteMove(write.key, { old: mark, now: { ms, tick, writer: context.writer }, parts: [] })
    }
  }

  /** The greatest of what is seen under a mark: of the confirmed layer, of own writes, and of those taken since. */
  function floorOf(key: DocumentKey, mark: Mark, seenLast: Mark | null, heard: number): Mark | null {
    const isUnder = (one: Mark): boolean => compareMarks(one, mark) < 0
    const seen = seenLast !== null && isUnder(seenLast) ? rename(key, seenLast) : null
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
    { key }: Write,
    part: PartName,
    old: Mark,
    now: Mark,
    seenLast: Mark | null,
    { heard }: Made,
  ): Mark {
    const cell = state.confirmed(key)?.cells.get(part)
    const held = cell === undefined ? null : lastOfCell(cell)
    const isSeen = (mark: Mark): boolean =>
      compareMarks(mark, old) <= 0 && seenLast !== null && compareMarks(mark, rename(key, seenLast)) <= 0
    const moved = movesOf(key, heard).map(moves => moves.greatestTo(part, old))
    return [held !== null && isSeen(held) ? held : null, ...moved].reduce<Mark>(
      (kept, mark) => greaterMark(kept, mark) ?? kept,
      now,
    )
  }

  return {
    rename,
    keepCovered,
    keepUnder,
    stay: write => noteMove(write.key, { old: write.mark, now: write.mark, parts: partsOf(write) }),
    move(write, seenLast, made) {
      moveGone(write, seenLast, made)
      return markAnew(write, seenLast, made)
    },
  }
}

function partsOf({ delta }: Write): readonly PartName[] {
  return [...delta.cells.keys()]
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
