/** Locks between tabs by the Web Locks API. */
import type { LockRequest, Locks } from '@rejoin/core'

/** What the API offers, as far as it is used here. */
export type LockManagerLike = Pick<LockManager, 'request'>

export function createWebLocks(manager: LockManagerLike): Locks {
  return {
    request(name, { ifAvailable = false, steal = false }, held): LockRequest {
      const waiting = new AbortController()
      // The API refuses a signal beside `steal` and `ifAvailable`, neither of which waits.
      const options: LockOptions = steal
        ? { steal }
        : ifAvailable
          ? { ifAvailable }
          : { signal: waiting.signal }
      let isCancelled = false
      const done = Promise.resolve(
        manager.request(name, options, lock => {
          // A signal that comes as the lock is granted comes too late for the API, but not for the caller.
          if (isCancelled) return undefined
          return held(lock !== null)
        }),
      ).catch((error: unknown) => {
        if (!isCancelled) throw error
      })
      return {
        done: done.then(() => undefined),
        cancel() {
          isCancelled = true
          waiting.abort()
        },
      }
    },
  }
}
