/**
 * One total order over all values, so that sorting never depends on where it began: first by kind (nothing, booleans,
 * numbers, dates, strings, bytes and lists, everything else), then within the kind. Strings stand in the order of
 * their UTF-16 units, which is the same on every device, whatever its language.
 */
import { timeOf } from '../shown-value.ts'

/** Negative if `a` comes first, 0 if the order does not tell them apart. */
export function compareValues(a: unknown, b: unknown): number {
  if (a === b) return 0
  const kind = kindOf(a)
  const other = kindOf(b)
  if (kind !== other) return kind - other
  if (isNumeric(a) && isNumeric(b)) return compareNumbers(a, b)
  if (typeof a === 'boolean') return a ? 1 : -1
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0
  if (isList(a) && isList(b)) return compareLists(a, b)
  return compareNumbers(timeOf(a) ?? 0, timeOf(b) ?? 0)
}

/** Whether an order between these two means anything: `gt` and its like hold only within one kind. */
export function isComparable(a: unknown, b: unknown): boolean {
  const kind = kindOf(a)
  return kind === kindOf(b) && kind !== kinds.nothing && kind !== kinds.other
}

const kinds = { nothing: 0, boolean: 1, number: 2, date: 3, string: 4, list: 5, other: 6 }

function kindOf(value: unknown): number {
  if (value === undefined || value === null) return kinds.nothing
  if (typeof value === 'boolean') return kinds.boolean
  if (isNumeric(value)) return kinds.number
  if (typeof value === 'string') return kinds.string
  if (isList(value)) return kinds.list
  return timeOf(value) === null ? kinds.other : kinds.date
}

function isNumeric(value: unknown): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint'
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || value instanceof Uint8Array
}

/** What is not a number comes first, so that the order stays total. */
function compareNumbers(a: number | bigint, b: number | bigint): number {
  if (a < b) return -1
  if (a > b) return 1
  return Number(Number.isNaN(b)) - Number(Number.isNaN(a))
}

function compareLists(a: ArrayLike<unknown>, b: ArrayLike<unknown>): number {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) {
    const order = compareValues(a[i], b[i])
    if (order !== 0) return order
  }
  return a.length - b.length
}
