/**
 * Group commit: everything that was handed over in one turn of the event loop, for any number of spaces, goes to disk
 * in one transaction, so many writes share one fsync. Each promise settles after that transaction, never before
 * (SPEC A1); if it fails, each of them learns why, and the next turn begins afresh.
 */
import type { Runtime } from '@rejoin/core'
import { afterThisTurn } from '../node-runtime.ts'

export interface Group<T> {
  add(entry: T): Promise<void>
  /** Writes what is waiting now, and settles it. */
  flush(): void
}

interface Waiting<T> {
  readonly entry: T
  readonly resolve: () => void
  readonly reject: (reason: unknown) => void
}

// If writing took longer than this, one more turn is given to the sockets, so that the next group is larger.
const slowMs = 1

export function createGroup<T>(runtime: Runtime, write: (entries: readonly T[]) => void): Group<T> {
  let waiting: Waiting<T>[] = []
  let wasSlow = false

  function flush(): void {
    if (waiting.length === 0) return
    const group = waiting
    waiting = []
    const began = runtime.monotonic()
    try {
      write(group.map(one => one.entry))
    } catch (error) {
      for (const one of group) one.reject(error)
      return
    } finally {
      wasSlow = runtime.monotonic() - began > slowMs
    }
    for (const one of group) one.resolve()
  }

  return {
    add: entry =>
      new Promise((resolve, reject) => {
        if (waiting.push({ entry, resolve, reject }) > 1) return
        afterThisTurn(wasSlow ? () => afterThisTurn(flush) : flush)
      }),
    flush,
  }
}
