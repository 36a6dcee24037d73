/** `counter`: a number that everybody adds to. Concurrent increments add up; nobody's is lost. */
import type { CounterCell, Field, FieldWrite } from '@rejoin/core'
import { unsupported } from './field-value.ts'

export interface CounterPatch {
  readonly increment: number
}

/**
 * A field that counts. Whole numbers are recommended: sums of fractions depend on how they are rounded, although
 * every replica rounds them alike. An insert over a deletion goes on counting (SPEC W5).
 */
export function counter(
  options: { readonly passive?: boolean } = {},
): Field<number, number | undefined, CounterPatch> {
  return {
    strategy: 'counter',
    passive: options.passive ?? false,
    insert: (input, write) => countUp(input ?? 0, write),
    update: (patch, write) => countUp(incrementOf(patch), write),
    read: cell => (cell?.strategy === 'counter' ? sumInOrder(cell) : 0),
  }
}

function incrementOf(patch: CounterPatch | null): number {
  if (typeof patch === 'object' && patch !== null) return patch.increment
  throw unsupported('', 'a counter is updated by { increment }, since others count meanwhile')
}

function countUp(increment: number, { mark, seen }: FieldWrite): CounterCell | null {
  if (typeof increment !== 'number' || !Number.isFinite(increment)) {
    throw unsupported('increment', 'a counter counts by finite numbers')
  }
  if (increment === 0) return null
  const before = seen?.strategy === 'counter' ? (seen.entries.get(mark.writer)?.total ?? 0) : 0
  const total = before + increment
  if (!Number.isFinite(total)) throw unsupported('increment', 'the total would no longer be a finite number')
  return { strategy: 'counter', entries: new Map([[mark.writer, { mark, total }]]) }
}

/** The order of a map is that of arrival, and sums of fractions depend on it; so we add by writer. */
function sumInOrder(cell: CounterCell): number {
  const writers = [...cell.entries.keys()].sort()
  return writers.reduce((sum, writer) => sum + (cell.entries.get(writer)?.total ?? 0), 0)
}
