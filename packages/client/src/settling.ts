/** Who waits until nothing is on its way any more, as of when they began to wait. */
import type { RejoinError } from '@rejoin/core'

export interface Settling {
  /** Resolves when it is so, at or after the call. Whoever does not wait for it hears nothing of its rejection. */
  settled(): Promise<void>
  /** It may be so now. */
  look(): void
  close(error: unknown): void
}

export interface SettlingOptions {
  /** Why it can never be so, if it cannot. */
  readonly never: RejoinError | null
  /** Whether a relay has acknowledged all that was written here. */
  readonly isAllSent: () => boolean
  /** Asks the relay where its feed ends now. Says from then on whether all up to there is here. */
  readonly askCut: () => () => boolean
}

interface Waiter {
  readonly isFresh: () => boolean
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

export function createSettling({ never, isAllSent, askCut }: SettlingOptions): Settling {
  let waiting: Waiter[] = []
  let closed: { readonly error: unknown } | null = never === null ? null : { error: never }
  /** What all who began to wait in this tick asked together. */
  let asked: (() => boolean) | null = null

  function ask(): () => boolean {
    if (asked === null) {
      asked = askCut()
      queueMicrotask(() => {
        asked = null
      })
    }
    return asked
  }

  function look(): void {
    if (waiting.length > 0 && isAllSent()) settle()
  }

  function settle(): void {
    const settled = waiting.filter(({ isFresh }) => isFresh())
    waiting = waiting.filter(waiter => !settled.includes(waiter))
    for (const { resolve } of settled) resolve()
  }

  return {
    settled() {
      const promise = new Promise<void>((resolve, reject) => {
        if (closed !== null) return reject(closed.error)
        waiting.push({ isFresh: ask(), resolve, reject })
        look()
      })
      promise.catch(() => {})
      return promise
    },
    look,
    close(error) {
      closed = { error }
      for (const { reject } of waiting) reject(error)
      waiting = []
    },
  }
}
