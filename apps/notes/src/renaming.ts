/**
 * Another name is another person to the relay, with notes of their own on this device. So one goes on under the old
 * name until all that was written under it is there, and only then opens the notes under the new one: nothing is sent in
 * another name than it was written in, and nothing is left behind.
 */
import type { Status } from '@rejoin/client'
import type { Watchable } from './live.ts'

/** Calls back once, as soon as nothing waits. Returns how to give up. */
export function whenNothingWaits(status: Watchable<Status>, run: () => void): () => void {
  let isDone = false
  let stop = (): void => {}
  const look = ({ synced, quarantined }: Status): void => {
    if (isDone || !synced || quarantined > 0) return
    isDone = true
    // The first call may come before there is anything to stop.
    queueMicrotask(() => {
      stop()
      run()
    })
  }
  stop = status.subscribe(look)
  return () => {
    isDone = true
    stop()
  }
}
