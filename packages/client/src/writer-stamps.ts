/**
 * Marks: this tab's writer and its hybrid logical clock (SPEC W3, W4, C1-C3).
 *
 * Invariant: a writer is drawn here, at its first write, and no other tab has it; once given up it is not used again.
 */
import {
  earliestStamp,
  hearMark,
  limits,
  stampWrite,
  writerFromBytes,
  type Mark,
  type Runtime,
  type WriterId,
} from '@rejoin/core'

export interface WriterStamps {
  /** The writer of what this tab writes now; null before its first write. */
  readonly writer: WriterId | null
  /** A mark over a row whose greatest mark is `over`. */
  next(over: Mark | null): Mark
  /** A mark of another writer that is on disk here moves the clock. */
  hear(mark: Mark): void
  /** From the next write on, another writer. */
  renew(): void
  /** A writer that nobody else has or will have. */
  draw(): WriterId
}

export function createWriterStamps(runtime: Pick<Runtime, 'randomBytes'>, now: () => number): WriterStamps {
  let clock = earliestStamp

  const draw = (): WriterId => writerFromBytes(runtime.randomBytes(8))

  const stamps = {
    writer: null as WriterId | null,
    next(over: Mark | null) {
      const writer = (stamps.writer ??= draw())
      const stamped = stampWrite(clock, now(), over)
      clock = stamped.clock
      const { ms, tick } = stamped.stamp
      return { ms, tick, writer }
    },
    hear(mark: Mark) {
      clock = hearMark(clock, now(), mark)
    },
    renew() {
      stamps.writer = null
      // Where a clock that was ahead has been set right, a new writer need not go on from there (SPEC C4).
      const time = Math.floor(now())
      if (clock.ms > time + limits.clockLeadMs) clock = { ms: time, tick: 0 }
    },
    draw,
  }
  return stamps
}
