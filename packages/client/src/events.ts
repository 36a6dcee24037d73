/** A small emitter: what happened, for whoever listens. States of affairs are in the status, not here. */
import { callBack, checkListener } from './live.ts'

export interface Events<Table> {
  /** Returns how to stop. Throws a TypeError for an event that there is not, and for a listener that is no function. */
  on<Name extends keyof Table>(name: Name, listener: (detail: Table[Name]) => void): () => void
  emit<Name extends keyof Table>(name: Name, detail: Table[Name]): void
  /** As `emit`, and again for each who listens later: for what happened before anybody could. */
  keep<Name extends keyof Table>(name: Name, detail: Table[Name]): void
  close(): void
}

/** `names`: what can happen at all. */
export function createEvents<Table>(names: readonly (keyof Table & string)[]): Events<Table> {
  const listeners = new Map<keyof Table, Set<(detail: never) => void>>()
  const kept = new Map<keyof Table, unknown>()
  let isClosed = false

  function emit<Name extends keyof Table>(name: Name, detail: Table[Name]): void {
    for (const listener of [...(listeners.get(name) ?? [])]) {
      callBack(listener as (detail: Table[Name]) => void, detail)
    }
  }

  return {
    on(name, listener) {
      checkListener(listener)
      if (!names.includes(name as keyof Table & string))
        throw new TypeError(`there is no event ${String(name)}, only ${names.join(', ')}`)
      const own = (detail: never): void => listener(detail)
      const all = listeners.get(name) ?? new Set()
      if (!isClosed) listeners.set(name, all.add(own))
      if (kept.has(name)) {
        const detail = kept.get(name) as never
        queueMicrotask(() => {
          if (all.has(own)) callBack(own, detail)
        })
      }
      return () => void all.delete(own)
    },
    emit,
    keep(name, detail) {
      kept.set(name, detail)
      emit(name, detail)
    },
    close() {
      isClosed = true
      listeners.clear()
    },
  }
}
