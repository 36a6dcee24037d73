/** Time, chance and timers of the system: the one place of the client where they are touched, beside the socket. */
import type { Runtime } from '@rejoin/core'

/** Works in browsers, in their workers and in Node. */
export const systemRuntime: Runtime = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  randomBytes: length => crypto.getRandomValues(new Uint8Array(length)),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs)
    return () => clearTimeout(timer)
  },
}
