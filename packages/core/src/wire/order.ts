/** The one order in which maps by name are written: by UTF-16 code units, whatever the order of insertion. */

import { ListedMap } from '../listed-map.ts'

/**
 * The map itself if it is in order already, which is the rule: a decoder fills maps in this order, and joins keep it.
 */
export function sortedEntries<K extends string, V>(map: ReadonlyMap<K, V>): Iterable<readonly [K, V]> {
  if (map.size < 2 || areKeysInOrder(map)) return map
  return [...map].sort((a, b) => compareNames(a[0], b[0]))
}

/** Calls with each, in that order. What rows are encoded by, so it makes no objects for them. */
export function forEachInOrder<K extends string, V>(
  map: ReadonlyMap<K, V>,
  call: (value: V, key: K) => void,
): void {
  if (map.size < 2 || areKeysInOrder(map)) return map.forEach(call)
  for (const [key, value] of sortedEntries(map)) call(value, key)
}

/** Apart from lists, so that each loop meets one kind of thing and makes no objects. */
function areKeysInOrder(map: ReadonlyMap<string, unknown>): boolean {
  if (map instanceof ListedMap) return isInOrder(map.names)
  let before = ''
  for (const name of map.keys()) {
    if (name < before) return false
    before = name
  }
  return true
}

export function isInOrder(names: readonly string[]): boolean {
  for (let i = 1; i < names.length; i++) if ((names[i] as string) < (names[i - 1] as string)) return false
  return true
}

export function compareNames(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1
}
