/**
 * Changes of the state, gathered: whoever listens is called once for everything that one tick brought, so that a
 * screen is not drawn in the middle of a batch.
 */
import type { Applied, DocumentKey, WriterId } from '@rejoin/core'
import { callBack } from './live.ts'

export interface AppliedBatch {
  note(applied: Applied): void
  /** Calls back at the end of each tick in which something was noted. Returns how to stop. */
  onApplied(listener: (applied: Applied) => void): () => void
  close(): void
}

export function createAppliedBatch(): AppliedBatch {
  const listeners = new Set<(applied: Applied) => void>()
  let changed: Set<DocumentKey> | null = null
  /** What came first, as it was told: most ticks bring one thing, and it may be a cold start. */
  let first: ReadonlySet<DocumentKey> | null = null
  let writers = new Map<WriterId, WriterId>()
  let rebuilt = new Set<string>()
  let arrived = new Map<string, Uint8Array[]>()
  let isScheduled = false
  let isClosed = false

  function tell(): void {
    isScheduled = false
    if (isClosed) return
    const applied: Applied = { changed: changed ?? first ?? new Set(), writers, rebuilt, arrived }
    changed = first = null
    writers = new Map()
    rebuilt = new Set()
    arrived = new Map()
    for (const listener of [...listeners]) if (listeners.has(listener)) callBack(listener, applied)
  }

  return {
    note(applied) {
      if (first === null) {
        first = applied.changed
      } else {
        changed ??= new Set(first)
        for (const key of applied.changed) changed.add(key)
      }
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
