/**
 * What relays acknowledged, kept apart from any replica: facts about things that come once and may go once (documents,
 * elements, lines). A fact is acknowledged when the write that made it is. Between a removal and its acknowledgement a
 * thing may be there or not.
 */
export interface Things {
  /** Notes a write that brings a thing; call the result when a relay acknowledged it. */
  bring(thing: string): () => void
  /** Notes a write that takes a thing away; call the result when a relay acknowledged it. */
  remove(thing: string): () => void
  /** A thing that is acknowledged and nobody began to remove, by a fraction of all; null if there is none. */
  pick(fraction: number): string | null
  /** Everything acknowledged so far, as a check of what some replica shows at any later time. */
  claim(): (shown: ReadonlySet<string>) => readonly string[]
  readonly acknowledged: number
}

export function createThings(kind: string): Things {
  const here = new Set<string>()
  const leaving = new Set<string>()
  const gone = new Set<string>()
  let acknowledged = 0
  return {
    bring: thing => () => {
      acknowledged += 1
      here.add(thing)
    },
    remove(thing) {
      leaving.add(thing)
      return () => {
        acknowledged += 1
        gone.add(thing)
      }
    },
    pick(fraction) {
      const free = [...here].filter(thing => !leaving.has(thing))
      return free[Math.floor(fraction * free.length)] ?? null
    },
    claim() {
      const brought = [...here]
      const removed = [...gone]
      return shown => [
        ...brought
          .filter(thing => !shown.has(thing) && !leaving.has(thing))
          .map(thing => `${kind} ${thing} is missing`),
        ...removed.filter(thing => shown.has(thing)).map(thing => `${kind} ${thing} is back`),
      ]
    },
    get acknowledged() {
      return acknowledged
    },
  }
}

/** A number that only grows: what is shown is at least what was acknowledged, and at most what was ever written. */
export interface Growing {
  grow(by: number): () => void
  claim(): (shown: number) => readonly string[]
  readonly written: number
  readonly acknowledged: number
}

export function createGrowing(name: string): Growing {
  let written = 0
  let sum = 0
  let acknowledged = 0
  return {
    grow(by) {
      written += by
      return () => {
        sum += by
        acknowledged += 1
      }
    },
    claim() {
      const least = sum
      return shown =>
        shown >= least && shown <= written ? [] : [`${name} is ${shown}, not ${least} to ${written}`]
    },
    get written() {
      return written
    },
    get acknowledged() {
      return acknowledged
    },
  }
}
