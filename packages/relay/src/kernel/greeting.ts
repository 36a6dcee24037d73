/**
 * Greeting: how a session with a client or a peer begins (SPEC S1, S2). Peers pull from each other over one link: who
 * dials says hello, who is dialled answers, and says hello in turn.
 */
import {
  createPeerPull,
  protocolVersion,
  type Caller,
  type HelloFrame,
  type Lead,
  type PeerPull,
  type WelcomeFrame,
} from '@rejoin/core'
import type { SessionLink } from '../kernel-port.ts'
import { sendWant } from './asking.ts'
import { createAttached, send, type Attached } from './attached.ts'
import type { DrivenSpace } from './driven-space.ts'
import type { Inflow } from './inflow.ts'
import { sendAway } from './leaving.ts'
import { tellQuorum } from './quorum.ts'

/** Who says hello, as it was found to be. */
export interface Arrival {
  readonly link: SessionLink
  readonly hello: HelloFrame
  readonly caller: Caller
  /** Of a peer that this relay dialled, what it answered. */
  readonly welcomed: WelcomeFrame | null
  /** The follower over whose link it is passed on. */
  readonly follower: Attached | null
  readonly inflow: Inflow
}

/** Answers a hello, and begins to pull from a peer. */
export function greet(driven: DrivenSpace, arrival: Arrival): Attached {
  const { name, space, kernel, passingOn, attachedBySession } = driven
  const { link, hello, welcomed, follower, inflow } = arrival
  const isReader = passingOn?.letsWrite(arrival.caller.user) === false
  const caller = isReader ? { ...arrival.caller, mayWrite: false } : arrival.caller
  const { runtime, log } = kernel.options
  const { session, welcome } = space.hello(hello, caller, runtime.now())
  const pull = hello.role === 'peer' ? createPeerPull(space.record.peers.get(hello.replica) ?? null) : null
  const attached = createAttached({
    link,
    session,
    pull,
    // Whom this relay follows knows better than it who judges.
    leader: welcomed === null ? welcome.leader : welcomed.leader,
    follower,
    inflow,
    awaitsQuorum: hello.role === 'peer' || hello.level === 'quorum',
  })
  attachedBySession.set(session, attached)
  send(attached, welcome)
  // Of a client that has nothing to give or to join this is all that its pull waits for; what is passed on has its own.
  session.walking = pull === null && follower === null && welcome.covers && welcome.begin !== 'join'
  if (pull !== null) {
    if (welcomed === null) send(attached, helloToPeer(driven, hello.token))
    else beginPull(attached, pull, welcomed)
  }
  tellQuorum(driven, attached)
  if (welcomed !== null) passingOn?.found(attached, { leader: welcomed.leader, levels: welcomed.levels })
  if (!welcome.covers || welcome.begin === 'join') {
    log.info(
      { space: name, replica: hello.replica, begin: welcome.begin },
      'a replica holds more than this relay',
    )
  }
  return attached
}

/** A peer that dialled has answered the hello that it was greeted by. */
export function hearWelcome(driven: DrivenSpace, attached: Attached, welcome: WelcomeFrame): void {
  if (attached.pull !== null) beginPull(attached, attached.pull, welcome)
}

/** What this relay says to a peer. */
export function helloToPeer({ name, space }: DrivenSpace, token: string): HelloFrame {
  return {
    type: 'hello',
    protocol: protocolVersion,
    space: name,
    token,
    replica: space.store,
    device: 'relay',
    role: 'peer',
    cursors: [...space.record.peers.values()].map(peer => peer.cursor),
    empty: false,
    frontier: space.frontier,
    reach: space.frontier,
    level: 'relay',
    credit: 0,
  }
}

function beginPull(attached: Attached, pull: PeerPull, welcome: WelcomeFrame): void {
  const keys = pull.welcome(welcome)
  sendWant(attached, { type: 'want', keys, texts: [], writers: [] })
  send(attached, { type: 'range', ranges: [] })
}

/** Q2: what a follower dialled is its leader. */
export function follow(driven: DrivenSpace, attached: Attached, { leader, levels }: Lead): void {
  const areNews = driven.space.lead.levels.join() !== levels.join()
  driven.leader = attached
  driven.space.lead = { leader, levels }
  // Who follows this relay learns who judges when it dials again; and so do clients, where that gives other levels.
  for (const one of driven.attachedBySession.values())
    if ((one.pull !== null || areNews) && one !== attached && one.leader !== leader) sendAway(driven, one, 0)
}
