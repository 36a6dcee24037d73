/** The marks that a write bears and names, and what a relay must know of them (SPEC W3, T1, C4). */
import { cellCovers, type Cell } from '../cells/cell.ts'
import { skewOfMark } from '../clock.ts'
import type { Deletion } from '../deletion.ts'
import { failure, type Failure } from '../errors.ts'
import { keysOf, valuesOf } from '../listed-map.ts'
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
  const last = (): Mark | null => lastOfRow(row)
  const error = findMark(write, (mark, named) => {
    const beyond = skewOfMark(mark, context.now, last)
    if (beyond > 0) return failure('clock-skew', { relayTime: context.now, ms: beyond })
    if (isSameMark(mark, write.mark)) return null
    if (!named)
      return failure('not-permitted', { reason: `a write bears its own mark, not ${formatMark(mark)}` })
    if (mark.writer === write.mark.writer) return null
    const other = context.writer(mark.writer)
    if (other?.user === context.user) return null
    if (other !== undefined && compareMarks(other.highest, mark) >= 0) return null
    return rowKnows(row, mark) ? null : failure('unknown-mark', { mark: formatMark(mark) })
  })
  if (error !== null) return error
  const { cells } = write.delta
  const brought = valuesOf(cells)
  for (let i = 0; i < brought.length; i++)
    if (!cellCovers(brought[i] as Cell, write.mark))
      return failure('not-permitted', {
        reason: `what a write brings of ${keysOf(cells)[i]} does not bear its mark`,
      })
  return null
}

/**
 * Hands over every mark of a write's delta until `visit` finds something, which it returns. A mark is `named` if the
 * write saw, replaced, removed or revived by it, rather than bore it. Called for every write, so it makes no objects.
 */
export function findMark<T>(
  { delta, mark: own, replaced }: Pick<Write, 'delta' | 'mark' | 'replaced'>,
  visit: (mark: Mark, named: boolean) => T | null,
): T | null {
  const cells = valuesOf(delta.cells)
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i] as Cell
    const found = cell.strategy === 'lww' ? visit(cell.last, false) : findMarkOfCell(cell, visit)
    if (found !== null) return found
  }
  if (delta.deletion !== null) {
    const found = findMarkOfDeletion(delta.deletion, visit)
    if (found !== null) return found
  }
  if (delta.revival !== null) {
    const found = visit(delta.revival, false)
    if (found !== null) return found
  }
  return findMarkIn(replaced, visit, true) ?? visit(own, false)
}

/** Every mark of a write's delta. */
export function marksOfDelta(write: Pick<Write, 'delta' | 'mark' | 'replaced'>): readonly Mark[] {
  const marks: Mark[] = []
  findMark(write, mark => {
    marks.push(mark)
    return null
  })
  return marks
}

function findMarkOfCell<T>(cell: Cell, visit: (mark: Mark, named: boolean) => T | null): T | null {
  switch (cell.strategy) {
    case 'lww':
      return visit(cell.last, false)
    case 'ask':
      for (const { mark, base } of cell.siblings) {
        const found = visit(mark, false) ?? (base === null ? null : visit(base.mark, true))
        if (found !== null) return found
      }
      return findMarkIn(cell.context, visit, true)
    case 'set':
      for (const { added, removed } of cell.elements.values()) {
        const found =
          (added === null ? null : visit(added, false)) ?? (removed === null ? null : visit(removed, true))
        if (found !== null) return found
      }
      // The context of a delta that merges names nobody but its own write.
      return findMarkIn(cell.context, visit, false)
    case 'counter':
      for (const { mark } of cell.entries.values()) {
        const found = visit(mark, false)
        if (found !== null) return found
      }
      return null
    case 'text':
      return findMarkIn(cell.context, visit, false)
  }
}

function findMarkOfDeletion<T>(
  deletion: Deletion,
  visit: (mark: Mark, named: boolean) => T | null,
): T | null {
  const own = visit(deletion.mark, false)
  if (own !== null) return own
  for (const seen of deletion.seen.values()) {
    const found =
      seen.kind === 'last'
        ? visit(seen.mark, true)
        : seen.kind === 'context'
          ? findMarkIn(seen.context, visit, true)
          : null
    if (found !== null) return found
  }
  return null
}

function findMarkIn<T>(
  marks: ReadonlyMap<string, Mark>,
  visit: (mark: Mark, named: boolean) => T | null,
  named: boolean,
): T | null {
  if (marks.size === 0) return null
  const all = valuesOf(marks)
  for (let i = 0; i < all.length; i++) {
    const found = visit(all[i] as Mark, named)
    if (found !== null) return found
  }
  return null
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
