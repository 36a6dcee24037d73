/**
 * The order of transactions, by places that only rise: who has walked it goes on where it was, and meets what came since.
 * A walk begins anew where the places were given anew.
 *
 * Thousands come at its end and leave from its beginning, one by one; so where one stands that is neither is looked for
 * when it is asked for, and no earlier.
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
  /** Behind the last place. */
  readonly end: number
  /** The one at a place; null if it has left. */
  at(place: number): TransactionId | null
  /** All of them, whatever leaves while it is walked. */
  ids(): Iterable<TransactionId>
}

/** So many gaps are left at least before the places are given anew: then half of them are gaps. */
const gapsMin = 1024

export function createOutboxLine(): OutboxLine {
  let all: (TransactionId | null)[] = []
  /** Before this place there are only gaps. */
  let first = 0
  let gaps = 0
  /** Of the first `placed` of them. */
  let places = new Map<TransactionId, number>()
  let placed = 0

  function replace(ids: (TransactionId | null)[]): void {
    all = ids
    first = 0
    gaps = 0
    places = new Map()
    placed = 0
    line.epoch += 1
    line.end = ids.length
  }

  function placeOf(id: TransactionId): number | undefined {
    for (; placed < all.length; placed++) {
      const other = all[placed]
      if (other) places.set(other, placed)
    }
    const place = places.get(id)
    return place === undefined || all[place] !== id ? undefined : place
  }

  const line = {
    epoch: 0,
    end: 0,
    append(id: TransactionId) {
      line.end = all.push(id)
    },
    remove(id: TransactionId) {
      const place = all[first] === id ? first : placeOf(id)
      if (place === undefined) return
      all[place] = null
      gaps += 1
      while (first < all.length && all[first] === null) first += 1
      if (placed > 0) places.delete(id)
      if (gaps >= gapsMin && gaps > all.length - gaps)
        replace(gaps === first ? all.slice(first) : all.filter(one => one !== null))
    },
    clear: () => replace([]),
    isBefore: (one: TransactionId, other: TransactionId) =>
      (placeOf(one) ?? 0) < (placeOf(other) ?? Infinity),
    at: (place: number) => all[place] ?? null,
    *ids() {
      const walked = all
      for (let at = first; at < walked.length; at++) {
        const id = walked[at]
        if (id) yield id
      }
    },
  }
  return line
}
