/**
 * Changes of the state, gathered: whoever listens is called once for everything that one tick brought, so that a
 * screen is not drawn in the middle of a batch.
 */
import { unionOfKeys, type Applied, type DocumentKey, type WriterId } from '@rejoin/core'
import { callBack } from './live.ts'

export interface AppliedBatch {
  note(applied: Applied): void
  /** Calls back at the end of each tick in which something was noted. Returns how to stop. */
  onApplied(listener: (applied: Applied) => void): () => void
  close(): void
}

const noKeys: ReadonlySet<DocumentKey> = new Set()

export function createAppliedBatch(): AppliedBatch {
  const listeners = new Set<(applied: Applied) => void>()
  /** What came first, as it was told: most ticks bring one thing, and it may be all that there is. */
  let first: ReadonlySet<DocumentKey> = noKeys
  let more = new Set<DocumentKey>()
  let writers = new Map<WriterId, WriterId>()
  let rebuilt = new Set<string>()
  let arrived = new Map<string, Uint8Array[]>()
  let isScheduled = false
  let isClosed = false

  function tell(): void {
    isScheduled = false
    if (isClosed) return
    const applied: Applied = { changed: unionOfKeys(first, more), writers, rebuilt, arrived }
    first = noKeys
    more = new Set()
    writers = new Map()
    rebuilt = new Set()
    arrived = new Map()
    for (const listener of [...listeners]) if (listeners.has(listener)) callBack(listener, applied)
  }

  return {
    note(applied) {
      if (first === noKeys) first = applied.changed
      else for (const key of applied.changed) more.add(key)
      for (const [from, to] of applied.writers) writers.set(from, to)
      for (const body of applied.rebuilt) rebuilt.add(body)
      for (const [body, updates] of applied.arrived) {
        const gathered = arrived.get(body)
        if (gathered === undefined) arrived.set(body, [...updates])
        else gathered.push(...updates)
      }
      if (isScheduled) return
      isScheduled = true
      queueMicrotask(tell)
    },
    onApplied(listener) {
      const own = (applied: Applied): void => listener(applied)
      listeners.add(own)
      return () => void listeners.delete(own)
    },
    close() {
      isClosed = true
      listeners.clear()
    },
  }
}
