/**
 * Delivering: what sessions are told without having asked: verdicts and changes of a commit that is on disk, where the
 * feed ends, and what is at quorum (SPEC A1, A3, F1, F2).
 */
import {
  bytesFor,
  createFrameEncoder,
  encodeFrame,
  failure,
  type Delivery,
  type EncodedFrame,
  type Failure,
  type Frame,
  type FrameEncoder,
  type RelaySpace,
  type Runtime,
} from '@rejoin/core'
import type { Log } from '../kernel-port.ts'
import { hasRoom, send, sendBytes, type Attached } from './attached.ts'
import type { Quorum } from './quorum.ts'

export interface Delivering {
  /** What a commit that is on disk has to say. Who cannot be told of it begins again, and nobody hears that it failed. */
  deliver(deliveries: readonly Delivery[]): void
  /** Where the feed ends now, and what must hold there. */
  sendCut(attached: Attached): void
  /** A3: who waits for what is at quorum hears it at once, everybody else with a heartbeat. */
  tellQuorum(): void
  tellQuorumTo(attached: Attached): void
  heartbeat(): void
}

export interface DeliveringOptions {
  readonly space: RelaySpace
  readonly quorum: Quorum
  readonly attachedBySession: ReadonlyMap<unknown, Attached>
  readonly runtime: Runtime
  readonly log: Log
  readonly refuse: (attached: Attached, error: Failure) => void
}

export function createDelivering(options: DeliveringOptions): Delivering {
  const { space, quorum, attachedBySession, runtime, log, refuse } = options
  /** Of what is told as it happens, to all clients in the same names. Made at the first change: idle spaces are many. */
  let encoder: FrameEncoder | null = null

  function encodeLive(frame: Frame): EncodedFrame {
    encoder ??= createFrameEncoder(runtime.now)
    return encoder.encode(frame)
  }

  function sendCut(attached: Attached): void {
    const cut = space.cutFor(attached.session, true)
    attached.session.told = space.frontier
    send(attached, { ...emptyChanges, place: space.position, head: space.position, cut })
  }

  function tellQuorumTo(attached: Attached): void {
    const { positions } = quorum
    const told = attached.quorum
    if (told === positions || attached.follower !== null) return
    attached.quorum = positions
    for (const [generation, position] of positions)
      if (told.get(generation) !== position) send(attached, { type: 'quorum', generation, position })
  }

  return {
    deliver(deliveries) {
      // F2: what goes to many is encoded once.
      const encoded = new Map<Frame, EncodedFrame>()
      const alone = new Map<Frame, Uint8Array>()
      for (const { session, frame } of deliveries) {
        const attached = attachedBySession.get(session)
        if (attached === undefined) continue
        if (frame.type === 'given') attached.givenRefused += new Set(frame.refused.map(({ key }) => key)).size
        try {
          // What relays say to each other, or pass on, stands by itself.
          if (session.role === 'peer' || attached.follower !== null)
            sendBytes(attached, once(alone, frame, encodeFrame))
          else sendBytes(attached, bytesFor(once(encoded, frame, encodeLive), attached.known))
        } catch (error) {
          log.error(
            { space: space.name, error: String(error) },
            'what is on disk could not be told to a session',
          )
          refuse(attached, failure('overloaded', { retryAfterMs: 1000 }))
          continue
        }
        // F1: who does not keep up is sent pages from its place, when it has room again.
        if (!hasRoom(attached)) session.live = false
      }
    },
    sendCut,
    tellQuorum() {
      for (const attached of attachedBySession.values()) if (attached.awaitsQuorum) tellQuorumTo(attached)
    },
    tellQuorumTo,
    heartbeat() {
      const bytes = encodeFrame({ type: 'heartbeat', position: space.position, time: runtime.now() })
      for (const attached of attachedBySession.values()) {
        // What is passed on has its pull at the follower, which sends heartbeats of its own.
        if (attached.follower !== null) continue
        if (attached.pull !== null && attached.session.live) sendCut(attached)
        else sendBytes(attached, bytes)
        tellQuorumTo(attached)
      }
    },
  }
}

function once<K, V>(made: Map<K, V>, key: K, make: (key: K) => V): V {
  let value = made.get(key)
  if (value === undefined) {
    value = make(key)
    made.set(key, value)
  }
  return value
}

const emptyChanges = { type: 'changes', rows: [], cut: null, answer: false, writers: [] } as const
