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
import { createKeptPages } from './kept-pages.ts'
import { openSpaceDriver, type SpaceDriver } from './space-driver.ts'

const trusted: Caller = { user: 'peer', mayWrite: true, rule: () => null }
const heartbeatMs = 10_000
/** Before a space with nobody attached is let go. */
const idleMs = 30_000

export function createKernel(options: KernelOptions): Kernel {
  const { runtime, store, log } = options
  const spaces = new Map<string, Promise<SpaceDriver>>()
  const shared = { ...options, kept: createKeptPages() }
  const idles = new Map<string, () => void>()
  let draining = false
  let stopBeat = (): void => {}

  function beat(): void {
    stopBeat = runtime.after(heartbeatMs, () => {
      for (const opening of spaces.values()) void opening.then(driver => driver.heartbeat()).catch(() => {})
      if (spaces.size > 0) beat()
      else stopBeat = () => {}
    })
  }

  function open(name: string): Promise<SpaceDriver> {
    let opening = spaces.get(name)
    if (opening === undefined) {
      opening = openSpaceDriver(
        name,
        shared,
        user => callerOf(user, name),
        () => letGo(name),
      )
      spaces.set(name, opening)
      opening.catch(() => spaces.delete(name))
      if (spaces.size === 1) beat()
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
        ?.then(driver => {
          if (driver.isIdle()) spaces.delete(name)
        })
        .catch(() => {})
    })
    idles.set(name, cancel)
  }

  async function greet(
    link: SessionLink,
    hello: HelloFrame,
  ): Promise<{ driver: SpaceDriver; attached: Attached } | Failure> {
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
    const driver = await open(space)
    return { driver, attached: await driver.attach({ link, hello, caller, welcomed: null, follower: null }) }
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
  ): Promise<{ driver: SpaceDriver; attached: Attached } | Failure> {
    if (options.peerToken === undefined || hello.token !== options.peerToken) {
      return failure('not-permitted', { reason: 'this relay has no such peer' })
    }
    const driver = await open(hello.space)
    return {
      driver,
      attached: await driver.attach({ link, hello, caller: trusted, welcomed: null, follower: null }),
    }
  }

  function refuse(link: SessionLink, error: Failure): void {
    link.send(encodeFrame({ type: 'refuse', error }))
    link.close(closeCodeOf(error.code), error.code)
  }

  return {
    attach(link): KernelSession {
      let driver: SpaceDriver | null = null
      let attached: Attached | null = null
      let greeting = false
      let ended = false
      const begin = async (hello: HelloFrame): Promise<void> => {
        greeting = true
        try {
          const greeted = await greet(link, hello)
          if ('code' in greeted) return refuse(link, greeted)
          if (ended) return greeted.driver.detach(greeted.attached)
          driver = greeted.driver
          attached = greeted.attached
        } catch (error) {
          log.error({ space: hello.space, error: String(error) }, 'a session could not begin')
          refuse(link, failure('overloaded', { retryAfterMs: 5000 }))
        }
      }
      return {
        receive(frame: Frame) {
          if (driver !== null && attached !== null) return driver.receive(attached, frame)
          if (frame.type === 'hello' && !greeting) return void begin(frame)
          refuse(link, failure('malformed-frame', { reason: `${frame.type} before the welcome` }))
        },
        drained: () => driver?.wake(),
        closed() {
          ended = true
          if (driver !== null && attached !== null) driver.detach(attached)
        },
      }
    },
    dial(space, link): KernelSession {
      let driver: SpaceDriver | null = null
      let attached: Attached | null = null
      let welcome: WelcomeFrame | null = null
      let ended = false
      const fail = (error: unknown): void => {
        log.error({ space, error: String(error) }, 'a peer could not be dialled')
        link.close(closeCodeOf('overloaded'), 'overloaded')
      }
      open(space).then(opened => {
        driver = opened
        if (!ended) link.send(encodeFrame(opened.helloToPeer(options.peerToken ?? '')))
      }, fail)
      return {
        receive(frame) {
          if (driver === null) return
          if (attached !== null) return driver.receive(attached, frame)
          if (frame.type === 'welcome') welcome = frame
          else if (frame.type === 'hello' && welcome !== null) {
            driver
              .attach({ link, hello: frame, caller: trusted, welcomed: welcome, follower: null })
              .then(made => {
                attached = made
                if (ended) driver?.detach(made)
              }, fail)
          } else if (frame.type === 'refuse') {
            log.error({ space, code: frame.error.code }, 'a peer refused')
            link.close(closeCodeOf(frame.error.code), frame.error.code)
          }
        },
        drained: () => driver?.wake(),
        closed() {
          ended = true
          if (driver !== null && attached !== null) driver.detach(attached)
        },
      }
    },
    async drain() {
      draining = true
      stopBeat()
      for (const cancel of idles.values()) cancel()
      idles.clear()
      const drivers = await Promise.allSettled(spaces.values())
      await Promise.all(
        drivers.map(driver => (driver.status === 'fulfilled' ? driver.value.settled() : null)),
      )
      log.debug({ store: store.id }, 'everything received is answered')
    },
  }
}
