/**
 * The marks of writes that are made anew (SPEC W6, W3): each keeps its time as the clock is corrected now, raised over
 * what its writer saw and over what this pass has made in the row, and all are of one new writer.
 */
import { contextOfCell } from '../cells/cell.ts'
import { followingStamp, type Stamp } from '../clock.ts'
import { marksOfDelta } from '../judge/marks.ts'
import { compareMarks, formatMark, greaterMark, type Mark } from '../mark.ts'
import type { ReplicaState } from '../replica/replica.ts'
import type { DocumentKey, Row } from '../row.ts'
import type { Write } from '../write.ts'
import type { RemakeContext } from './make-anew.ts'
import { isConfirmed, isOwnElder } from './plan.ts'

export interface MarksAnew {
  /** What stands for a mark now: the new one of a write that was made anew, else itself. */
  rename(mark: Mark): Mark
  /** A write keeps its mark. */
  stay(write: Write): void
  /** The new mark of a write whose writer had seen the row up to `seenLast`. */
  move(write: Write, seenLast: Mark | null, correction: number): Mark
}

export function createMarksAnew(
  state: ReplicaState,
  context: Pick<RemakeContext, 'writer' | 'now' | 'correction'>,
): MarksAnew {
  const renamed = new Map<string, Mark>()
  const rename = (mark: Mark): Mark => renamed.get(formatMark(mark)) ?? mark
  /** Own marks of each row as they were and as they are now, in the order of the outbox. */
  const movesByKey = new Map<DocumentKey, { readonly old: Mark; readonly now: Mark }[]>()
  const given = new Set<string>()

  function noteMove(key: DocumentKey, old: Mark, now: Mark): void {
    renamed.set(formatMark(old), now)
    const moves = movesByKey.get(key)
    if (moves === undefined) movesByKey.set(key, [{ old, now }])
    else moves.push({ old, now })
  }

  /** C4, W6 (1): its time, less what the clock was corrected by since, never beyond now. */
  function stampAnew({ ms, tick }: Mark, correction: number): Stamp {
    const shifted = ms + context.correction - correction
    return { ms: Math.max(0, Math.floor(Math.min(shifted, context.now))), tick }
  }

  /** W6 (3): above everything that it saw. W3: and above everything that this pass has made in the row. */
  function markAnew(write: Write, seenLast: Mark | null, correction: number): Mark {
    const made = (movesByKey.get(write.key) ?? []).map(({ now }) => now)
    const over = made.reduce<Mark | null>(greaterMark, floorOf(write.key, write.mark, seenLast))
    let stamp = stampOver(stampAnew(write.mark, correction), over)
    // Marks of several old writers, moved by several corrections, may meet.
    while (given.has(`${stamp.ms}.${stamp.tick}`)) stamp = followingStamp(stamp)
    given.add(`${stamp.ms}.${stamp.tick}`)
    const mark: Mark = { ms: stamp.ms, tick: stamp.tick, writer: context.writer }
    noteMove(write.key, write.mark, mark)
    return mark
  }

  /** Own marks that it names and nothing bears any more, since they went to the quarantine, keep their distance. */
  function moveGone(write: Write, seenLast: Mark | null, correction: number): void {
    for (const mark of marksOfDelta(write)) {
      if (!isOwnElder(state, write, mark) || renamed.has(formatMark(mark))) continue
      if (isConfirmed(state, write.key, mark)) continue
      const { ms, tick } = stampOver(stampAnew(mark, correction), floorOf(write.key, mark, seenLast))
      noteMove(write.key, mark, { ms, tick, writer: context.writer })
    }
  }

  /** The greatest of what is seen under a mark: of the confirmed layer, of own writes, and of those taken since. */
  function floorOf(key: DocumentKey, mark: Mark, seenLast: Mark | null): Mark | null {
    const isUnder = (one: Mark): boolean => compareMarks(one, mark) < 0
    const seen = seenLast !== null && isUnder(seenLast) ? rename(seenLast) : null
    const taken = marksOfRow(state.confirmed(key)).filter(one => state.own.has(one.writer) && isUnder(one))
    const moved = (movesByKey.get(key) ?? []).filter(({ old }) => isUnder(old)).map(({ now }) => now)
    return [...taken, ...moved].reduce<Mark | null>(greaterMark, seen)
  }

  return {
    rename,
    stay: ({ key, mark }) => noteMove(key, mark, mark),
    move(write, seenLast, correction) {
      moveGone(write, seenLast, correction)
      return markAnew(write, seenLast, correction)
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
