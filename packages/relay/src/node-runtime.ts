/**
 * Node's clock, chance and timers: the only file of the relay that touches them.
 */
import { getRandomValues } from 'node:crypto'
import type { Runtime } from '@rejoin/core'

export const nodeRuntime: Runtime = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  randomBytes: length => getRandomValues(new Uint8Array(length)),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs)
    return () => clearTimeout(timer)
  },
}

/** Runs when the sockets that are readable in this turn of the event loop have been read. */
export function afterThisTurn(run: () => void): void {
  setImmediate(run)
}
