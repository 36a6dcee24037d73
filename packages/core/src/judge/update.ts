/**
 * Updates, which nearly all writes are: one `lww` cell of a document that is here and was never deleted, over an older
 * one. What judge.ts asks of a write is asked of these in one go, without what only others could fail in.
 *
 * Invariant: what is taken here and by the application's rule, judge.ts takes, and makes the same row of it. All else is
 * left to that, which says why it is refused.
 */
import type { LwwCell } from '../cells/lww.ts'
import { limits } from '../limits.ts'
import { copyListed, keysOf, valuesOf } from '../listed-map.ts'
import { compareMarks, isSameMark, type Mark } from '../mark.ts'
import type { PartName, Row } from '../row.ts'
import { sizeOfCells } from '../size.ts'
import type { Write } from '../write.ts'
import type { JudgeContext } from './judge.ts'
import { judgeNames } from './shape.ts'

/** The row that an update makes of the one that is here, unless the application's rule refuses it; null if it is none. */
export function judgeUpdate(write: Write, row: Row, context: JudgeContext): Row | null {
  const { mark, delta } = write
  const cell = onlyCell(write)
  if (cell === null || row.deletion !== null || !isSameMark(cell.last, mark)) return null
  const part = keysOf(delta.cells)[0] as PartName
  const stands = row.cells.get(part)
  // What shows already, or is lost, is answered otherwise (SPEC A4, Q1).
  if (stands?.strategy !== 'lww' || compareMarks(mark, stands.last) <= 0) return null
  if (!isWithin(cell.value.length, stands.value.length, row)) return null
  const record = context.writer(mark.writer)
  if (record !== undefined && record.user !== context.user) return null
  const latest = context.now + limits.skewMs
  if (mark.ms > latest || !isKnown(write, part, stands.last, latest) || judgeNames(write) !== null)
    return null
  return { cells: copyListed(row.cells).set(part, cell), deletion: null, revival: row.revival }
}

/** What a write brings, if that is one `lww` cell and nothing else. */
function onlyCell({ delta, texts, whole }: Write): LwwCell | null {
  if (whole || texts.size > 0 || delta.cells.size !== 1) return null
  if (delta.deletion !== null || delta.revival !== null) return null
  const cell = valuesOf(delta.cells)[0]
  return cell?.strategy === 'lww' ? cell : null
}

/** F4: of a row that does not grow nothing is counted. */
function isWithin(length: number, before: number, row: Row): boolean {
  if (length > limits.valueBytesMax) return false
  return length <= before || sizeOfCells(row.cells) + length - before <= limits.rowValueBytesMax
}

/** T1: whether it names nothing as replaced but what its own writer wrote, or what the cell here covers. */
function isKnown({ mark, replaced }: Write, part: PartName, last: Mark, latest: number): boolean {
  if (replaced.size === 0) return true
  const seen = replaced.get(part)
  if (seen === undefined || replaced.size > 1 || seen.ms > latest) return false
  return seen.writer === mark.writer || compareMarks(seen, last) <= 0
}
