/** The marks that a write bears and names, and what a relay must know of them (SPEC W3, T1, C4). */
import { contextOfCell } from '../cells/cell.ts'
import { skewOfMark } from '../clock.ts'
import { contextCovers, type Context } from '../context.ts'
import { failure, type Failure } from '../errors.ts'
import { compareMarks, formatMark, isSameMark, yjsClientOf, type Mark } from '../mark.ts'
import { lastOfRow, type Row } from '../row.ts'
import type { Write } from '../write.ts'
import type { JudgeContext } from './judge.ts'

/** W3, T1: what it writes bears its one mark, of a writer of its user; what it names as seen must be known here. */
export function judgeMarks(write: Write, row: Row | undefined, context: JudgeContext): Failure | null {
  const record = context.writer(write.mark.writer)
  if (record !== undefined && record.user !== context.user) {
    return failure('client-id-taken', { client: yjsClientOf(write.mark.writer) })
  }
  const last = lastOfRow(row)
  for (const { mark, named } of marksOfDelta(write)) {
    const beyond = skewOfMark(mark, context.now, last)
    if (beyond > 0) return failure('clock-skew', { relayTime: context.now, ms: beyond })
    if (isSameMark(mark, write.mark)) continue
    if (!named)
      return failure('not-permitted', { reason: `a write bears its own mark, not ${formatMark(mark)}` })
    const other = context.writer(mark.writer)
    if (mark.writer === write.mark.writer || other?.user === context.user) continue
    if (other !== undefined && compareMarks(other.highest, mark) >= 0) continue
    if (!rowKnows(row, mark)) return failure('unknown-mark', { mark: formatMark(mark) })
  }
  for (const [name, cell] of write.delta.cells) {
    if (!contextCovers(contextOfCell(cell), write.mark))
      return failure('not-permitted', { reason: `what a write brings of ${name} does not bear its mark` })
  }
  return null
}

interface BorneMark {
  readonly mark: Mark
  /** Seen, replaced, removed or revived by the write, rather than written by it. */
  readonly named: boolean
}

/** Every mark of a write's delta. */
export function* marksOfDelta({
  delta,
  mark: own,
  replaced,
}: Pick<Write, 'delta' | 'mark' | 'replaced'>): Iterable<BorneMark> {
  for (const cell of delta.cells.values()) {
    switch (cell.strategy) {
      case 'lww':
        yield { mark: cell.last, named: false }
        break
      case 'ask':
        for (const sibling of cell.siblings) {
          yield { mark: sibling.mark, named: false }
          if (sibling.base !== null) yield { mark: sibling.base.mark, named: true }
        }
        yield* named(cell.context)
        break
      case 'set':
        for (const { added, removed } of cell.elements.values()) {
          if (added !== null) yield { mark: added, named: false }
          if (removed !== null) yield { mark: removed, named: true }
        }
        yield* ownOnly(cell.context)
        break
      case 'counter':
        for (const entry of cell.entries.values()) yield { mark: entry.mark, named: false }
        break
      case 'text':
        yield* ownOnly(cell.context)
    }
  }
  if (delta.deletion !== null) {
    yield { mark: delta.deletion.mark, named: false }
    for (const seen of delta.deletion.seen.values()) {
      if (seen.kind === 'last') yield { mark: seen.mark, named: true }
      if (seen.kind === 'context') yield* named(seen.context)
    }
  }
  if (delta.revival !== null) yield { mark: delta.revival, named: false }
  for (const mark of replaced.values()) yield { mark, named: true }
  yield { mark: own, named: false }
}

function* named(context: Context): Iterable<BorneMark> {
  for (const mark of context.values()) yield { mark, named: true }
}

/** The context of a delta that merges names nobody but its own write. */
function* ownOnly(context: Context): Iterable<BorneMark> {
  for (const mark of context.values()) yield { mark, named: false }
}

/** Whether a row covers a mark: it holds one of that writer's that is not smaller (of `lww`, up to its `last`). */
function rowKnows(row: Row | undefined, mark: Mark): boolean {
  if (row === undefined) return false
  const covers = (held: Mark | null): boolean =>
    held !== null && held.writer === mark.writer && compareMarks(held, mark) >= 0
  if (covers(row.revival) || covers(row.deletion?.mark ?? null)) return true
  for (const cell of row.cells.values()) {
    if (cell.strategy === 'lww') {
      if (compareMarks(cell.last, mark) >= 0) return true
    } else if (cell.strategy === 'counter') {
      if (covers(cell.entries.get(mark.writer)?.mark ?? null)) return true
    } else if (covers(cell.context.get(mark.writer) ?? null)) return true
  }
  for (const seen of row.deletion?.seen.values() ?? []) {
    if (seen.kind === 'last' && covers(seen.mark)) return true
    if (seen.kind === 'context' && covers(seen.context.get(mark.writer) ?? null)) return true
  }
  return false
}
