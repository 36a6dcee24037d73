/**
 * What a replica does for itself when nothing else is to be done: it writes pages when the journal has grown, tries
 * again to store what did not fit, and, once a day, forgets tombstones (SPEC D2) and lets go of what relays that do not
 * come have not fetched (SPEC L2).
 */
import { limits, RejoinError, StorageCollision, type Runtime } from '@rejoin/core'
import type { Engine } from './engine.ts'
import { overdue } from './hand-off.ts'
import type { Fence } from './journal/fence.ts'

export interface Housekeeping {
  /** The journal has grown. */
  note(): void
  /** Own writes could not be stored, or, with null, could again. */
  fault(error: RejoinError | null): void
  /** Tries at once what waits for its next try. */
  retry(): void
  close(): void
}

export interface HousekeepingOptions {
  readonly engine: () => Engine
  readonly runtime: Pick<Runtime, 'after' | 'monotonic'>
  /** The fence, if this tab has the connection and its session is at a cut; else null. */
  readonly sessionFence: () => Fence | null
  /** Runs something in which no session stores or decides what to store. */
  readonly inTurn: <T>(run: () => Promise<T>) => Promise<T>
}

/** After the last change that was heard of, but at the latest after the first one that nothing was done for. */
const idleMs = 3000
const idleMaxMs = 30_000
/** After a compaction that another tab was at, or that failed, or left something to be done. */
const laterMs = 60_000
/** What an engine aborts for a reason of its own it mostly takes the next time; what it goes on refusing can wait. */
const flushMs = 250
const flushMaxMs = 60_000
const forgetFirstMs = 60_000
const forgetEveryMs = 24 * 3_600_000

export function createHousekeeping({
  engine,
  runtime,
  sessionFence,
  inTurn,
}: HousekeepingOptions): Housekeeping {
  let isClosed = false
  let cancelCompact: (() => void) | null = null
  let cancelFlush: (() => void) | null = null
  let cancelForget = runtime.after(forgetFirstMs, forgetLater)
  let flushDelay = flushMs
  let isCompacting = false
  /** When the journal grew first and last since something was done for it. */
  let grown: { readonly first: number; last: number } | null = null

  function compactAfter(ms: number): void {
    if (isClosed) return
    cancelCompact?.()
    cancelCompact = runtime.after(ms, () => {
      cancelCompact = null
      const left = grown === null ? 0 : dueIn(grown)
      if (left > 0) compactAfter(left)
      else void compact()
    })
  }

  function dueIn({ first, last }: { readonly first: number; readonly last: number }): number {
    return Math.min(last + idleMs, first + idleMaxMs) - runtime.monotonic()
  }

  async function compact(): Promise<void> {
    const { journal } = engine()
    grown = null
    if (isCompacting || journal.due() === null) return
    isCompacting = true
    try {
      const done = await journal.compact()
      // What came meanwhile was not noted, and whoever took over need not come to an end with it.
      if (done === 'busy' || journal.due() !== null) compactAfter(laterMs)
    } catch (error) {
      if (!(error instanceof RejoinError)) throw error
      compactAfter(laterMs)
    } finally {
      isCompacting = false
    }
  }

  function flush(): void {
    cancelFlush?.()
    cancelFlush = null
    if (isClosed) return
    engine()
      .journal.flush()
      .catch(() => flushLater())
  }

  function flushLater(): void {
    if (isClosed || cancelFlush !== null) return
    cancelFlush = runtime.after(flushDelay, () => {
      cancelFlush = null
      flush()
    })
    flushDelay = Math.min(flushMaxMs, 2 * flushDelay)
  }

  function forgetLater(): void {
    if (isClosed) return
    // A day counts from a time at which it could be done.
    cancelForget = runtime.after(sessionFence() === null ? forgetFirstMs : forgetEveryMs, forgetLater)
    forget().catch((error: unknown) => {
      if (!(error instanceof RejoinError) && !(error instanceof StorageCollision)) throw error
    })
  }

  async function forget(): Promise<void> {
    const fence = sessionFence()
    if (fence === null) return
    const { journal, state, now } = engine()
    const ids = overdue(state, now())
    if (ids.length > 0) await journal.append({ kind: 'settled', ids }, { durability: 'relaxed', fence })
    await journal.forget({
      fence,
      before: now() - limits.tombstoneMs,
      // Writers in use need no look: whoever has written what is forgotten takes another one (see engine.ts).
      may: key => !state.outbox.touches(key),
      inTurn,
    })
  }

  return {
    note() {
      if (isCompacting) return
      const now = runtime.monotonic()
      // A timer that runs is left to find out how much longer to wait: who types fast would set thousands.
      if (grown !== null) {
        grown.last = now
        return
      }
      grown = { first: now, last: now }
      compactAfter(idleMs)
    },
    fault(error) {
      if (error === null) flushDelay = flushMs
      else flushLater()
    },
    retry() {
      if (cancelFlush !== null) flush()
    },
    close() {
      isClosed = true
      cancelCompact?.()
      cancelFlush?.()
      cancelForget()
    },
  }
}
