/**
 * A follower's half of passing on (SPEC Q2): what is submitted or given to it goes to its leader as it came, over the
 * link on which it pulls, and the answers go back to who waits for them. The follower has the rows when they come back
 * in its pull.
 *
 *   client --submit, go-on, give--> follower ==passed==> leader
 *          <---verdict, given------          <==passed==
 *
 * A session counts what it submitted, and so does the leader for each that is passed on; so a session whose other half
 * is gone begins anew. While there is no way to the leader, what is to be judged is dropped: clients keep it, go on
 * reading, and begin anew when the way is there again. To submit twice is harmless (SPEC A4).
 */
import {
  decodeFrame,
  encodeFrame,
  failure,
  limits,
  type Failure,
  type Frame,
  type GenerationId,
  type GiveFrame,
  type GoOnFrame,
  type Lead,
  type PassedFrame,
  type RelaySpace,
  type SubmitFrame,
} from '@rejoin/core'
import { send, sendBytes, type Attached } from './attached.ts'

export interface PassingOn {
  /** A client's frame that is the leader's to judge. */
  pass(attached: Attached, frame: Judged): void
  /** The leader answered. */
  answered(frame: PassedFrame): void
  /** A way to the leader is there. Who dialled twice has two for a while, of which the leader ends one: not always the first. */
  found(link: Attached, lead: Lead): void
  /** A link has ended: the leader's, or that of a session that was perhaps passed on. */
  left(attached: Attached): void
  /** Whether the leader lets a user write, as far as it said so lately. */
  letsWrite(user: string): boolean
}

export type Judged = SubmitFrame | GoOnFrame | GiveFrame

export interface PassingOnOptions {
  readonly space: RelaySpace
  readonly generation: GenerationId
  readonly now: () => number
  /** From now on this is the leader's session. */
  readonly follow: (leader: Attached, lead: Lead) => void
  readonly refuse: (attached: Attached, error: Failure) => void
  /** Lets it begin anew after a while. */
  readonly sendAway: (attached: Attached, retryAfterMs: number) => void
}

/** So long that who is sent away does not come back before everybody was. */
const retryMs = 200
const overloadedMs = 1000
/** So long somebody may only read here whom the leader lets only read. */
const readerMs = 60_000
/** A leader that takes so much less than is passed on to it is asked again later. */
const backlogBytesMax = 16 * 1024 * 1024
/** What wrapping adds to a frame, at most. */
const wrappingBytes = 32

export function isJudged(frame: Frame): frame is Judged {
  return frame.type === 'submit' || frame.type === 'go-on' || frame.type === 'give'
}

export function createPassingOn(options: PassingOnOptions): PassingOn {
  const { space, generation, now, refuse, sendAway } = options
  let leader: Attached | null = null
  const ways = new Map<Attached, Lead>()
  const passed = new Map<number, Attached>()
  /** Sessions of which something was dropped. */
  const waiting = new Set<Attached>()
  /** Users whom the leader lets only read, and until when that goes for those who begin here. */
  const readers = new Map<string, number>()

  function tell(session: number, content: PassedFrame['content']): void {
    if (leader !== null) send(leader, { type: 'passed', session, content })
  }

  function begin({ session }: Attached): void {
    const { replica, device, caller } = session
    tell(session.id, { kind: 'begin', user: caller.user, replica, device })
  }

  /** Whoever gives waits for the answer before it reads on; it keeps what it would have given. */
  function putOff({ session }: Attached, { rows }: GiveFrame): Frame {
    session.givenCount += rows.length
    const error = failure('no-leader', { space: space.name })
    const refused = rows.map(({ key }) => ({ key, error }))
    return { type: 'given', count: session.givenCount, generation, position: space.position, refused }
  }

  function drop(attached: Attached, frame: Judged): void {
    waiting.add(attached)
    if (frame.type === 'give') send(attached, putOff(attached, frame))
  }

  function passDown(attached: Attached, bytes: Uint8Array): void {
    const decoded = decodeFrame(bytes)
    if (!decoded.ok) return refuse(attached, decoded.error)
    const frame = decoded.value
    switch (frame.type) {
      case 'verdict':
      case 'given':
        return void sendBytes(attached, bytes)
      case 'refuse':
        return refuse(attached, frame.error)
      case 'welcome':
        // Q4: what the leader does not let this user write stays in the outbox, and who may read here goes on reading.
        if (frame.levels.length > 0) return
        readers.set(attached.session.caller.user, now() + readerMs)
        return sendAway(attached, retryMs)
      default:
    }
  }

  function follow(link: Attached, lead: Lead): void {
    leader = link
    options.follow(link, lead)
    // What went over a link before this one has no other half here.
    for (const attached of [...passed.values(), ...waiting]) sendAway(attached, retryMs)
  }

  return {
    pass(attached, frame) {
      const { id } = attached.session
      const judge = space.lead.leader
      // What this relay follows may not have met its own leader.
      if (leader === null || judge === null) return drop(attached, frame)
      // Who was not told who judges would take the answer's positions for this relay's.
      if (attached.leader !== judge) return sendAway(attached, retryMs)
      if (leader.link.buffered() > backlogBytesMax)
        return refuse(attached, failure('overloaded', { retryAfterMs: overloadedMs }))
      const bytes = encodeFrame(frame)
      const limit = limits.frameBytesMax - wrappingBytes
      if (bytes.length > limit)
        return refuse(attached, failure('frame-too-large', { bytes: bytes.length, limit }))
      if (!passed.has(id)) begin(attached)
      passed.set(id, attached)
      tell(id, { kind: 'frame', bytes })
    },
    answered({ session, content }) {
      const attached = passed.get(session)
      if (attached === undefined) return
      if (content.kind === 'frame') passDown(attached, content.bytes)
      else sendAway(attached, retryMs)
    },
    found(link, lead) {
      ways.set(link, lead)
      follow(link, lead)
    },
    left(attached) {
      waiting.delete(attached)
      ways.delete(attached)
      if (attached === leader) {
        leader = null
        for (const one of [...passed.values()]) sendAway(one, retryMs)
        const other = [...ways].at(-1)
        if (other !== undefined) follow(...other)
      } else if (passed.delete(attached.session.id)) tell(attached.session.id, { kind: 'end' })
    },
    letsWrite(user) {
      const isReader = now() < (readers.get(user) ?? 0)
      if (!isReader) readers.delete(user)
      return !isReader
    },
  }
}
