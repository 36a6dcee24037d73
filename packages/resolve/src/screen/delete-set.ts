/**
 * Delete sets: which clocks of which Yjs clients are deleted. Normal form: ranges sorted, apart from each other and
 * not empty, so that two are equal exactly if they delete the same.
 */

/** Clocks from `clock` on, `length` of them. */
export interface ClockRange {
  readonly clock: number
  readonly length: number
}

export type DeleteSet = ReadonlyMap<number, readonly ClockRange[]>

/** The union of delete sets and of ranges in any order, in normal form. */
export function joinDeleteSets(sets: Iterable<DeleteSet>): DeleteSet {
  const gathered = new Map<number, ClockRange[]>()
  for (const set of sets) {
    for (const [client, ranges] of set) {
      const known = gathered.get(client)
      if (known === undefined) gathered.set(client, [...ranges])
      else for (const range of ranges) known.push(range)
    }
  }
  const joined = new Map<number, readonly ClockRange[]>()
  for (const [client, ranges] of gathered) joined.set(client, normalizeRanges(ranges))
  return joined
}

function normalizeRanges(ranges: ClockRange[]): readonly ClockRange[] {
  ranges.sort((a, b) => a.clock - b.clock)
  const normal: ClockRange[] = []
  for (const range of ranges) {
    const last = normal.at(-1)
    if (last === undefined || last.clock + last.length < range.clock) {
      normal.push(range)
      continue
    }
    const end = Math.max(last.clock + last.length, range.clock + range.length)
    normal[normal.length - 1] = { clock: last.clock, length: end - last.clock }
  }
  return normal
}
