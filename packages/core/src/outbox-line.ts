/**
 * The order of what an outbox has on disk, by places that only rise: who has walked it goes on where it was, and meets what came since.
 * A walk begins anew where the places were given anew.
 */
import type { TransactionId } from './write.ts'

export interface OutboxLine {
  /** Rises when the places are given anew. */
  readonly epoch: number
  append(id: TransactionId): void
  remove(id: TransactionId): void
  /** All places are given anew from here on. */
  clear(): void
  /** Of one that has a place, whether it stands before another, which may have none yet. */
  isBefore(one: TransactionId, other: TransactionId): boolean
  /** Those at a place and behind it, also those that come while it is walked. */
  from(place: number): Iterable<readonly [place: number, id: TransactionId]>
}

/** So many gaps are left at least before the places are given anew: then half of them are gaps. */
const gapsMin = 1024

export function createOutboxLine(): OutboxLine {
  let ids: (TransactionId | null)[] = []
  let places = new Map<TransactionId, number>()
  let epoch = 0

  function replace(all: Iterable<TransactionId>): void {
    ids = []
    places = new Map()
    for (const id of all) append(id)
    epoch += 1
  }

  function append(id: TransactionId): void {
    places.set(id, ids.length)
    ids.push(id)
  }

  return {
    get epoch() {
      return epoch
    },
    append,
    remove(id) {
      const place = places.get(id)
      if (place === undefined) return
      places.delete(id)
      ids[place] = null
      const gaps = ids.length - places.size
      if (gaps >= gapsMin && gaps > places.size) replace(places.keys())
    },
    clear: () => replace([]),
    isBefore: (one, other) => (places.get(one) ?? 0) < (places.get(other) ?? Infinity),
    *from(place) {
      const begun = epoch
      for (let at = place; at < ids.length && epoch === begun; at++) {
        const id = ids[at]
        if (id) yield [at, id]
      }
    },
  }
}
