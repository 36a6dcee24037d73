/** `counter`: for each writer its latest mark and running total; the value is the sum of the totals. */
import { compareMarks, type Mark, type WriterId } from '../mark.ts'

export interface CounterEntry {
  readonly mark: Mark
  /** What this writer has added in all, up to its mark. */
  readonly total: number
}

export interface CounterCell {
  readonly strategy: 'counter'
  readonly entries: ReadonlyMap<WriterId, CounterEntry>
}

/** Returns `a` itself if `b` adds nothing. */
export function joinCounters(a: CounterCell, b: CounterCell): CounterCell {
  let entries: Map<WriterId, CounterEntry> | null = null
  for (const [writer, theirs] of b.entries) {
    const mine = a.entries.get(writer)
    if (mine !== undefined && !isLater(theirs, mine)) continue
    entries ??= new Map(a.entries)
    entries.set(writer, theirs)
  }
  return entries === null ? a : { strategy: 'counter', entries }
}

function isLater(a: CounterEntry, b: CounterEntry): boolean {
  const order = compareMarks(a.mark, b.mark)
  return order > 0 || (order === 0 && a.total > b.total)
}

export function sumOfCounter(cell: CounterCell): number {
  let sum = 0
  for (const entry of cell.entries.values()) sum += entry.total
  return sum
}
