/**
 * A leader's half of passing on (SPEC Q2, T3): each session that a follower passes on is one of this space, whose frames
 * come wrapped over the follower's link. It is judged as its user's, submits and gives, and pulls nothing.
 */
import {
  decodeFrame,
  encodeFrame,
  type Caller,
  type Failure,
  type Frame,
  type HelloFrame,
  type PassedContent,
  type PassedFrame,
} from '@rejoin/core'
import type { SessionLink } from '../kernel-port.ts'
import { send, type Attached } from './attached.ts'
import { emptyHello } from './empty-hello.ts'
import { isJudged } from './passing-on.ts'

export interface PassedSessions {
  receive(follower: Attached, frame: PassedFrame): void
  /** A follower's link has ended, and with it all that it carried. */
  left(follower: Attached): void
}

export interface PassedSessionsOptions {
  readonly space: string
  /** What its user may do here. */
  readonly admit: (user: string) => Promise<Caller | Failure>
  readonly attach: (
    link: SessionLink,
    hello: HelloFrame,
    caller: Caller,
    follower: Attached,
  ) => Promise<Attached>
  readonly receive: (attached: Attached, frame: Frame, bytes: number) => void
  readonly detach: (attached: Attached) => void
  /** A session could not be begun, for whatever reason the relay or its application has: it alone is refused. */
  readonly notBegun: (error: unknown) => Failure
  /** What a follower sent makes no sense. */
  readonly fail: (follower: Attached, reason: string) => void
}

type Whose = Extract<PassedContent, { kind: 'begin' }>

interface PassedSession {
  attached: Attached | null
  isOver: boolean
}

export function createPassedSessions(options: PassedSessionsOptions): PassedSessions {
  const sessions = new WeakMap<Attached, Map<number, PassedSession>>()

  function of(follower: Attached): Map<number, PassedSession> {
    let numbered = sessions.get(follower)
    if (numbered === undefined) sessions.set(follower, (numbered = new Map()))
    return numbered
  }

  function begin(follower: Attached, number: number, whose: Whose): void {
    const session: PassedSession = { attached: null, isOver: false }
    of(follower).set(number, session)
    const link = linkThrough(follower, number, () => end(follower, number))
    attach(follower, link, session, whose)
      .catch(options.notBegun)
      .then(error => {
        if (error === null || session.isOver) return
        link.send(encodeFrame({ type: 'refuse', error }))
        link.close(0, error.code)
      })
  }

  /** Null, or why it is refused. */
  async function attach(
    follower: Attached,
    link: SessionLink,
    session: PassedSession,
    whose: Whose,
  ): Promise<Failure | null> {
    const caller = await options.admit(whose.user)
    if ('code' in caller) return caller
    if (session.isOver) return null
    // It pulls nothing: its pull is of the follower.
    const attached = await options.attach(link, emptyHello(options.space, whose), caller, follower)
    if (session.isOver) options.detach(attached)
    else session.attached = attached
    return null
  }

  function take(follower: Attached, number: number, bytes: Uint8Array): void {
    const decoded = decodeFrame(bytes)
    if (!decoded.ok) return options.fail(follower, decoded.error.code)
    const session = of(follower).get(number)
    // The last frames of one that has ended here may still come.
    if (session === undefined || !isJudged(decoded.value)) return
    // F5: what its client submitted is held where it came in, until the welcome.
    if (session.attached === null) options.fail(follower, 'a frame before the welcome')
    else options.receive(session.attached, decoded.value, bytes.length)
  }

  function end(follower: Attached, number: number): void {
    const session = of(follower).get(number)
    if (session === undefined) return
    of(follower).delete(number)
    session.isOver = true
    if (session.attached !== null) options.detach(session.attached)
  }

  return {
    receive(follower, { session: number, content }) {
      switch (content.kind) {
        case 'begin':
          return begin(follower, number, content)
        case 'frame':
          return take(follower, number, content.bytes)
        case 'end':
          return end(follower, number)
      }
    },
    left(follower) {
      for (const number of of(follower).keys()) end(follower, number)
      sessions.delete(follower)
    },
  }
}

function linkThrough(follower: Attached, session: number, onClose: () => void): SessionLink {
  return {
    address: follower.link.address,
    buffered: () => follower.link.buffered(),
    // What comes over it counts as its follower's, with whom it is held back.
    pause: () => false,
    resume: () => {},
    send: bytes => void send(follower, { type: 'passed', session, content: { kind: 'frame', bytes } }),
    close() {
      send(follower, { type: 'passed', session, content: { kind: 'end' } })
      onClose()
    },
  }
}
