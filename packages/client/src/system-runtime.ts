/**
 * The system's time and chance, in browsers, in their workers and in Node.
 *
 * Taken when this module is loaded: a test that replaces timers later (`vi.useFakeTimers()`) does not stop a replica in
 * the middle of closing, and a replica's deadlines do not wait for somebody to turn the clock. Whoever wants to turn it
 * gives `ports: { runtime }`.
 */
import type { Runtime } from '@rejoin/core'

const { Date, setTimeout, clearTimeout } = globalThis
const monotonic = performance.now.bind(performance)

/** Of a timer that is set for longer, about 25 days, platforms make one that ends at once. */
const longestMs = 2 ** 31 - 1

export const systemRuntime: Runtime = {
  now: () => Date.now(),
  monotonic,
  randomBytes: length => crypto.getRandomValues(new Uint8Array(length)),
  after(delayMs, run) {
    const start = (leftMs: number): ReturnType<typeof setTimeout> =>
      leftMs <= longestMs
        ? setTimeout(run, leftMs)
        : setTimeout(() => (timer = start(leftMs - longestMs)), longestMs)
    let timer = start(delayMs)
    return () => clearTimeout(timer)
  },
}
