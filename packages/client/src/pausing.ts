/** Pausing: what the application said last, in whichever tab, holds in all of them. What a tab said that is gone since may come late. */
import type { Runtime } from '@rejoin/core'
import type { TabMessage } from './tab-message.ts'

/** What the application said last, in whichever tab. */
export interface Pausing {
  readonly isPaused: boolean
  /** When that was, by the device's clock, and after what was known to have been said before. */
  readonly at: number
}

export interface SharedPausing {
  said(): Pausing
  /** The application says it in this tab. */
  say(isPaused: boolean): void
  /** It was said in some tab. */
  heed(said: Pausing): void
}

export interface SharedPausingOptions {
  readonly runtime: Pick<Runtime, 'now'>
  readonly post: (message: TabMessage) => void
  readonly onChange: (isPaused: boolean) => void
}

export function createSharedPausing({ runtime, post, onChange }: SharedPausingOptions): SharedPausing {
  let last: Pausing = { isPaused: false, at: 0 }

  function heed(said: Pausing): void {
    if (!isLaterPausing(said, last)) return
    last = said
    onChange(said.isPaused)
  }

  return {
    said: () => last,
    say(isPaused) {
      const said = { isPaused, at: Math.max(runtime.now(), last.at + 1) }
      post({ kind: 'pausing', pausing: said })
      heed(said)
    },
    heed,
  }
}

/** Whether one was said after another. Of two that were said at once, to go on stands. */
function isLaterPausing(one: Pausing, other: Pausing): boolean {
  return one.at > other.at || (one.at === other.at && other.isPaused && !one.isPaused)
}

export function isPausing(pausing: Partial<Pausing> | undefined): boolean {
  return typeof pausing?.isPaused === 'boolean' && Number.isFinite(pausing.at)
}
