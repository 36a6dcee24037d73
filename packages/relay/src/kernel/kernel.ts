/**
 * The kernel: everything of a relay that has rules. It knows frames, a store and a link; what carries them is the
 * shell's. Each space is driven by itself, one turn after the other, so one space's trouble is not its neighbour's.
 */
import {
  encodeFrame,
  failure,
  limits,
  protocolVersion,
  withMethods,
  type Caller,
  type Failure,
  type Frame,
  type HelloFrame,
  type WelcomeFrame,
  type Write,
} from '@rejoin/core'
import { closeCodeOf } from '../close-code.ts'
import type { Kernel, KernelOptions, KernelSession, SessionLink } from '../kernel-port.ts'
import { answerOf } from './application-answer.ts'
import type { Attached } from './attached.ts'
import type { DrivenSpace, SpaceHost } from './driven-space.ts'
import { sendHeartbeats } from './delivering.ts'
import { helloToPeer } from './greeting.ts'
import { came, costOf, createInflow, dealtWith } from './inflow.ts'
import { createKeptPages } from './kept-pages.ts'
import { couldNotBegin, detach } from './leaving.ts'
import { createResting } from './resting.ts'
import { attach, isIdle, makePages, openSpace, receive, settle, wake } from './space-driver.ts'

const trusted: Caller = { user: 'peer', mayWrite: true, rule: () => null }
const heartbeatMs = 10_000
/** Far more than come while an application answers (SPEC F5). */
const greetingBytesMax = 16 * 1024 * 1024
/** Characters of a rule's reason: a frame tells thousands. */
const reasonMax = 500
const utf8 = new TextEncoder()
/** After so many heartbeats a space that nobody is attached to is let go. */
const idleBeatsMax = 3

/** Who speaks over a link that came, once it was greeted. */
interface Greeted {
  readonly driven: DrivenSpace
  readonly attached: Attached
}

/** A link that came. */
interface Accepted {
  readonly link: SessionLink
  greeted: Greeted | null
  greeting: boolean
  ended: boolean
}

export function createKernel(options: KernelOptions): Kernel {
  const { runtime, store, log } = options
  const spaces = new Map<string, Promise<DrivenSpace>>()
  /** Of spaces that nobody has been attached to: since how many heartbeats. */
  const idleBeats = new Map<string, number>()
  const { follows = false, ackReplicas = 0 } = options
  const host: SpaceHost = {
    options,
    kept: createKeptPages(),
    inflows: { bytes: 0 },
    resting: createResting(runtime, log, makePages),
    lead: {
      leader: follows ? null : store.id,
      // A follower does not know before it has met its leader: who asks for a quorum until then waits.
      levels: follows || ackReplicas > 0 ? ['relay', 'quorum'] : ['relay'],
    },
    admit: callerOf,
  }
  let draining = false
  /** Of hellos that wait for what the application answers. */
  let greetingBytes = 0
  let stopBeat = (): void => {}

  function beat(): void {
    stopBeat = runtime.after(heartbeatMs, () => {
      for (const opening of spaces.values()) void opening.then(beatIn).catch(() => {})
      if (spaces.size > 0) beat()
      else stopBeat = () => {}
    })
  }

  function beatIn(driven: DrivenSpace): void {
    sendHeartbeats(driven)
    driven.indexed = null
    const { name } = driven
    if (!isIdle(driven)) return void idleBeats.delete(name)
    const beats = (idleBeats.get(name) ?? 0) + 1
    idleBeats.set(name, beats)
    if (beats < idleBeatsMax) return
    // What it holds is in the store.
    idleBeats.delete(name)
    spaces.delete(name)
  }

  function open(name: string): Promise<DrivenSpace> {
    // Who it is opened for is not attached yet.
    idleBeats.delete(name)
    let opening = spaces.get(name)
    if (opening === undefined) {
      opening = openSpace(name, host)
      spaces.set(name, opening)
      opening.catch(() => spaces.delete(name))
      if (spaces.size === 1) {
        // That of a space that was let go since may be due still.
        stopBeat()
        beat()
      }
    }
    return opening
  }

  async function greet(link: SessionLink, hello: HelloFrame): Promise<Greeted | Failure> {
    if (draining) return failure('overloaded', { retryAfterMs: 1000 })
    if (hello.protocol !== protocolVersion)
      return failure('protocol-version', { supported: [protocolVersion] })
    const { space, device } = hello
    if (hello.role === 'peer') return greetPeer(link, hello)
    const asked = options.token(hello.token, { space, device, address: link.address })
    const identity = await answerOf(runtime, asked)
    // What an application gives back may be of no type that it was told.
    const user: unknown = identity?.user
    if (typeof user !== 'string')
      return failure('unauthenticated', { reason: 'the token is missing, wrong or expired' })
    const bytes = utf8.encode(user).length
    if (bytes > limits.nameBytesMax)
      return failure('limit-exceeded', { what: 'bytes of a user', limit: limits.nameBytesMax, actual: bytes })
    const caller = await callerOf(user, space)
    if ('code' in caller) return caller
    return greetAs(caller, link, hello)
  }

  /** What a user may do in a space. */
  async function callerOf(user: string, space: string): Promise<Caller | Failure> {
    const grant = await answerOf(runtime, options.access(user, space))
    // What is neither, such as nothing, grants nothing.
    if (grant !== 'read' && grant !== 'write')
      return failure('not-permitted', { reason: 'no access to this space' })
    const context = { user, space }
    const rule = (write: Write): Failure | null => {
      try {
        const verdict: unknown = options.accept(write, context)
        if (verdict === true) return null
        if (typeof verdict !== 'string') throw new TypeError('a rule gives back true, or why not as a string')
        return failure('refused-by-rule', { reason: verdict.slice(0, reasonMax) })
      } catch (error) {
        // A rule's bug costs the write that met it, and nobody else's.
        log.error({ space, error: String(error) }, 'a rule of the application failed')
        return failure('refused-by-rule', { reason: 'the rule of this relay failed' })
      }
    }
    return { user, mayWrite: grant === 'write', rule }
  }

  /** T3: peers trust each other like operators, so only who shows the operators' token is one. */
  async function greetPeer(link: SessionLink, hello: HelloFrame): Promise<Greeted | Failure> {
    if (options.peerToken === undefined || hello.token !== options.peerToken) {
      return failure('not-permitted', { reason: 'this relay has no such peer' })
    }
    return greetAs(trusted, link, hello)
  }

  async function greetAs(caller: Caller, link: SessionLink, hello: HelloFrame): Promise<Greeted> {
    const driven = await open(hello.space)
    const inflow = createInflow(link, host.inflows)
    const arrival = { link, hello, caller, welcomed: null, follower: null, inflow }
    return { driven, attached: await attach(driven, arrival) }
  }

  function refuse(link: SessionLink, error: Failure): void {
    link.send(encodeFrame({ type: 'refuse', error }))
    link.close(closeCodeOf(error.code), error.code)
  }

  async function begin(accepted: Accepted, hello: HelloFrame, bytes: number): Promise<void> {
    const { link } = accepted
    accepted.greeting = true
    if (greetingBytes + bytes > greetingBytesMax)
      return refuse(link, failure('overloaded', { retryAfterMs: 5000 }))
    greetingBytes += bytes
    try {
      const greeted = await greet(link, hello)
      if ('code' in greeted) return refuse(link, greeted)
      if (accepted.ended) return detach(greeted.driven, greeted.attached)
      accepted.greeted = greeted
    } catch (error) {
      refuse(link, couldNotBegin(log, hello.space, error))
    } finally {
      greetingBytes -= bytes
    }
  }

  // Shared by all that came, as their prototype: idle ones are to be cheap.
  const acceptedMethods: KernelSession & ThisType<Accepted> = {
    receive(frame, bytes) {
      if (this.greeted !== null) return receive(this.greeted.driven, this.greeted.attached, frame, bytes)
      if (frame.type === 'hello' && !this.greeting) return void begin(this, frame, bytes)
      refuse(this.link, failure('malformed-frame', { reason: `${frame.type} before the welcome` }))
    },
    drained() {
      if (this.greeted !== null) wake(this.greeted.driven)
    },
    closed() {
      this.ended = true
      if (this.greeted !== null) detach(this.greeted.driven, this.greeted.attached)
    },
  }

  return {
    attach(link) {
      const accepted: Accepted = { link, greeted: null, greeting: false, ended: false }
      return withMethods(accepted, acceptedMethods)
    },
    dial(space, link): KernelSession {
      let driven: DrivenSpace | null = null
      let attached: Attached | null = null
      let welcome: WelcomeFrame | null = null
      const inflow = createInflow(link, host.inflows)
      /** What came behind the hello, until this side is ready for it. */
      let early: { readonly frame: Frame; readonly bytes: number }[] | null = null
      let ended = false
      const fail = (error: unknown): void => {
        log.error({ space, error: String(error) }, 'a peer could not be dialled')
        link.close(closeCodeOf('overloaded'), 'overloaded')
      }
      const begin = async (hello: HelloFrame, welcomed: WelcomeFrame): Promise<void> => {
        early = []
        // The one that was opened to dial may have been let go since: nobody was attached to it.
        const opened = await open(space)
        const made = await attach(opened, { link, hello, caller: trusted, welcomed, follower: null, inflow })
        if (ended) return detach(opened, made)
        driven = opened
        attached = made
        for (const { frame, bytes } of early) receive(opened, made, frame, bytes)
        letGo()
      }
      const letGo = (): void => {
        const held = early ?? []
        early = null
        dealtWith(
          inflow,
          held.reduce((cost, { frame, bytes }) => cost + costOf(frame, bytes), 0),
        )
      }
      open(space).then(opened => {
        if (!ended) link.send(encodeFrame(helloToPeer(opened, options.peerToken ?? '')))
      }, fail)
      return {
        receive(frame, bytes) {
          if (driven !== null && attached !== null) return receive(driven, attached, frame, bytes)
          if (frame.type === 'refuse') {
            const { code } = frame.error
            // One that cannot do it now is dialled again, and says itself why it cannot.
            if (code === 'overloaded') log.info({ space, code }, 'a peer is overloaded')
            else log.error({ space, code }, 'a peer refused')
            link.close(closeCodeOf(code), code)
          } else if (early !== null) {
            early.push({ frame, bytes })
            if (!came(inflow, costOf(frame, bytes))) link.close(closeCodeOf('overloaded'), 'overloaded')
          } else if (frame.type === 'welcome') welcome = frame
          else if (frame.type === 'hello' && welcome !== null) begin(frame, welcome).catch(fail)
        },
        drained() {
          if (driven !== null) wake(driven)
        },
        closed() {
          ended = true
          letGo()
          if (driven !== null && attached !== null) detach(driven, attached)
        },
      }
    },
    async drain() {
      draining = true
      stopBeat()
      await host.resting.stop()
      const opened = await Promise.allSettled(spaces.values())
      await Promise.all(opened.map(space => (space.status === 'fulfilled' ? settle(space.value) : null)))
      log.debug({ store: store.id }, 'everything received is answered')
    },
  }
}
