/**
 * The whole status: what the state knows of itself, joined with what is known of connection, storage and clock. Told
 * once for each tick in which something of it changed.
 */
import { callBack, type Live } from './live.ts'
import type { LocalStatus, Status } from './status.ts'

export interface LiveStatus extends Live<Status> {
  /** Something beside the state may have changed. */
  look(): void
  close(): void
}

/** What the status has beside the state. */
export type OuterStatus = Omit<Status, keyof LocalStatus | 'synced'> & {
  /** Level with the relay, and this tab with the one that has the connection. */
  readonly isLevel: boolean
}

export function createLiveStatus(local: Live<LocalStatus>, outer: () => OuterStatus): LiveStatus {
  const listeners = new Set<(status: Status) => void>()
  let known: Status | null = null
  let stopLocal: (() => void) | null = null
  let isScheduled = false
  let told: Status | null = null

  function get(): Status {
    const status = joinStatus(local.get(), outer())
    if (known === null || !isSame(known, status)) known = Object.freeze(status)
    return known
  }

  function tell(): void {
    isScheduled = false
    if (listeners.size === 0) return
    const status = get()
    if (status === told) return
    told = status
    for (const listener of [...listeners]) if (listeners.has(listener)) callBack(listener, status)
  }

  function look(): void {
    if (isScheduled || listeners.size === 0) return
    isScheduled = true
    queueMicrotask(tell)
  }

  return {
    get,
    look,
    subscribe(listener) {
      const own = (status: Status): void => listener(status)
      stopLocal ??= local.subscribe(look)
      listeners.add(own)
      // Whoever came before is told of what changed since as well.
      if (told !== get()) look()
      callBack(own, get())
      return () => {
        listeners.delete(own)
        if (listeners.size > 0) return
        stopLocal?.()
        stopLocal = null
        told = null
      }
    },
    close() {
      listeners.clear()
      stopLocal?.()
      stopLocal = null
    },
  }
}

function joinStatus(local: LocalStatus, { isLevel, ...outer }: OuterStatus): Status {
  return { ...local, ...outer, synced: outer.connection === 'online' && isLevel && local.pending === 0 }
}

function isSame(a: Status, b: Status): boolean {
  const names = Object.keys({ ...a, ...b }) as (keyof Status)[]
  return names.every(name => a[name] === b[name])
}
