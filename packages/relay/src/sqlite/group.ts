/**
 * Group commit: everything that was handed over in one turn of the event loop, for any number of spaces, goes to disk
 * in one transaction, so many writes share one fsync. Each promise settles after that transaction, never before
 * (SPEC A1); if it fails, each of them learns why, and the next turn begins afresh. What is too much for the disk in one
 * space is no reason to refuse another's: of a group that failed, what belongs together is written by itself, unless it
 * failed for what keeps everybody out.
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

/** Entries with the same owner stand or fall together. */
export function createGroup<T>(
  runtime: Runtime,
  write: (entries: readonly T[]) => void,
  ownerOf: (entry: T) => string,
  /** Whether no part of a group can be written either: thousands of tries would each wait as long as the first. */
  keepsAllOut: (reason: unknown) => boolean,
): Group<T> {
  let waiting: Waiting<T>[] = []
  let wasSlow = false

  function flush(): void {
    if (waiting.length === 0) return
    const group = waiting
    waiting = []
    const began = runtime.monotonic()
    const error = attempt(group)
    if (error === null) for (const { resolve } of group) resolve()
    else settleApart(group, error)
    wasSlow = runtime.monotonic() - began > slowMs
  }

  function attempt(group: readonly Waiting<T>[]): { readonly reason: unknown } | null {
    try {
      write(group.map(({ entry }) => entry))
      return null
    } catch (reason) {
      return { reason }
    }
  }

  function settleApart(group: readonly Waiting<T>[], failed: { readonly reason: unknown }): void {
    const owners = new Set(group.map(({ entry }) => ownerOf(entry)))
    let outOfAll = owners.size === 1 || keepsAllOut(failed.reason) ? failed : null
    for (const owner of owners) {
      const part = group.filter(({ entry }) => ownerOf(entry) === owner)
      const error = outOfAll ?? attempt(part)
      if (error !== null && keepsAllOut(error.reason)) outOfAll = error
      for (const { resolve, reject } of part) {
        if (error === null) resolve()
        else reject(error.reason)
      }
    }
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
