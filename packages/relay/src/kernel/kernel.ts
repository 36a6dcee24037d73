/**
 * The kernel: everything of a relay that has rules. It knows frames, a store and a link; what carries them is the
 * shell's. Each space is driven by itself, one turn after the other, so one space's trouble is not its neighbour's.
 */
import {
  encodeFrame,
  failure,
  protocolVersion,
  type Caller,
  type Failure,
  type Frame,
  type HelloFrame,
  type WelcomeFrame,
  type Write,
} from '@rejoin/core'
import { closeCodeOf } from '../close-code.ts'
import type { Kernel, KernelOptions, KernelSession, SessionLink } from '../kernel-port.ts'
import type { Attached } from './attached.ts'
import type { DrivenSpace, SpaceHost } from './driven-space.ts'
import { sendHeartbeats } from './delivering.ts'
import { helloToPeer } from './greeting.ts'
import { createKeptPages } from './kept-pages.ts'
import { detach } from './leaving.ts'
import { attach, isIdle, openSpace, receive, settle, wake } from './space-driver.ts'

const trusted: Caller = { user: 'peer', mayWrite: true, rule: () => null }
const heartbeatMs = 10_000
/** Before a space with nobody attached is let go. */
const idleMs = 30_000

export function createKernel(options: KernelOptions): Kernel {
  const { runtime, store, log } = options
  const spaces = new Map<string, Promise<DrivenSpace>>()
  const idles = new Map<string, () => void>()
  const host: SpaceHost = { options, kept: createKeptPages(), admit: callerOf, onEmpty: letGo }
  let draining = false
  let stopBeat = (): void => {}

  function beat(): void {
    stopBeat = runtime.after(heartbeatMs, () => {
      for (const opening of spaces.values()) void opening.then(sendHeartbeats).catch(() => {})
      if (spaces.size > 0) beat()
      else stopBeat = () => {}
    })
  }

  function open(name: string): Promise<DrivenSpace> {
    let opening = spaces.get(name)
    if (opening === undefined) {
      opening = openSpace(name, host)
      spaces.set(name, opening)
      // Who it is opened for may not come to be attached.
      opening.then(
        () => letGo(name),
        () => spaces.delete(name),
      )
      if (spaces.size === 1) {
        // That of a space that was let go since may be due still.
        stopBeat()
        beat()
      }
    }
    return opening
  }

  /** A space nobody is attached to is dropped from memory after a while; what it holds is in the store. */
  function letGo(name: string): void {
    idles.get(name)?.()
    idles.delete(name)
    // A relay that has ended leaves no timer behind: its program may end with it.
    if (draining) return
    const cancel = runtime.after(idleMs, () => {
      idles.delete(name)
      void spaces
        .get(name)
        ?.then(driven => {
          if (isIdle(driven)) spaces.delete(name)
        })
        .catch(() => {})
    })
    idles.set(name, cancel)
  }

  async function greet(
    link: SessionLink,
    hello: HelloFrame,
  ): Promise<{ driven: DrivenSpace; attached: Attached } | Failure> {
    if (draining) return failure('overloaded', { retryAfterMs: 1000 })
    if (hello.protocol !== protocolVersion)
      return failure('protocol-version', { supported: [protocolVersion] })
    const { space, device } = hello
    if (hello.role === 'peer') return greetPeer(link, hello)
    const identity = await options.token(hello.token, { space, device, address: link.address })
    if (identity === null)
      return failure('unauthenticated', { reason: 'the token is missing, wrong or expired' })
    const caller = await callerOf(identity.user, space)
    if ('code' in caller) return caller
    const driven = await open(space)
    return { driven, attached: await attach(driven, { link, hello, caller, welcomed: null, follower: null }) }
  }

  /** What a user may do in a space. */
  async function callerOf(user: string, space: string): Promise<Caller | Failure> {
    const grant = await options.access(user, space)
    if (grant === 'none') return failure('not-permitted', { reason: 'no access to this space' })
    const rule = (write: Write): Failure | null => {
      try {
        const verdict = options.accept(write, { user, space })
        return verdict === true ? null : failure('refused-by-rule', { reason: verdict })
      } catch (error) {
        // A rule's bug costs the write that met it, and nobody else's.
        log.error({ space, error: String(error) }, 'a rule of the application failed')
        return failure('refused-by-rule', { reason: 'the rule of this relay failed' })
      }
    }
    return { user, mayWrite: grant === 'write', rule }
  }

  /** T3: peers trust each other like operators, so only who shows the operators' token is one. */
  async function greetPeer(
    link: SessionLink,
    hello: HelloFrame,
  ): Promise<{ driven: DrivenSpace; attached: Attached } | Failure> {
    if (options.peerToken === undefined || hello.token !== options.peerToken) {
      return failure('not-permitted', { reason: 'this relay has no such peer' })
    }
    const driven = await open(hello.space)
    return {
      driven,
      attached: await attach(driven, { link, hello, caller: trusted, welcomed: null, follower: null }),
    }
  }

  function refuse(link: SessionLink, error: Failure): void {
    link.send(encodeFrame({ type: 'refuse', error }))
    link.close(closeCodeOf(error.code), error.code)
  }

  return {
    attach(link): KernelSession {
      let driven: DrivenSpace | null = null
      let attached: Attached | null = null
      let greeting = false
      let ended = false
      const begin = async (hello: HelloFrame): Promise<void> => {
        greeting = true
        try {
          const greeted = await greet(link, hello)
          if ('code' in greeted) return refuse(link, greeted)
          if (ended) return detach(greeted.driven, greeted.attached)
          driven = greeted.driven
          attached = greeted.attached
        } catch (error) {
          log.error({ space: hello.space, error: String(error) }, 'a session could not begin')
          refuse(link, failure('overloaded', { retryAfterMs: 5000 }))
        }
      }
      return {
        receive(frame: Frame) {
          if (driven !== null && attached !== null) return receive(driven, attached, frame)
          if (frame.type === 'hello' && !greeting) return void begin(frame)
          refuse(link, failure('malformed-frame', { reason: `${frame.type} before the welcome` }))
        },
        drained() {
          if (driven !== null) wake(driven)
        },
        closed() {
          ended = true
          if (driven !== null && attached !== null) detach(driven, attached)
        },
      }
    },
    dial(space, link): KernelSession {
      let driven: DrivenSpace | null = null
      let attached: Attached | null = null
      let welcome: WelcomeFrame | null = null
      /** What came behind the hello, until this side is ready for it. */
      let early: Frame[] | null = null
      let ended = false
      const fail = (error: unknown): void => {
        log.error({ space, error: String(error) }, 'a peer could not be dialled')
        link.close(closeCodeOf('overloaded'), 'overloaded')
      }
      const begin = async (hello: HelloFrame, welcomed: WelcomeFrame): Promise<void> => {
        early = []
        // The one that was opened to dial may have been let go since: nobody was attached to it.
        const opened = await open(space)
        const made = await attach(opened, { link, hello, caller: trusted, welcomed, follower: null })
        if (ended) return detach(opened, made)
        driven = opened
        attached = made
        for (const frame of early) receive(opened, made, frame)
      }
      open(space).then(opened => {
        if (!ended) link.send(encodeFrame(helloToPeer(opened, options.peerToken ?? '')))
      }, fail)
      return {
        receive(frame) {
          if (driven !== null && attached !== null) return receive(driven, attached, frame)
          if (frame.type === 'refuse') {
            log.error({ space, code: frame.error.code }, 'a peer refused')
            link.close(closeCodeOf(frame.error.code), frame.error.code)
          } else if (early !== null) early.push(frame)
          else if (frame.type === 'welcome') welcome = frame
          else if (frame.type === 'hello' && welcome !== null) begin(frame, welcome).catch(fail)
        },
        drained() {
          if (driven !== null) wake(driven)
        },
        closed() {
          ended = true
          if (driven !== null && attached !== null) detach(driven, attached)
        },
      }
    },
    async drain() {
      draining = true
      stopBeat()
      for (const cancel of idles.values()) cancel()
      idles.clear()
      const opened = await Promise.allSettled(spaces.values())
      await Promise.all(opened.map(space => (space.status === 'fulfilled' ? settle(space.value) : null)))
      log.debug({ store: store.id }, 'everything received is answered')
    },
  }
}
