/**
 * The device's clock, corrected by what relays say (SPEC C2).
 *
 *   guessing -- measured --> anchored -- released --> corrected
 *
 * While a session lasts, time runs with the monotonic clock from where the relay put it, so that a person who sets the
 * device's clock moves nothing. Without one it is the device's clock and the offset that was last known.
 */
import type { Runtime } from '@rejoin/core'

export interface DeviceClock {
  /** Milliseconds since the epoch, as far as this device knows them. */
  now(): number
  /** By how much relays' time is ahead of this device's, in whole milliseconds. */
  readonly offsetMs: number
  /** This is the relay's time now. */
  measured(relayNow: number): void
  /** The session has ended: from here on the device's own clock goes on. */
  released(): void
  /** Another tab knows better. */
  adopt(offsetMs: number): void
}

/** Differences below this are the network's, and not worth telling. */
const noticeableMs = 20

export function createDeviceClock(runtime: Pick<Runtime, 'now' | 'monotonic'>): DeviceClock {
  let anchor: { readonly time: number; readonly at: number } | null = null
  let offset = 0

  function now(): number {
    return anchor === null ? runtime.now() + offset : anchor.time + (runtime.monotonic() - anchor.at)
  }

  /** Follows the device's clock when it jumps while a session holds the time. */
  function settle(): number {
    if (anchor !== null) {
      const current = Math.round(now() - runtime.now())
      if (Math.abs(current - offset) >= noticeableMs) offset = current
    }
    return offset
  }

  return {
    now,
    get offsetMs() {
      return settle()
    },
    measured(relayNow) {
      anchor = { time: relayNow, at: runtime.monotonic() }
      settle()
    },
    released() {
      settle()
      anchor = null
    },
    adopt(offsetMs) {
      if (anchor === null) offset = offsetMs
    },
  }
}
