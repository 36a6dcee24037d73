/** The order of store keys, as IndexedDB has it: numbers, then strings by code unit, then arrays place by place. */
import type { KeyRange, StoreKey } from '@rejoin/core'

export function compareKeys(a: StoreKey, b: StoreKey): number {
  const order = rank(a) - rank(b)
  if (order !== 0) return order
  if (typeof a === 'object' && typeof b === 'object') {
    for (let i = 0; i < a.length && i < b.length; i++) {
      const place = compareKeys(a[i] ?? 0, b[i] ?? 0)
      if (place !== 0) return place
    }
    return a.length - b.length
  }
  return a < b ? -1 : a > b ? 1 : 0
}

export function isRange(range: KeyRange | StoreKey): range is KeyRange {
  return typeof range === 'object' && !Array.isArray(range)
}

/** Whether a key lies before a range (-1), in it (0) or after it (1). */
export function placeInRange(key: StoreKey, range: KeyRange | StoreKey | undefined): -1 | 0 | 1 {
  if (range === undefined) return 0
  const { lower, lowerOpen, upper, upperOpen }: KeyRange = isRange(range)
    ? range
    : { lower: range, upper: range }
  if (lower !== undefined) {
    const order = compareKeys(key, lower)
    if (order < 0 || (order === 0 && lowerOpen === true)) return -1
  }
  if (upper !== undefined) {
    const order = compareKeys(key, upper)
    if (order > 0 || (order === 0 && upperOpen === true)) return 1
  }
  return 0
}

function rank(key: StoreKey): number {
  return typeof key === 'number' ? 0 : typeof key === 'string' ? 1 : 2
}
