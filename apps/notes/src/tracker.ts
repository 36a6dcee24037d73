/**
 * How far writes have come: how many of this tab's are not on this device's disk yet, and which notes hold something
 * that no relay has. What was typed in a text has no handle of its own, and handles end with their page; so what is
 * known of those is kept beside the notes, and let go of when nothing is pending at all. In doubt a note counts as
 * unsent: the marker may come off late, never early.
 */
import type { Live, Reachable, Status } from '@rejoin/client'
import type { Watchable } from './live.ts'

export interface Tracker {
  readonly unsaved: Watchable<number>
  readonly unsentIds: Watchable<ReadonlySet<string>>
  track(noteId: string, write: Reachable): void
  trackTyping(noteId: string): void
  close(): void
}

export interface TrackerMemory {
  read(): readonly string[]
  write(noteIds: readonly string[]): void
}

export function createTracker(status: Live<Status>, memory: TrackerMemory): Tracker {
  const unsaved = createCell(0)
  const unsentIds = createCell<ReadonlySet<string>>(new Set())
  const countById = new Map<string, number>()
  const inDoubt = new Set<string>(memory.read())

  const show = (): void => {
    const ids = new Set([...countById.keys(), ...inDoubt])
    unsentIds.set(ids)
    memory.write([...ids])
  }
  const settle = (noteId: string): void => {
    const left = (countById.get(noteId) ?? 1) - 1
    if (left === 0) countById.delete(noteId)
    else countById.set(noteId, left)
    show()
  }
  show()
  const stop = status.subscribe(({ pending }) => {
    if (pending > 0 || inDoubt.size === 0) return
    inDoubt.clear()
    show()
  })

  return {
    unsaved,
    unsentIds,
    track(noteId, write) {
      unsaved.set(unsaved.get() + 1)
      const saved = (): void => unsaved.set(unsaved.get() - 1)
      write.reached('local').then(saved, saved)
      countById.set(noteId, (countById.get(noteId) ?? 0) + 1)
      show()
      const sent = (): void => settle(noteId)
      write.reached('relay').then(sent, sent)
    },
    trackTyping(noteId) {
      if (inDoubt.has(noteId)) return
      inDoubt.add(noteId)
      show()
    },
    close: stop,
  }
}

/** Remembers ids in a place of the browser's; where it keeps nothing, for as long as the page lasts. */
export function createTrackerMemory(
  storage: () => Pick<Storage, 'getItem' | 'setItem'>,
  space: string,
): TrackerMemory {
  const key = `rejoin-notes:unsent:${space}`
  return {
    read() {
      try {
        const ids: unknown = JSON.parse(storage().getItem(key) ?? '[]')
        return Array.isArray(ids) ? ids.filter(id => typeof id === 'string') : []
      } catch {
        return []
      }
    },
    write(noteIds) {
      try {
        storage().setItem(key, JSON.stringify(noteIds))
      } catch {
        // Full or forbidden; then a reload forgets the markers, and the status bar still counts.
      }
    },
  }
}

interface Cell<Value> extends Watchable<Value> {
  set(value: Value): void
}

function createCell<Value>(initial: Value): Cell<Value> {
  let value = initial
  const listeners = new Set<(value: Value) => void>()
  return {
    get: () => value,
    set(next) {
      value = next
      for (const listener of listeners) listener(next)
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
