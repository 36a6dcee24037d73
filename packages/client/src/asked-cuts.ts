/**
 * Cuts that a session asks its relay for: a heartbeat is answered by one. Invariant: each heartbeat that goes out is counted,
 * the machine's own ones too, and each answer to one, which come in the order of what they answer.
 */
import { bytesFor, type AnswerFrame, type RequestFrame } from '@rejoin/core'
import type { Driving } from './driving.ts'

/** All that goes to the relay goes here, since the machine asks for cuts too. */
export function send(driving: Driving, frame: RequestFrame): void {
  if (frame.type === 'heartbeat') driving.asked += 1
  driving.options.send(bytesFor(driving.encoder.encode(frame), driving.names))
}

/** Only a cut that was asked for, or ends a walk, bears a fingerprint (SPEC P5). */
export function countCut(driving: Driving, frame: AnswerFrame): void {
  const isAnswer = frame.type === 'changes' && (frame.cut?.fingerprint ?? null) !== null
  if (isAnswer && driving.cuts < driving.asked) driving.cuts += 1
}

/** Asks now, or as soon as the session is at its first cut. How many cuts must have come until this one has. */
export function askCut(driving: Driving): number {
  if (canAsk(driving)) requestCut(driving)
  else driving.isCutDue = true
  driving.awaited = driving.isCutDue ? driving.asked + 1 : driving.asked
  return driving.awaited
}

/** Asks for the one that is due. */
export function askDueCut(driving: Driving): void {
  driving.wasLevel ||= driving.session.caughtUp
  if (driving.isCutDue && canAsk(driving)) requestCut(driving)
}

/** Of who is behind, a relay may not answer each time. */
export function askCutAgain(driving: Driving): void {
  if (driving.cuts < driving.awaited && canAsk(driving)) requestCut(driving)
}

export function requestCut(driving: Driving): void {
  driving.isCutDue = false
  send(driving, { type: 'heartbeat', position: 0, time: driving.options.clock.now() })
}

/** Before the first cut the relay still walks its feed, and that one may have been made before it was asked. */
function canAsk({ isOver, session, wasLevel }: Driving): boolean {
  return !isOver && session.phase === 'open' && wasLevel
}
