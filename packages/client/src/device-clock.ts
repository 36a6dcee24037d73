/**
 * The device's clock, corrected by what relays say (SPEC C2).
 *
 *   corrected -- measured --> anchored -- slept --> doubtful -- heard of the relay's time --> anchored
 *       ^------------------------ released -------------/
 *
 * While a session lasts, time runs with the monotonic clock from where the relay put it, so that a person who sets the
 * device's clock moves nothing. But a monotonic clock may stand still while the device sleeps; so when the device's
 * clock runs ahead of it, that one is believed, until the relay says its time again.
 */
import type { Runtime } from '@rejoin/core'

export interface DeviceClock {
  /** Milliseconds since the epoch, as far as this device knows them. */
  now(): number
  /** By how much relays' time is ahead of this device's, in whole milliseconds. */
  offsetMs(): number
  /**
   * The relay said its time somewhere on a way there and back that took so long. What that can explain says nothing of
   * the clock: perhaps this tab was frozen on the way.
   */
  measured(relayTime: number, tripMs: number): void
  /** The relay said its time, perhaps a while ago: a message may have waited for a device that slept. */
  heard(relayTime: number, tripMs: number): void
  /** The session has ended: from here on the device's own clock goes on. */
  released(): void
  /** Another tab knows better. */
  adopt(offsetMs: number): void
}

/** Differences below this are the network's, and not worth telling. */
const noticeableMs = 20
/** By so much the two clocks of a device do not drift apart within a session. */
const driftMs = 5000
/** What waited for a device to wake is there within this time. */
const wakingMs = 2000

export function createDeviceClock(runtime: Pick<Runtime, 'now' | 'monotonic'>): DeviceClock {
  let anchor: { readonly time: number; readonly at: number } | null = null
  let doubtfulAt: number | null = null
  let offset = 0

  /** The time; brings offset and anchor up to date with what the device's clock did. */
  function now(): number {
    const own = runtime.now()
    if (anchor === null) return own + offset
    const at = runtime.monotonic()
    const time = anchor.time + (at - anchor.at)
    const current = Math.round(time - own)
    if (current < offset - driftMs) {
      anchor = { time: own + offset, at }
      doubtfulAt ??= at
      return anchor.time
    }
    if (Math.abs(current - offset) >= noticeableMs) offset = current
    return time
  }

  function measured(relayTime: number, tripMs: number): void {
    const known = now()
    const middle = relayTime + tripMs / 2
    const time = Math.abs(known - middle) <= tripMs / 2 ? known : middle
    anchor = { time, at: runtime.monotonic() }
    doubtfulAt = null
    const current = Math.round(time - runtime.now())
    if (Math.abs(current - offset) >= noticeableMs) offset = current
  }

  return {
    now,
    offsetMs() {
      now()
      return offset
    },
    measured,
    heard(relayTime, tripMs) {
      const time = now()
      const isFresh = doubtfulAt !== null && runtime.monotonic() - doubtfulAt > wakingMs
      // A time that waited is too early, never too late.
      if (isFresh || relayTime + tripMs / 2 > time + driftMs) measured(relayTime, tripMs)
    },
    released() {
      now()
      anchor = null
      doubtfulAt = null
    },
    adopt(offsetMs) {
      if (anchor === null) offset = offsetMs
    },
  }
}
