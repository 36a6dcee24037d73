/**
 * Changes of the state, gathered: whoever listens is called once for everything that one tick brought, so that a
 * screen is not drawn in the middle of a batch.
 */
import { unionOfKeys, type Applied, type WriterId } from '@rejoin/core'
import { createListeners } from './listeners.ts'
import { callBack } from './live.ts'

export interface AppliedBatch {
  note(applied: Applied): void
  /** The same of what `commit` did, whose caller is told which rows that changed, and brings them up to date at once. */
  noteOwn(applied: Applied): void
  /**
   * Calls back at the end of each tick in which something was noted; with `nothingApplied` if that was own rows alone.
   * Returns how to stop.
   */
  onApplied(listener: (applied: Applied) => void): () => void
  close(): void
}

export const nothingApplied: Applied = {
  changed: new Set(),
  writers: new Map(),
  rebuilt: new Set(),
  arrived: new Map(),
}
const noKeys = nothingApplied.changed
const begun = Promise.resolve()

export function createAppliedBatch(): AppliedBatch {
  const listeners = createListeners<Applied>()
  /** What came first, as it was told: most ticks bring one thing, and it may be all that there is. */
  let first = noKeys
  /** What came after it: what opens brings thousands of keys, and nobody has read any of their documents yet. */
  let more: Applied['changed'][] = []
  let writers = new Map<WriterId, WriterId>()
  let rebuilt = new Set<string>()
  let arrived = new Map<string, Uint8Array[]>()
  let isScheduled = false
  let isOwnAlone = true
  let isClosed = false

  function tell(): void {
    isScheduled = false
    if (isClosed) return
    if (isOwnAlone) return listeners.call(nothingApplied)
    isOwnAlone = true
    // What nothing was put into is used again: most ticks bring rows and nothing else.
    const applied: Applied = {
      changed: more.length === 0 ? first : unionOfKeys(first, more),
      writers: writers.size === 0 ? nothingApplied.writers : writers,
      rebuilt: rebuilt.size === 0 ? nothingApplied.rebuilt : rebuilt,
      arrived: arrived.size === 0 ? nothingApplied.arrived : arrived,
    }
    first = noKeys
    if (more.length > 0) more = []
    if (writers.size > 0) writers = new Map()
    if (rebuilt.size > 0) rebuilt = new Set()
    if (arrived.size > 0) arrived = new Map()
    listeners.call(applied)
  }

  function gatherUpdates(came: Applied['arrived']): void {
    for (const [body, updates] of came) {
      const gathered = arrived.get(body)
      if (gathered === undefined) arrived.set(body, [...updates])
      else for (const update of updates) gathered.push(update)
    }
  }

  function schedule(): void {
    if (isScheduled) return
    isScheduled = true
    // A microtask as any other, which engines begin faster than one that is asked for by name.
    void begun.then(tell)
  }

  const batch: AppliedBatch = {
    note(applied) {
      isOwnAlone = false
      if (first === noKeys) first = applied.changed
      else more.push(applied.changed)
      if (applied.writers.size > 0) for (const [from, to] of applied.writers) writers.set(from, to)
      if (applied.rebuilt.size > 0) for (const body of applied.rebuilt) rebuilt.add(body)
      if (applied.arrived.size > 0) gatherUpdates(applied.arrived)
      schedule()
    },
    noteOwn(applied) {
      if (applied.arrived.size > 0) batch.note(applied)
      else schedule()
    },
    onApplied: listener => listeners.add(applied => callBack(listener, applied)),
    close() {
      isClosed = true
      listeners.clear()
    },
  }
  return batch
}
