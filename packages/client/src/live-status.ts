/**
 * The whole status: what the state knows of itself, joined with what is known of connection, storage and clock. Told
 * once for each tick in which something of it changed.
 */
import { callBack, checkListener, type Live } from './live.ts'
import { areSameRelays, type LocalStatus, type Status } from './status.ts'

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
  const subscriptions = new Set<Subscription>()
  let known: Status | null = null
  let stopLocal: (() => void) | null = null
  let isScheduled = false

  function get(): Status {
    const status = joinStatus(local.get(), outer())
    if (known === null || !isSame(known, status)) known = Object.freeze(status)
    return known
  }

  function tell(): void {
    isScheduled = false
    if (subscriptions.size === 0) return
    const status = get()
    for (const subscription of [...subscriptions]) {
      if (subscription.told === status || !subscriptions.has(subscription)) continue
      subscription.told = status
      callBack(subscription.listener, status)
    }
  }

  function look(): void {
    if (isScheduled || subscriptions.size === 0) return
    isScheduled = true
    queueMicrotask(tell)
  }

  return {
    get,
    look,
    subscribe(listener) {
      checkListener(listener)
      stopLocal ??= local.subscribe(look)
      const told = get()
      const subscription: Subscription = { listener, told }
      subscriptions.add(subscription)
      callBack(listener, told)
      return () => {
        subscriptions.delete(subscription)
        if (subscriptions.size > 0) return
        stopLocal?.()
        stopLocal = null
      }
    },
    close() {
      subscriptions.clear()
      stopLocal?.()
      stopLocal = null
    },
  }
}

interface Subscription {
  readonly listener: (status: Status) => void
  told: Status
}

function joinStatus(local: LocalStatus, { isLevel, ...outer }: OuterStatus): Status {
  return { ...local, ...outer, synced: outer.connection === 'online' && isLevel && local.pending === 0 }
}

function isSame(a: Status, b: Status): boolean {
  const isAlike = (name: string): boolean =>
    name === 'relays' || a[name as keyof Status] === b[name as keyof Status]
  return areSameRelays(a.relays, b.relays) && Object.keys(a).every(isAlike) && Object.keys(b).every(isAlike)
}
