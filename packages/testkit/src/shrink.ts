/**
 * Shrinking: of a history that found something, one that finds something too with fewer steps and fewer kinds of
 * faults. What remains is what a person reads, and what can be had again from its options.
 */
import type { Fault } from './faults/fault.ts'
import { runHistory, type HistoryOptions, type HistoryResult } from './history.ts'

export interface ShrunkHistory {
  readonly options: HistoryOptions
  readonly result: HistoryResult
}

/** Tries about `tries` histories. The options that are given must find something. */
export async function shrinkHistory(failing: HistoryOptions, tries: number = 40): Promise<ShrunkHistory> {
  let options = failing
  let result = await runHistory(options)
  let left = tries

  async function attempt(smaller: HistoryOptions): Promise<boolean> {
    if (left <= 0) return false
    left -= 1
    const tried = await runHistory(smaller)
    if (tried.findings.length === 0) return false
    options = smaller
    result = tried
    return true
  }

  for (const fault of Object.keys(options.faults ?? {}) as Fault[]) {
    const { [fault]: _, ...faults } = options.faults ?? {}
    await attempt({ ...options, faults })
  }
  for (let cut = Math.floor(options.steps / 2); cut >= 1; cut = Math.floor(cut / 2)) {
    while (options.steps > cut && (await attempt({ ...options, steps: options.steps - cut }))) {
      // As long as it goes.
    }
  }
  return { options, result }
}
