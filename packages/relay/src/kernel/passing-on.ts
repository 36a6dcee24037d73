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
import { came, costOf, dealtWith } from './inflow.ts'

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

interface PassedOn {
  readonly attached: Attached
  /** What is to follow its beginning, until the leader has welcomed it (SPEC F5); null from then on. */
  held: Uint8Array[] | null
  heldCost: number
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
  const passed = new Map<number, PassedOn>()
  /** Sessions of which something was dropped. */
  const waiting = new Set<Attached>()
  /** Users whom the leader lets only read, and until when that goes for those who begin here. */
  const readers = new Map<string, number>()

  function tell(session: number, content: PassedFrame['content']): void {
    if (leader !== null) send(leader, { type: 'passed', session, content })
  }

  function begin(attached: Attached): PassedOn {
    const { id, replica, device, caller } = attached.session
    const one: PassedOn = { attached, held: [], heldCost: 0 }
    passed.set(id, one)
    tell(id, { kind: 'begin', user: caller.user, replica, device })
    return one
  }

  function hold(one: PassedOn, held: Uint8Array[], bytes: Uint8Array, cost: number): void {
    const { attached } = one
    held.push(bytes)
    one.heldCost += cost
    if (!came(attached.inflow, cost))
      refuse(attached.follower ?? attached, failure('overloaded', { retryAfterMs: overloadedMs }))
  }

  /** What was held is passed on, or dropped with who submitted it. */
  function letGo(one: PassedOn, isWelcome: boolean): void {
    const { attached, held, heldCost } = one
    if (held === null) return
    one.held = null
    if (isWelcome) for (const bytes of held) tell(attached.session.id, { kind: 'frame', bytes })
    dealtWith(attached.inflow, heldCost)
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

  function passDown(one: PassedOn, bytes: Uint8Array): void {
    const { attached } = one
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
        if (frame.levels.length > 0) return letGo(one, true)
        readers.set(attached.session.caller.user, now() + readerMs)
        return sendAway(attached, retryMs)
      default:
    }
  }

  function follow(link: Attached, lead: Lead): void {
    leader = link
    options.follow(link, lead)
    // What went over a link before this one has no other half here.
    for (const attached of [...attachedOf(passed), ...waiting]) sendAway(attached, retryMs)
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
      const one = passed.get(id) ?? begin(attached)
      if (one.held !== null) hold(one, one.held, bytes, costOf(frame, bytes.length))
      else tell(id, { kind: 'frame', bytes })
    },
    answered({ session, content }) {
      const one = passed.get(session)
      if (one === undefined) return
      if (content.kind === 'frame') passDown(one, content.bytes)
      else sendAway(one.attached, retryMs)
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
        for (const one of attachedOf(passed)) sendAway(one, retryMs)
        const other = [...ways].at(-1)
        if (other !== undefined) follow(...other)
        return
      }
      const { id } = attached.session
      const one = passed.get(id)
      if (one === undefined) return
      passed.delete(id)
      letGo(one, false)
      tell(id, { kind: 'end' })
    },
    letsWrite(user) {
      const isReader = now() < (readers.get(user) ?? 0)
      if (!isReader) readers.delete(user)
      return !isReader
    },
  }
}

/** Those who are sent away leave the table meanwhile. */
function attachedOf(passed: ReadonlyMap<number, PassedOn>): readonly Attached[] {
  return [...passed.values()].map(({ attached }) => attached)
}
