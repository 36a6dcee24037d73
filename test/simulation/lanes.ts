/**
 * Histories side by side. Each is a world of its own, so it does not matter where or beside what it runs; only the order
 * in which they end is chance.
 */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { runHistory, type HistoryOptions, type HistoryResult } from '@rejoin/testkit'

export interface World extends HistoryOptions {
  /** Its name; empty if it is of no topology. */
  readonly topology: string
  readonly isNarrow?: boolean | undefined
}

/** A history makes much that lives for an event: in a small nursery a tenth of the time goes into collecting it. */
const youngMb = 192

/** Runs all of them, so many at a time, and tells of each as it ends. One at a time needs no thread. */
export async function runWorlds(
  worlds: Iterator<World>,
  jobs: number,
  tell: (world: World, result: HistoryResult) => Promise<void>,
): Promise<void> {
  async function drive(run: (world: World) => Promise<HistoryResult>): Promise<void> {
    for (let next = worlds.next(); next.done !== true; next = worlds.next())
      await tell(next.value, await run(next.value))
  }
  if (jobs === 1) return drive(runHistory)
  const threads = Array.from(
    { length: jobs },
    () =>
      new Worker(new URL('history-thread.ts', import.meta.url), {
        resourceLimits: { maxYoungGenerationSizeMb: youngMb },
      }),
  )
  const lanes = threads.map(thread =>
    drive(async world => {
      thread.postMessage(world)
      const [result] = (await once(thread, 'message')) as [HistoryResult]
      return result
    }),
  )
  await Promise.all(lanes)
  for (const thread of threads) await thread.terminate()
}
