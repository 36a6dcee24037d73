/**
 * C2: what frames say of the relay's time. Each says it when it comes, however long it then waits until what came before it
 * is stored.
 */
import type { AnswerFrame, VerdictFrame } from '@rejoin/core'
import type { Driving } from './driving.ts'

/** So long a verdict may be on its way, also over disks. What is not explained by that is to be believed. */
const verdictMaxMs = 10_000

export function heedTime(driving: Driving, frame: AnswerFrame): void {
  const { clock, runtime } = driving.options
  switch (frame.type) {
    case 'heartbeat':
      clock.heard(frame.time, driving.tripMs)
      return tellTime(driving)
    case 'welcome':
      driving.tripMs = runtime.monotonic() - driving.begunAt
      clock.measured(frame.time, driving.tripMs)
      return tellTime(driving)
    case 'verdict': {
      const relayTime = timeOfSkew(frame)
      if (relayTime === null || Math.abs(clock.now() - relayTime) < verdictMaxMs) return
      clock.measured(relayTime, Math.min(driving.tripMs, verdictMaxMs))
      return tellTime(driving)
    }
    default:
  }
}

/** The relay said its time, or time passed: to ask the clock after each frame would cost as much as to decode it. */
export function tellTime(driving: Driving): void {
  const offsetMs = driving.options.clock.offsetMs()
  if (driving.toldOffsetMs === offsetMs) return
  driving.toldOffsetMs = offsetMs
  driving.options.onChange()
}

/** The relay's time when it refused something for its mark. */
function timeOfSkew({ exceptions }: VerdictFrame): number | null {
  for (const exception of exceptions) {
    if (exception.kind === 'refused' && exception.error.code === 'clock-skew')
      return exception.error.details.relayTime
  }
  return null
}
