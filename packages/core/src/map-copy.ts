/**
 * A copy of a map. The constructor, and a loop over entries until it is compiled, make two objects for each entry; what is
 * called with each makes none.
 */
export function copyMap<K, V>(map: ReadonlyMap<K, V>): Map<K, V> {
  const copy = new Map<K, V>()
  map.forEach((value, key) => copy.set(key, value))
  return copy
}
