/** Which kind of map holds a row is its maker's affair: contracts compare what is in it. */
import { ListedMap } from '@rejoin/core'

/** The same with every map of few entries as a `Map`, however deep it lies. */
export function withPlainMaps(value: unknown): unknown {
  if (value instanceof Map || value instanceof ListedMap)
    return new Map(Array.from(value, ([key, held]) => [withPlainMaps(key), withPlainMaps(held)]))
  if (Array.isArray(value)) return value.map(withPlainMaps)
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  return Object.fromEntries(Object.entries(value).map(([name, held]) => [name, withPlainMaps(held)]))
}
