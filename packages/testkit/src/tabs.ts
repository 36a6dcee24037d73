/** Locks and channels between the tabs of one profile, simulated: a tab that dies lets go, a frozen one does not. */
import { copyRecord } from '@rejoin/client'
import type { Channel, LockRequest, Locks, OpenChannel } from '@rejoin/core'
import type { Chance } from './chance.ts'
import type { Scope } from './scope.ts'

export interface SimulatedProfile {
  locksOf(scope: Scope): Locks
  channelsOf(scope: Scope): OpenChannel
}

interface Waiting {
  readonly scope: Scope
  readonly grant: () => void
}

interface Lock {
  holder: { readonly scope: Scope; readonly steal: () => void; readonly release: () => void } | null
  readonly queue: Waiting[]
}

export function createSimulatedProfile(chance: Chance): SimulatedProfile {
  const locks = new Map<string, Lock>()
  const listeners = new Map<
    string,
    Set<{ readonly scope: Scope; readonly hear: (message: unknown) => void }>
  >()

  function lockOf(name: string): Lock {
    let lock = locks.get(name)
    if (lock === undefined) locks.set(name, (lock = { holder: null, queue: [] }))
    return lock
  }

  function next(lock: Lock): void {
    while (lock.holder === null && lock.queue.length > 0) {
      const first = lock.queue.shift()
      if (first?.scope.alive === true) first.grant()
    }
  }

  return {
    locksOf: scope => ({
      request(name, options, held): LockRequest {
        const lock = lockOf(name)
        let waiting: Waiting | null = null
        const done = new Promise<void>((resolve, reject) => {
          const hold = (): void => {
            const release = (): void => {
              if (lock.holder !== holder) return
              lock.holder = null
              next(lock)
            }
            const holder = {
              scope,
              release,
              steal: () => {
                lock.holder = null
                scope.after(0, () => reject(new Error('the lock was stolen')))
              },
            }
            lock.holder = holder
            scope.onKill(release)
            // Held until what the holder does with it ends; it hears of it in a task of its own.
            scope.after(0, () => {
              held(true).then(
                () => {
                  release()
                  resolve()
                },
                error => {
                  release()
                  reject(error)
                },
              )
            })
          }
          if (options.steal === true) {
            lock.holder?.steal()
            hold()
          } else if (lock.holder === null && lock.queue.length === 0) hold()
          else if (options.ifAvailable === true) held(false).then(resolve, reject)
          else {
            waiting = { scope, grant: hold }
            lock.queue.push(waiting)
          }
        })
        return {
          done,
          cancel() {
            const at = waiting === null ? -1 : lock.queue.indexOf(waiting)
            if (at >= 0) lock.queue.splice(at, 1)
          },
        }
      },
    }),
    channelsOf: scope => (name, hear) => {
      const listener = { scope, hear }
      let set = listeners.get(name)
      if (set === undefined) listeners.set(name, (set = new Set()))
      set.add(listener)
      const close = (): void => void set.delete(listener)
      scope.onKill(close)
      const channel: Channel = {
        post(message) {
          let copy: unknown
          for (const other of set) {
            if (other === listener || !other.scope.alive) continue
            copy ??= copyRecord(message)
            other.scope.after(chance.next() * 4, () => void (set.has(other) && other.hear(copy)))
          }
        },
        close,
      }
      return channel
    },
  }
}
