/**
 * Delivering: what sessions are told without having asked: verdicts and changes of a commit that is on disk, and where
 * the feed ends (SPEC A1, F1, F2).
 */
import {
  bytesFor,
  createFrameEncoder,
  encodeFrame,
  type Delivery,
  type EncodedFrame,
  type Frame,
  type SpaceSession,
} from '@rejoin/core'
import { hasRoom, send, sendBytes, type Attached } from './attached.ts'
import type { DrivenSpace } from './driven-space.ts'
import { refuseOverloaded } from './leaving.ts'
import { tellQuorum } from './quorum.ts'

/** What a commit that is on disk has to say. Who cannot be told of it begins again, and nobody hears that it failed. */
export function deliver(driven: DrivenSpace, deliveries: readonly Delivery[]): void {
  if (deliveries.length === 0) return
  for (const { sessions, frame } of deliveries) {
    // F2: what goes to many is encoded once.
    let encoded: EncodedFrame | null = null
    for (let i = 0; i < sessions.length; i++) {
      const attached = driven.attachedBySession.get(sessions[i] as SpaceSession)
      if (attached === undefined) continue
      if (frame.type === 'given') attached.givenRefused += new Set(frame.refused.map(({ key }) => key)).size
      try {
        encoded ??= encodedFor(driven, attached, frame)
        sendBytes(attached, bytesFor(encoded, attached.known))
      } catch (error) {
        const fields = { space: driven.name, error: String(error) }
        driven.kernel.options.log.error(fields, 'what is on disk could not be told to a session')
        refuseOverloaded(driven, attached)
        continue
      }
      // F1: who does not keep up is sent pages from its place, when it has room again.
      if (!hasRoom(attached)) attached.session.live = false
    }
  }
}

/** Where the feed ends now, and what must hold there. */
export function sendCut({ space }: DrivenSpace, attached: Attached): void {
  const cut = space.cutFor(attached.session, true)
  attached.session.told = space.frontier
  send(attached, { ...emptyChanges, place: space.position, head: space.position, cut })
}

export function sendHeartbeats(driven: DrivenSpace): void {
  const { space, kernel, attachedBySession } = driven
  const time = kernel.options.runtime.now()
  const bytes = encodeFrame({ type: 'heartbeat', position: space.position, time })
  for (const attached of attachedBySession.values()) {
    // What is passed on has its pull at the follower, which sends heartbeats of its own.
    if (attached.follower !== null) continue
    if (attached.pull !== null && attached.session.live) sendCut(driven, attached)
    else sendBytes(attached, bytes)
    tellQuorum(driven, attached)
  }
}

function encodedFor(driven: DrivenSpace, attached: Attached, frame: Frame): EncodedFrame {
  // What relays say to each other, or pass on, stands by itself.
  if (attached.session.role === 'peer' || attached.follower !== null)
    return { kind: 'alone', bytes: encodeFrame(frame) }
  driven.encoder ??= createFrameEncoder(driven.kernel.options.runtime.now)
  return driven.encoder.encode(frame)
}

const emptyChanges = { type: 'changes', rows: [], cut: null, answer: false, writers: [] } as const
