// The hybrid clock: stamps that only rise, stay near physical time, and come after everything that was seen.
import {
  compareMarks,
  earliestStamp,
  followingStamp,
  hearMark,
  limits,
  skewOfMark,
  stampWrite,
} from '@rejoin/core'
import type { Mark, Stamp } from '@rejoin/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { markOf, writerOf } from './edits.ts'

const minute = 60_000
const now = 1_764_000_000_000

function isLater(a: Stamp, b: Stamp): boolean {
  return a.ms > b.ms || (a.ms === b.ms && a.tick > b.tick)
}

test('[C1] a tick that overflows carries into the milliseconds', () => {
  expect(followingStamp({ ms: 5, tick: 65_534 })).toEqual({ ms: 5, tick: 65_535 })
  expect(followingStamp({ ms: 5, tick: 65_535 })).toEqual({ ms: 6, tick: 0 })
})

test('[C1] a hundred thousand writes in one millisecond rise without a fault', () => {
  let clock = earliestStamp
  let last = earliestStamp
  for (let i = 0; i < 100_000; i++) {
    const made = stampWrite(clock, now, null)
    if (!isLater(made.stamp, last)) expect.fail(`stamp ${i} does not rise`)
    last = made.stamp
    clock = made.clock
  }
  expect(last).toEqual({ ms: now + 1, tick: 100_000 - 65_536 - 1 })
})

test('[W4] a mark is greater than every mark that its writer sees, however far that is ahead', () => {
  const over = { ...markOf('bob', now + 30 * minute), tick: 65_535 }
  expect(stampWrite(earliestStamp, now, over).stamp).toEqual({ ms: now + 30 * minute + 1, tick: 0 })
})

test('[W4] a forced mark beyond a minute from now does not move the clock', () => {
  const clock = stampWrite(earliestStamp, now, null).clock
  expect(stampWrite(clock, now, markOf('bob', now + minute + 1)).clock).toEqual(clock)
  expect(stampWrite(clock, now, markOf('bob', now + minute - 1)).clock).toEqual({
    ms: now + minute - 1,
    tick: 1,
  })
})

test('[W3] no stamp repeats after the device went back in time, however far', () => {
  let clock = stampWrite(earliestStamp, now, null).clock
  const stamps: Stamp[] = []
  for (let i = 0; i < 3; i++) {
    const made = stampWrite(clock, now - 60 * minute, null)
    stamps.push(made.stamp)
    clock = made.clock
  }
  expect(stamps).toEqual([
    { ms: now, tick: 1 },
    { ms: now, tick: 2 },
    { ms: now, tick: 3 },
  ])
})

test('[W3] a clock that writes and hears never gives one stamp twice unless a row forces it, and never goes back', () => {
  const mark: fc.Arbitrary<Mark> = fc.record({
    ms: fc.integer({ min: now - 5, max: now + 3 * minute }),
    tick: fc.constantFrom(0, 1, 65_535),
    writer: fc.constant(writerOf('bob')),
  })
  const step = fc.record({
    at: fc.oneof(fc.integer({ min: -5, max: 5 }), fc.constantFrom(-2 * minute, 0.5, 2 * minute)),
    hear: fc.option(mark),
    over: fc.option(mark),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20, size: 'max' }), steps => {
      let clock = earliestStamp
      let last = earliestStamp
      for (const { at, hear, over } of steps) {
        if (hear !== null) {
          const heard = hearMark(clock, now + at, hear)
          expect(isLater(clock, heard)).toBe(false)
          clock = heard
        }
        const made = stampWrite(clock, now + at, over)
        expect(Number.isInteger(made.stamp.ms)).toBe(true)
        expect(isLater(clock, made.clock)).toBe(false)
        if (over !== null)
          expect(compareMarks({ ...made.stamp, writer: writerOf('alice') }, over)).toBeGreaterThan(0)
        const isForced = over !== null && !isLater(stampWrite(clock, now + at, null).stamp, over)
        if (!isForced) {
          expect(isLater(made.stamp, last)).toBe(true)
          last = made.stamp
        }
        clock = made.clock
      }
    }),
    { numRuns: 300 },
  )
})

test('[C3] a received mark moves the clock, but not beyond a minute from now', () => {
  expect(hearMark(earliestStamp, now, { ...markOf('bob', now + minute), tick: 7 })).toEqual({
    ms: now + minute,
    tick: 7,
  })
  expect(hearMark(earliestStamp, now, markOf('bob', now + 60 * minute))).toEqual({
    ms: now + minute,
    tick: 0,
  })
  const ahead = { ms: now + 10, tick: 0 }
  expect(hearMark(ahead, now, markOf('bob', now))).toBe(ahead)
})

test('[C4] a mark may be five minutes beyond the time of a relay, or one second beyond its row', () => {
  const limit = now + limits.skewMs
  expect(skewOfMark(markOf('alice', limit), now, () => null)).toBe(0)
  expect(skewOfMark(markOf('alice', limit + 1), now, () => null)).toBe(1)
  const last = markOf('bob', limit + 5 * minute)
  expect(skewOfMark(markOf('alice', last.ms + 1000), now, () => last)).toBe(0)
  expect(skewOfMark(markOf('alice', last.ms + 1001), now, () => last)).toBe(5 * minute + 1001)
  expect(skewOfMark(markOf('alice', limit + 1), now, () => markOf('bob', now))).toBe(1)
})
