/** How a session ends from this side, and what is left behind then. */
import { failure, RejoinError, type Failure } from '@rejoin/core'
import { closeCodeOf, closeCodes } from '../close-code.ts'
import type { Log } from '../kernel-port.ts'
import { send, type Attached } from './attached.ts'
import type { DrivenSpace } from './driven-space.ts'

export function refuse(driven: DrivenSpace, attached: Attached, error: Failure): void {
  send(attached, { type: 'refuse', error })
  attached.link.close(closeCodeOf(error.code), error.code)
  detach(driven, attached)
}

/** What who said hello is told when the relay or its application failed. It comes back after a while. */
export function couldNotBegin(log: Log, space: string, error: unknown): Failure {
  // That its disk is full is told by the commit that failed, once, however many come back.
  if (!(error instanceof RejoinError && error.code === 'storage-full'))
    log.error({ space, error: String(error) }, 'a session could not begin')
  return failure('overloaded', { retryAfterMs: 5000 })
}

/** It begins again from what is on disk, when this relay can do what it could not do now. */
export function refuseOverloaded(driven: DrivenSpace, attached: Attached): void {
  refuse(driven, attached, failure('overloaded', { retryAfterMs: 1000 }))
}

export function refuseMalformed(driven: DrivenSpace, attached: Attached, reason: string): void {
  refuse(driven, attached, failure('malformed-frame', { reason }))
}

/** Lets it begin anew after a while. */
export function sendAway(driven: DrivenSpace, attached: Attached, retryAfterMs: number): void {
  send(attached, { type: 'bye', retryAfterMs })
  attached.link.close(closeCodes.draining, 'begin again')
  detach(driven, attached)
}

export function detach(driven: DrivenSpace, attached: Attached): void {
  if (!attached.open) return
  attached.open = false
  tellGiven(driven, attached)
  driven.attachedBySession.delete(attached.session)
  if (attached === driven.leader) driven.leader = null
  driven.passingOn?.left(attached)
  driven.passedSessions?.left(attached)
}

/** T2: what a client gave back is counted, and told once it has ended. */
export function tellGiven({ name, kernel }: DrivenSpace, attached: Attached): void {
  const { session, given: rows, givenRefused: refused } = attached
  if (rows === 0) return
  attached.given = attached.givenRefused = 0
  const { replica, device, caller } = session
  const fields = { space: name, replica, device, user: caller.user, rows, refused }
  kernel.options.log.info(fields, 'a client gave back rows')
}
