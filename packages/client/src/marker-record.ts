/** Keeps the marker beside the database true while this tab holds the connection (see journal/loss.ts). */
import type { Runtime, StoreId } from '@rejoin/core'
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

/** Each note costs a synchronous write of the browser's, so they are gathered. */
const noteMs = 500

export function markReplica(
  marker: Marker,
  replica: StoreId,
  runtime: Pick<Runtime, 'after'>,
  unsent: () => number,
): MarkedReplica {
  let isHeld = false
  let told = -1
  let cancel: (() => void) | null = null

  function write(clean: boolean): void {
    cancel?.()
    cancel = null
    told = unsent()
    marker.write({ replica, clean, unsent: told })
  }

  function lose(): void {
    isHeld = false
    cancel?.()
    cancel = null
  }

  return {
    hold() {
      isHeld = true
      write(false)
    },
    note() {
      if (!isHeld || cancel !== null || unsent() === told) return
      cancel = runtime.after(noteMs, () => write(false))
    },
    leave() {
      if (isHeld) write(true)
      lose()
    },
    lose,
  }
}
