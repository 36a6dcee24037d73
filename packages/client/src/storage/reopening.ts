/**
 * A storage that outlives its connection: one that the browser closed by itself (its process ended, a file could not be
 * read, somebody cleared the site) is opened again.
 *
 *   open -- closed by the browser --> opening -- the same database --> open
 *                                     |    ^
 *                                     |    +-- failed: after a while, which grows
 *                                     +-- another one stands there: dropped
 *
 * Nothing is tried again here but the opening: whether what was in flight came to the disk, only who reads there knows.
 */
import { RejoinError, type OpenStorage, type Runtime, type Storage, type StorageLoss } from '@rejoin/core'
import { backOffDelay } from '../back-off.ts'
import { createListeners } from '../listeners.ts'

export interface ReopeningStorage extends Storage {
  /** Calls back with why it cannot be opened again yet, and with null once it is open. Returns how to stop. */
  onOutage(listener: (error: RejoinError | null) => void): () => void
  /** Tries at once what waits for its next try. */
  retry(): void
}

/** A connection that held for so long was a good one: the next is asked for at once. */
const healthyMs = 10_000

/** `isSame`: whether what was opened again is the database that was open before. */
export function reopening(
  open: OpenStorage,
  runtime: Pick<Runtime, 'after' | 'monotonic' | 'randomBytes'>,
  isSame: (storage: Storage) => Promise<boolean> = async () => true,
): (...of: Parameters<OpenStorage>) => Promise<ReopeningStorage> {
  return async (...of) => {
    const losses = createListeners<StorageLoss>()
    const outages = createListeners<RejoinError | null>()
    let held: Storage | null = null
    let heldSince = 0
    let running: Promise<void> | null = null
    let refusal: RejoinError = lostError(of[0], 'closed')
    let isOver = false
    let isOut = false
    let failures = 0
    let failingSince = 0
    let cancel = (): void => {}

    function hold(storage: Storage): void {
      held = storage
      heldSince = runtime.monotonic()
      storage.onLost(loss => {
        if (held !== storage) return
        held = null
        if (loss !== 'closed') return lose(loss)
        if (runtime.monotonic() - heldSince >= healthyMs) failures = 0
        if (failures > 0) return putOff(lostError(of[0], loss))
        failures = 1
        failingSince = runtime.monotonic()
        start()
      })
    }

    function lose(loss: StorageLoss): void {
      if (isOver) return
      isOver = true
      refusal = lostError(of[0], loss)
      losses.call(loss)
    }

    function putOff(error: RejoinError): void {
      refusal = error
      failures += 1
      cancel = runtime.after(backOffDelay(runtime, failures, runtime.monotonic() - failingSince), start)
      isOut = true
      outages.call(error)
    }

    function start(): void {
      running = reopen().finally(() => {
        running = null
      })
    }

    async function reopen(): Promise<void> {
      let storage: Storage | null = null
      try {
        storage = await open(...of)
        const isOurs = await isSame(storage)
        if (!isOver && isOurs) return resume(storage)
        storage.close()
        lose('dropped')
      } catch (error) {
        storage?.close()
        if (!(error instanceof RejoinError)) throw error
        if (!isOver) putOff(error)
      }
    }

    function resume(storage: Storage): void {
      hold(storage)
      if (!isOut) return
      isOut = false
      outages.call(null)
    }

    async function whenOpen(options: Parameters<Storage['transact']>[0]): Promise<readonly unknown[]> {
      await running
      if (held === null) throw refusal
      return held.transact(options)
    }

    hold(await open(...of))
    return {
      // An async function would give the answer on three microtasks late, to each of many that wait for it.
      transact: options => held?.transact(options) ?? whenOpen(options),
      onLost: losses.add,
      onOutage: outages.add,
      retry() {
        if (isOver || held !== null || running !== null) return
        cancel()
        start()
      },
      close() {
        if (isOver && held === null) return
        isOver = true
        refusal = closedError(of[0], 'it was closed')
        cancel()
        held?.close()
        held = null
      },
    }
  }
}

const reasons: Readonly<Record<StorageLoss, string>> = {
  closed: 'the browser closed the connection',
  taken: 'the browser or another tab took the database away',
  dropped: 'the browser dropped what was in it',
}

function lostError(name: string, loss: StorageLoss): RejoinError<'storage-closed'> {
  return closedError(name, reasons[loss])
}

function closedError(name: string, reason: string): RejoinError<'storage-closed'> {
  return new RejoinError('storage-closed', { reason }, `${name}: ${reason}; open it again`)
}
