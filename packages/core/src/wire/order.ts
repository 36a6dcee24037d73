/** The one order in which maps by name are written: by UTF-16 code units, whatever the order of insertion. */

/** Sorting is skipped where nothing is to sort, which is the rule for single changes. */
export function sortedEntries<K extends string, V>(map: ReadonlyMap<K, V>): readonly (readonly [K, V])[] {
  const entries = [...map]
  return entries.length < 2 ? entries : entries.sort((a, b) => compareNames(a[0], b[0]))
}

export function compareNames(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1
}
