/** Keeps the marker beside the database true while this tab holds the connection (see journal/loss.ts). */
import { writerFromBytes, type Runtime, type StoreId } from '@rejoin/core'
import type { Holdings } from './journal/holdings.ts'
import type { Marker } from './journal/loss.ts'

export interface MarkedReplica {
  /** This tab has the lock: from now on an end is in order only if `leave` says so. */
  hold(): void
  /** How much is on this device alone may have changed. */
  note(): void
  /** The lock is let go in order. */
  leave(): void
  /** The lock was taken: the marker is its new holder's. */
  lose(): void
}

/** Each note costs a count of what waits, perhaps a synchronous write of the browser's, so they are gathered. */
const noteMs = 500

export function markReplica(
  marker: Marker,
  holdings: Pick<Holdings, 'note'> | null,
  replica: StoreId,
  runtime: Pick<Runtime, 'after' | 'randomBytes'>,
  unsent: () => number,
): MarkedReplica {
  let holding: string | null = null
  let told = -1
  let cancel: (() => void) | null = null

  function write(left: string | null): void {
    cancel?.()
    cancel = null
    told = unsent()
    marker.write({ replica, left, unsent: told })
  }

  function lose(): void {
    holding = null
    cancel?.()
    cancel = null
  }

  return {
    hold() {
      holding = writerFromBytes(runtime.randomBytes(8))
      write(null)
      // What keeps it from being stored keeps everything else from it too, and is told there.
      holdings?.note(holding).catch(() => {})
    },
    note() {
      if (holding === null || cancel !== null) return
      cancel = runtime.after(noteMs, () => {
        cancel = null
        if (unsent() !== told) write(null)
      })
    },
    leave() {
      if (holding !== null) write(holding)
      lose()
    },
    lose,
  }
}
