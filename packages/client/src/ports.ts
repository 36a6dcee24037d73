/**
 * Everything outside of a client, in one place: what a browser, a Node program and the simulator each provide.
 */
import type { Connect, Locks, OpenChannel, OpenStorage, Runtime } from '@rejoin/core'
import type { Marker } from './journal/loss.ts'

export interface ClientPorts {
  readonly runtime: Runtime
  readonly openStorage: OpenStorage
  readonly locks: Locks
  readonly openChannel: OpenChannel
  readonly connect: Connect
  readonly page: Page
  readonly marker: Marker
  readonly persistence: 'indexeddb' | 'memory'
}

/** What happens to the page that a client lives in. A program without pages never calls back. */
export interface Page {
  /** Whether somebody looks at it. */
  visible(): boolean
  /** Calls back on each change. Returns how to stop. */
  on(listener: (event: PageEvent) => void): () => void
}

/**
 * `hidden`, `visible`: of the tab. `leave`, `back`: into the back-forward cache and out of it. `online`: the network
 * may be there again. `freeze` and time jumps are found by the clock.
 */
export type PageEvent = 'hidden' | 'visible' | 'leave' | 'back' | 'online'

/** What survives the loss of a store: a line in `localStorage` for each database. */
