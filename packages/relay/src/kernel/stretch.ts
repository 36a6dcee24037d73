/** Work that may take long, in stretches: other spaces, and the sockets, have their turn between two of them. */
import type { Runtime } from '@rejoin/core'

export interface Stretch {
  isOver(): boolean
  /** Another one begins when it resolves. */
  letOthersGo(): Promise<void>
}

/** How long one is: a day offline comes at once, in a few of them. */
const stretchMs = 10

export function createStretch(runtime: Runtime): Stretch {
  let began = runtime.monotonic()
  return {
    isOver: () => runtime.monotonic() - began > stretchMs,
    async letOthersGo() {
      await new Promise<void>(resolve => void runtime.after(0, resolve))
      began = runtime.monotonic()
    },
  }
}
