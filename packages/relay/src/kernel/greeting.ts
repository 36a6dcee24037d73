/**
 * Greeting: how a session with a client or a peer begins (SPEC S1, S2). Peers pull from each other over one link: who
 * dials says hello, who is dialled answers, and says hello in turn.
 */
import {
  createKnownNames,
  noPositions,
  createPeerPull,
  protocolVersion,
  type Caller,
  type HelloFrame,
  type PeerPull,
  type RelaySpace,
  type StoreId,
  type WelcomeFrame,
} from '@rejoin/core'
import type { Log, SessionLink } from '../kernel-port.ts'
import { send, type Attached } from './attached.ts'

/** Who says hello, as it was found to be. */
export interface Arrival {
  readonly link: SessionLink
  readonly hello: HelloFrame
  readonly caller: Caller
  /** Of a peer that this relay dialled, what it answered. */
  readonly welcomed: WelcomeFrame | null
  /** The follower over whose link it is passed on. */
  readonly follower: Attached | null
}

export interface Greeting {
  /** Answers a hello, and begins to pull from a peer. */
  greet(arrival: Arrival, now: number): Attached
  /** A peer that dialled has answered the hello that it was greeted by. */
  welcomed(attached: Attached, welcome: WelcomeFrame): void
  /** What this relay says to a peer. */
  helloToPeer(token: string): HelloFrame
}

export function createGreeting(space: RelaySpace, store: StoreId, log: Log): Greeting {
  function helloToPeer(token: string): HelloFrame {
    return {
      type: 'hello',
      protocol: protocolVersion,
      space: space.name,
      token,
      replica: store,
      device: 'relay',
      role: 'peer',
      cursors: [...space.cursors.values()].map(peer => peer.cursor),
      empty: false,
      frontier: space.frontier,
      reach: space.frontier,
      level: 'relay',
      credit: 0,
    }
  }

  function beginPull(attached: Attached, pull: PeerPull, welcome: WelcomeFrame): void {
    const keys = pull.welcome(welcome)
    if (keys.length > 0) send(attached, { type: 'want', keys, texts: [], writers: [] })
    send(attached, { type: 'range', ranges: [] })
  }

  return {
    greet({ link, hello, caller, welcomed, follower }, now) {
      const { session, welcome } = space.hello(hello, caller, now)
      const pull = hello.role === 'peer' ? createPeerPull(space.cursors.get(hello.replica) ?? null) : null
      const attached: Attached = {
        link,
        session,
        pull,
        index: null,
        answers: [],
        asked: 0,
        given: 0,
        givenRefused: 0,
        leader: welcome.leader,
        follower,
        awaitsQuorum: hello.role === 'peer' || hello.level === 'quorum',
        quorum: noPositions,
        known: createKnownNames(),
        open: true,
      }
      send(attached, welcome)
      if (pull !== null) {
        if (welcomed === null) send(attached, helloToPeer(hello.token))
        else beginPull(attached, pull, welcomed)
      }
      if (!welcome.covers || welcome.begin === 'join') {
        log.info(
          { space: space.name, replica: hello.replica, begin: welcome.begin },
          'a replica holds more than this relay',
        )
      }
      return attached
    },
    welcomed(attached, welcome) {
      if (attached.pull !== null) beginPull(attached, attached.pull, welcome)
    },
    helloToPeer,
  }
}
