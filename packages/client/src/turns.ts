/**
 * The sessions of a replica store in turn: one chunk of all of them is on its way to the disk at most, so each of them
 * decides over a state that holds what the others stored. Whoever cannot go on is called when it can, the first first.
 */
export interface Turns {
  /**
   * Whether this one may store now; else it is called once it may. Whoever stored last lets others go first, unless it
   * is urgent: what it has to store decides about what they would do.
   */
  isFree(wake: () => void, isUrgent: boolean): boolean
  take(wake: () => void): void
  release(): void
  /** Lets those go on that wait. */
  wakeOthers(): void
  /** Stores something that is no session's, once none is storing; until it ends, none decides about what to store. */
  run<T>(store: () => Promise<T>): Promise<T>
}

export function createTurns(): Turns {
  const waiting = new Set<() => void>()
  let isTaken = false
  let last: (() => void) | null = null
  function wakeOthers(): void {
    while (!isTaken) {
      const [next] = waiting
      if (next === undefined) return
      waiting.delete(next)
      next()
    }
  }

  return {
    isFree(wake, isUrgent) {
      if (!isTaken && (isUrgent || last !== wake || waiting.size === 0)) return true
      waiting.add(wake)
      return false
    },
    take(wake) {
      isTaken = true
      last = wake
    },
    release() {
      isTaken = false
    },
    wakeOthers,
    async run(store) {
      while (isTaken) await new Promise<void>(resolve => waiting.add(resolve))
      isTaken = true
      last = null
      try {
        return await store()
      } finally {
        isTaken = false
        wakeOthers()
      }
    },
  }
}
