/**
 * Resting: a new replica is sent pages that were made before it came. They are made once a space has grown by much and
 * has rested since, or has not for a while, a page at a time, so that nobody waits for long.
 *
 *   grew --> no growth between two looks, or the last of many --> pages, one space after the other
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
/** After so many looks a space that never rests gets its pages all the same: some are soon to be made anew. */
const looksMax = 20
/** Below this a space is a page or two, which are made almost as soon as they are sent. */
const grownRowsMin = 512
const unseen: Grown = { rows: 0, looks: 0 }

/** How a space was found when it was looked at last. */
interface Grown {
  readonly rows: number
  readonly looks: number
}

export function createResting(runtime: Runtime, log: Log, makePages: MakePages): Resting {
  const grownSpaces = new Map<DrivenSpace, Grown>()
  let cancel: (() => void) | null = null
  let running: Promise<void> | null = null
  let isStopped = false

  function lookLater(): void {
    if (isStopped || cancel !== null || running !== null || grownSpaces.size === 0) return
    cancel = runtime.after(lookMs, () => {
      cancel = null
      running = look().finally(() => {
        running = null
        lookLater()
      })
    })
  }

  async function look(): Promise<void> {
    for (const [driven, { rows, looks }] of [...grownSpaces]) {
      const { grown } = driven
      const isBusy = grown > rows
      if (isBusy && looks < looksMax) grownSpaces.set(driven, { rows: grown, looks: looks + 1 })
      else if (await made(driven, () => isStopped || (!isBusy && driven.grown > grown)))
        grownSpaces.delete(driven)
    }
  }

  /** Whether all is made that is to be. */
  async function made(driven: DrivenSpace, isToStop: () => boolean): Promise<boolean> {
    try {
      await makePages(driven, isToStop)
    } catch (error) {
      tellUnmade(log, driven, error)
    }
    if (isToStop()) return false
    driven.grown = 0
    return true
  }

  return {
    grew(driven, rows) {
      driven.grown += rows
      if (driven.grown < grownRowsMin || grownSpaces.has(driven)) return
      grownSpaces.set(driven, unseen)
      lookLater()
    },
    awaits: driven => grownSpaces.has(driven),
    async stop() {
      isStopped = true
      cancel?.()
      cancel = null
      await running
    },
  }
}

/** What a store cannot do, commits tell of. */
export function tellUnmade(log: Log, { name }: DrivenSpace, error: unknown): void {
  const isStorage = error instanceof RejoinError && error.code.startsWith('storage-')
  if (!isStorage) log.error({ space: name, error: String(error) }, 'pages could not be made')
}
