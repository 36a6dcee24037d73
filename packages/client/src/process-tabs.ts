/**
 * Locks and channels between the replicas of one process: what stands in for Web Locks and BroadcastChannel where
 * there are none, and where they would reach too far: replicas in memory share nothing with other tabs.
 */
import type { Channel, LockRequest, Locks, OpenChannel } from '@rejoin/core'

interface Lock {
  holder: { readonly steal: () => void } | null
  readonly queue: (() => void)[]
}

/** A table of locks, granted in the order in which they were asked for. */
export function createProcessLocks(): Locks {
  const locks = new Map<string, Lock>()

  function lockOf(name: string): Lock {
    let lock = locks.get(name)
    if (lock === undefined) locks.set(name, (lock = { holder: null, queue: [] }))
    return lock
  }

  function grantNext(name: string, lock: Lock): void {
    if (lock.holder !== null) return
    const next = lock.queue.shift()
    if (next === undefined) locks.delete(name)
    else next()
  }

  return {
    request(name, { ifAvailable = false, steal = false }, held): LockRequest {
      const lock = lockOf(name)
      let grant: (() => void) | null = null
      const done = new Promise<void>((resolve, reject) => {
        grant = () => {
          grant = null
          const holder = { steal: () => reject(new Error(`the lock ${name} was stolen`)) }
          lock.holder = holder
          const release = (): void => {
            if (lock.holder !== holder) return
            lock.holder = null
            grantNext(name, lock)
          }
          // In a task of its own, as the API has it: whoever asks has the request in hand by then.
          void Promise.resolve()
            .then(() => held(true))
            .then(resolve, reject)
            .finally(release)
        }
        if (steal) {
          const { holder } = lock
          grant()
          holder?.steal()
        } else if (lock.holder === null && lock.queue.length === 0) grant()
        else if (ifAvailable)
          void Promise.resolve()
            .then(() => held(false))
            .then(resolve, reject)
        else lock.queue.push(grant)
      })
      const queued = grant as (() => void) | null
      return {
        done,
        cancel() {
          const at = queued === null ? -1 : lock.queue.indexOf(queued)
          if (at >= 0) lock.queue.splice(at, 1)
        },
      }
    },
  }
}

/** Channels by name. A message comes in a microtask of its own, and never to who sent it. */
export function createProcessChannels(): OpenChannel {
  const channels = new Map<string, Set<(message: unknown) => void>>()
  return (name, hear): Channel => {
    const own = (message: unknown): void => hear(message)
    let all = channels.get(name)
    if (all === undefined) channels.set(name, (all = new Set()))
    const hearers = all.add(own)
    return {
      post(message) {
        for (const other of hearers) {
          if (other === own) continue
          queueMicrotask(() => {
            if (hearers.has(other)) other(message)
          })
        }
      },
      close() {
        hearers.delete(own)
        if (hearers.size === 0 && channels.get(name) === hearers) channels.delete(name)
      },
    }
  }
}
