/**
 * How far the writes of this tab have come: how many are not on this device's disk yet, and which notes hold
 * something that no relay has. What was typed in a text has no handle of its own, so it counts as unsent until
 * nothing is pending at all.
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

export function createTracker(status: Live<Status>): Tracker {
  const unsaved = createCell(0)
  const unsentIds = createCell<ReadonlySet<string>>(new Set())
  const unsentById = new Map<string, number>()
  const typed = new Set<string>()

  const show = (): void => unsentIds.set(new Set([...unsentById.keys(), ...typed]))
  const settle = (noteId: string): void => {
    const left = (unsentById.get(noteId) ?? 1) - 1
    if (left === 0) unsentById.delete(noteId)
    else unsentById.set(noteId, left)
    show()
  }
  const stop = status.subscribe(({ pending }) => {
    if (pending > 0 || typed.size === 0) return
    typed.clear()
    show()
  })

  return {
    unsaved,
    unsentIds,
    track(noteId, write) {
      unsaved.set(unsaved.get() + 1)
      const saved = (): void => unsaved.set(unsaved.get() - 1)
      write.reached('local').then(saved, saved)
      unsentById.set(noteId, (unsentById.get(noteId) ?? 0) + 1)
      show()
      const sent = (): void => settle(noteId)
      write.reached('relay').then(sent, sent)
    },
    trackTyping(noteId) {
      if (typed.has(noteId)) return
      typed.add(noteId)
      show()
    },
    close: stop,
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
