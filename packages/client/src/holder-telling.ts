/**
 * What the tab that has the connection tells the others of it: each thing once, and how many writes wait at its leisure,
 * since a message for each write would cost as much as the write.
 */
import type { Runtime } from '@rejoin/core'
import { differenceOfNews, type HolderNews, type TabMessage } from './tab-message.ts'

export interface HolderTelling {
  /** Tells what is not told yet, counts alone a little later. */
  tell(current: HolderNews): void
  /** Counts are told a little later, as they are then. */
  owesCounts(): boolean
  stop(): void
}

export interface HolderTellingOptions {
  readonly runtime: Runtime
  readonly post: (message: TabMessage) => void
  /** As they are when counts are told; null if that is another tab's by then. */
  readonly news: () => HolderNews | null
}

/** So late others hear of counts. */
const countsMs = 100

export function createHolderTelling({ runtime, post, news }: HolderTellingOptions): HolderTelling {
  let told: HolderNews | null = null
  let cancelCounts: (() => void) | null = null

  function tellCounts(): void {
    cancelCounts = null
    const current = news()
    if (current === null) return
    told = current
    post(current)
  }

  return {
    tell(current) {
      const difference = told === null ? 'state' : differenceOfNews(told, current)
      if (difference === 'state') {
        told = current
        post(current)
      } else if (difference === 'counts') {
        cancelCounts ??= runtime.after(countsMs, tellCounts)
      }
    },
    owesCounts: () => cancelCounts !== null,
    stop: () => cancelCounts?.(),
  }
}
