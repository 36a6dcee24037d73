/**
 * Resting: a new replica is sent pages that were made before it came. They are made once a space has grown by much and
 * has rested since, a page at a time, so that nobody waits for long.
 *
 *   grew --> no growth between two looks --> pages, one space after the other
 *
 * A commit costs an addition; one timer looks after all spaces, and none is set where none has grown.
 */
import { RejoinError, type Runtime } from '@rejoin/core'
import type { Log } from '../kernel-port.ts'
import type { DrivenSpace } from './driven-space.ts'

export interface Resting {
  /** A commit changed so many rows. */
  grew(driven: DrivenSpace, rows: number): void
  /** Whether it has grown, and has not been seen to rest. */
  awaits(driven: DrivenSpace): boolean
  /** Begins no page any more; resolves when the one that is under way is made. */
  stop(): Promise<void>
}

/** Makes the pages of a space that are not kept; stops between two of them if it is to. */
export type MakePages = (driven: DrivenSpace, isToStop: () => boolean) => Promise<void>

const lookMs = 500
/** Below this a space is a page or two, which are made almost as soon as they are sent. */
const grownRowsMin = 512

export function createResting(runtime: Runtime, log: Log, makePages: MakePages): Resting {
  /** By how much spaces had grown at the last look. */
  const grownBySpace = new Map<DrivenSpace, number>()
  let cancel: (() => void) | null = null
  let running: Promise<void> | null = null
  let isStopped = false

  function lookLater(): void {
    if (isStopped || cancel !== null || running !== null || grownBySpace.size === 0) return
    cancel = runtime.after(lookMs, () => {
      cancel = null
      running = look().finally(() => {
        running = null
        lookLater()
      })
    })
  }

  async function look(): Promise<void> {
    for (const [driven, before] of [...grownBySpace]) {
      const { grown } = driven
      const goesOn = (): boolean => driven.grown > grown
      if (grown > before) grownBySpace.set(driven, grown)
      else if (await rested(driven, () => isStopped || goesOn())) grownBySpace.delete(driven)
    }
  }

  /** Whether all is made that is to be. */
  async function rested(driven: DrivenSpace, isToStop: () => boolean): Promise<boolean> {
    try {
      await makePages(driven, isToStop)
    } catch (error) {
      // What a store cannot do, commits tell of.
      const isStorage = error instanceof RejoinError && error.code.startsWith('storage-')
      if (!isStorage) log.error({ space: driven.name, error: String(error) }, 'pages could not be made')
    }
    if (isToStop()) return false
    driven.grown = 0
    return true
  }

  return {
    grew(driven, rows) {
      driven.grown += rows
      if (driven.grown < grownRowsMin || grownBySpace.has(driven)) return
      grownBySpace.set(driven, 0)
      lookLater()
    },
    awaits: driven => grownBySpace.has(driven),
    async stop() {
      isStopped = true
      cancel?.()
      cancel = null
      await running
    },
  }
}
