/** A small emitter: what happened, for whoever listens. States of affairs are in the status, not here. */
import { callBack } from './live.ts'

export interface Events<Table> {
  /** Returns how to stop. */
  on<Name extends keyof Table>(name: Name, listener: (detail: Table[Name]) => void): () => void
  emit<Name extends keyof Table>(name: Name, detail: Table[Name]): void
  /** As `emit`, and again for each who listens later: for what happened before anybody could. */
  keep<Name extends keyof Table>(name: Name, detail: Table[Name]): void
  close(): void
}

export function createEvents<Table>(): Events<Table> {
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
