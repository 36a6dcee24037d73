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

export const systemRuntime: Runtime = {
  now: () => Date.now(),
  monotonic,
  randomBytes: length => crypto.getRandomValues(new Uint8Array(length)),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs)
    return () => clearTimeout(timer)
  },
}
