// Cells that lie encoded and maps of few entries are equal to maps by what they hold, in every comparison of a unit test.
import { ListedMap } from '@rejoin/core'
import { expect } from 'vitest'

expect.addEqualityTesters([
  function (a: unknown, b: unknown): boolean | undefined {
    if (!isNoMap(a) && !isNoMap(b)) return undefined
    return isMapOfCells(a) && isMapOfCells(b) && this.equals(new Map(a), new Map(b))
  },
])

function isNoMap(value: unknown): boolean {
  return value instanceof ListedMap || liesEncoded(value)
}

function liesEncoded(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'readValue' in value && 'cellIn' in value
}

/** A map, whether its cells lie encoded, or are few, or not. */
export function isMapOfCells(value: unknown): value is ReadonlyMap<unknown, unknown> {
  return value instanceof Map || isNoMap(value)
}
