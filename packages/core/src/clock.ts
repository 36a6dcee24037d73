/**
 * The hybrid logical clock (Kulkarni et al., "Logical Physical Clocks", 2014): stamps that only rise, stay close
 * to physical time, and come after everything that their writer saw.
 */
import { limits } from './limits.ts'
import { compareMarks, tickLimit, type Mark } from './mark.ts'

export interface Stamp {
  readonly ms: number
  readonly tick: number
}

export const earliestStamp: Stamp = { ms: 0, tick: 0 }

/** Whichever writers bear them. */
export function isLater(a: Stamp, b: Stamp): boolean {
  return a.ms > b.ms || (a.ms === b.ms && a.tick > b.tick)
}

/** The stamp right after another; a tick that overflows carries into the milliseconds (SPEC C1). */
export function followingStamp(stamp: Stamp): Stamp {
  return stamp.tick + 1 < tickLimit ? { ms: stamp.ms, tick: stamp.tick + 1 } : { ms: stamp.ms + 1, tick: 0 }
}

/**
 * The stamp of a write made at `now` by a writer who saw `over` in the row, and the clock after it. What a forced
 * mark demands beyond now + 1 minute does not move the clock (SPEC W4); a clock that is itself ahead, because the
 * device went back in time, goes on rising, so that no stamp is given twice (SPEC W3).
 */
export function stampWrite(
  clock: Stamp,
  now: number,
  over: Mark | null,
): { readonly stamp: Stamp; readonly clock: Stamp } {
  const ms = Math.max(0, Math.floor(now))
  let stamp: Stamp = ms > clock.ms ? { ms, tick: 0 } : followingStamp(clock)
  if (over === null || isLater(stamp, over)) return { stamp, clock: stamp }
  stamp = followingStamp(over)
  return { stamp, clock: stamp.ms <= now + limits.clockLeadMs ? stamp : clock }
}

/** A received mark moves the clock at most to now + 1 minute (SPEC C3). */
export function hearMark(clock: Stamp, now: number, mark: Mark): Stamp {
  const heard: Stamp =
    mark.ms <= now + limits.clockLeadMs ? mark : { ms: Math.floor(now + limits.clockLeadMs), tick: 0 }
  return isLater(heard, clock) ? { ms: heard.ms, tick: heard.tick } : clock
}

/**
 * How far a mark lies beyond what a relay takes at `now` for a row whose greatest mark is `lastOf` (SPEC C4); 0 if within.
 * Nearly every mark is, whatever its row bears, so that is asked for only of the others.
 */
export function skewOfMark(mark: Mark, now: number, lastOf: () => Mark | null): number {
  const limit = now + limits.skewMs
  if (mark.ms <= limit) return 0
  const last = lastOf()
  if (last !== null && (mark.ms <= last.ms + limits.rowStepMs || compareMarks(mark, last) <= 0)) return 0
  return mark.ms - limit
}
