/**
 * Ends a relay when the system asks its process to end. The first signal counts; a terminal and a package manager may
 * send several for one Ctrl-C, and ending takes a bounded time anyway.
 */
import type { Relay } from './shell.ts'

const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const

/** On a signal: closes the relay, then ends the process with code 0. */
export function closeOnSignal(relay: Pick<Relay, 'close'>): void {
  let isClosing = false
  for (const signal of signals) {
    process.on(signal, () => {
      if (isClosing) return
      isClosing = true
      void relay.close().then(
        () => process.exit(0),
        (error: unknown) => {
          console.error(error)
          process.exit(1)
        },
      )
    })
  }
}
