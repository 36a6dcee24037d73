/**
 * A simulated relay: the kernel that ships, on a disk in memory with latency, in a process that can die at any step.
 */
import {
  createDictionary,
  encodeFrame,
  limits,
  typeOfFrame,
  type RelayStore,
  type Runtime,
} from '@rejoin/core'
import {
  createKernel,
  createMemoryDisk,
  type Kernel,
  type KernelOptions,
  type MemoryImage,
  type SessionLink,
} from '@rejoin/relay/kernel'
import { readFrame } from './frame-reading.ts'
import type { Chance } from './chance.ts'
import type { SimulatedClock } from './clock.ts'
import type { ServedSession, SimulatedNetwork } from './network.ts'
import { createScope, type Scope } from './scope.ts'
import { diskFull, withLatency, type StoreWatch } from './slow-store.ts'

export interface SimulatedRelay {
  readonly url: string
  readonly alive: boolean
  /** Of the running process. */
  readonly kernel: Kernel
  readonly scope: Scope
  /** What is on its disk, read without latency, for checks. */
  readonly store: RelayStore
  /** Errors that it logged: each is a finding. */
  readonly errors: readonly string[]
  start(): Promise<void>
  /** The process dies: what a commit had under way is on disk or not. */
  crash(): void
  /** The link over which the next verdict goes is cut before it arrives. */
  loseVerdict(): void
  /** Of this process, and of one that it has taken the place of and that has not ended yet. */
  readonly stores: readonly RelayStore[]
  /** Milliseconds by which its wall clock is wrong. */
  skewMs: number
  /** Until when, in simulated milliseconds, it was so slow that it refused the marks of others (SPEC C4). */
  readonly slowUntil: number
  /** Transactions of its disk take so many times as long as ever; 1 is as ever. */
  slowness: number
  /** How often its disk has no room for a commit, from 0 to 1. */
  fullness: number
  /** How many commits it refused so. */
  readonly fullCommits: number
  /** When an older image was put back last, or a neighbour was lost, in simulated milliseconds. */
  readonly restoredAt: number
  /** Dies right after it has sent the next verdict. */
  crashAfterVerdict(): void
  /** Dies at its next commit: before it, or when it is on disk and nobody has heard of it. */
  crashAtCommit(when: 'before' | 'after'): void
  /** How often it died so. */
  readonly commitCrashes: number
  /** How many verdicts were lost that way. */
  readonly lostVerdicts: number
  image(): MemoryImage
  /** Puts an older image in the place of the disk's content. To be called between `crash` and `start`. */
  restore(image: MemoryImage): void
  /** A process on a copy of an image takes the place of this one, which serves those that it has until it is killed. */
  replaceByCopy(image: MemoryImage): Promise<{ kill(): void }>
  /** Gone for good. */
  retire(): void
  /** A neighbour is gone, and with it what it had acknowledged alone. */
  noteLoss(): void
}

export interface RelayParts {
  readonly url: string
  readonly clock: SimulatedClock
  readonly chance: Chance
  readonly network: SimulatedNetwork
  readonly watch?: StoreWatch | undefined
  /** Added to simulated time to make the relay's wall clock. */
  readonly epoch: () => number
  /** Everything is accepted without it. */
  readonly accept?: KernelOptions['accept'] | undefined
  /** Everybody may write without it. */
  readonly access?: KernelOptions['access'] | undefined
  /** What its peers show. Without it nobody is a peer. */
  readonly peerToken?: string | undefined
  readonly follows?: boolean | undefined
  readonly ackReplicas?: number | undefined
}

export function createSimulatedRelay(parts: RelayParts): SimulatedRelay {
  const { url, clock, chance, network } = parts
  let disk = createMemoryDisk(length => chance.bytes(length))
  const errors: string[] = []
  let isLosing = false
  let isDying = false
  let dyingAt: 'before' | 'after' | null = null
  let isGone = false
  let commitCrashes = 0
  let skewMs = 0
  let slowUntil = Number.NEGATIVE_INFINITY
  let slowness = 1
  let fullness = 0
  let fullCommits = 0
  let replaced: RelayStore | null = null
  let restoredAt = Number.NEGATIVE_INFINITY
  let lostVerdicts = 0
  let scope = createScope(clock)
  let kernel: Kernel | null = null
  let store: RelayStore | null = null
  scope.kill()

  async function start(): Promise<void> {
    // Who restarts it may meet that it came back by itself: two processes never share a disk.
    if (scope.alive || isGone) return
    const process = createScope(clock)
    scope = process
    const opened = await disk.open()
    store = opened
    const runtime: Runtime = {
      now: () => parts.epoch() + clock.time + skewMs,
      monotonic: () => clock.time,
      randomBytes: length => chance.bytes(length),
      after: (delayMs, run) => process.after(delayMs, run),
    }
    const started = createKernel({
      store: withLatency(
        opened,
        process,
        chance,
        { slowness: () => slowness, refuse, at: dieAt },
        parts.watch,
      ),
      runtime,
      token: token => Promise.resolve(token === '' ? null : { user: token }),
      access: parts.access ?? (() => Promise.resolve('write')),
      accept: parts.accept ?? (() => true),
      log: {
        error(fields, message) {
          // That its disk is full is to be told, and is no fault of the relay.
          if (process.alive && fields['error'] !== String(diskFull))
            errors.push(`${message} ${JSON.stringify(fields)}`)
        },
        info: () => {},
        debug: () => {},
      },
      peerToken: parts.peerToken,
      follows: parts.follows,
      ackReplicas: parts.ackReplicas,
    })
    kernel = started
    network.serve(url, { scope: process, attach: link => attach(started, unreliable(link)) })
  }

  function refuse(): void {
    if (fullness === 0 || !chance.chance(fullness)) return
    fullCommits += 1
    throw diskFull
  }

  function dieAt(moment: 'before' | 'after'): void {
    if (dyingAt !== moment) return
    dyingAt = null
    commitCrashes += 1
    die()
  }

  /** Dies, and comes back a little later. */
  function die(): void {
    scope.kill()
    clock.after(chance.below(500), () => void start())
  }

  function unreliable(link: SessionLink): SessionLink {
    let isCut = false
    return {
      ...link,
      buffered: () => link.buffered(),
      send(bytes) {
        // What follows does not arrive either, though the process dies meanwhile.
        if (isCut) return
        if (isLosing && isVerdict(bytes)) {
          isLosing = false
          isCut = true
          lostVerdicts += 1
          return link.close(1006, 'cut')
        }
        link.send(bytes)
        if (!isDying || !isVerdict(bytes)) return
        isDying = false
        die()
      },
    }
  }

  return {
    url,
    errors,
    get alive() {
      return scope.alive
    },
    get scope() {
      return scope
    },
    get kernel() {
      if (kernel === null) throw new Error(`${url} was never started`)
      return kernel
    },
    get store() {
      if (store === null) throw new Error(`${url} was never started`)
      return store
    },
    get stores() {
      return [store, replaced].filter(one => one !== null)
    },
    get skewMs() {
      return skewMs
    },
    set skewMs(ms) {
      if (skewMs < -limits.skewMs) slowUntil = clock.time
      skewMs = ms
    },
    get slowUntil() {
      return skewMs < -limits.skewMs ? Infinity : slowUntil
    },
    get slowness() {
      return slowness
    },
    set slowness(factor) {
      slowness = factor
    },
    get fullness() {
      return fullness
    },
    set fullness(often) {
      fullness = often
    },
    get fullCommits() {
      return fullCommits
    },
    crashAtCommit(moment) {
      dyingAt = moment
    },
    get commitCrashes() {
      return commitCrashes
    },
    async replaceByCopy(image) {
      const old = scope
      replaced = store
      disk = createMemoryDisk(length => chance.bytes(length))
      disk.restore(image)
      restoredAt = clock.time
      scope = createScope(clock)
      scope.kill()
      await start()
      return {
        kill() {
          replaced = null
          restoredAt = clock.time
          old.kill()
        },
      }
    },
    retire() {
      isGone = true
      scope.kill()
    },
    noteLoss() {
      restoredAt = clock.time
    },
    start,
    crash: () => scope.kill(),
    crashAfterVerdict() {
      isDying = true
    },
    loseVerdict() {
      isLosing = true
    },
    get lostVerdicts() {
      return lostVerdicts
    },
    image: () => disk.image(),
    get restoredAt() {
      return restoredAt
    },
    restore(image) {
      restoredAt = clock.time
      disk.restore(image)
    },
  }
}

function isVerdict(bytes: Uint8Array): boolean {
  return typeOfFrame(bytes) === 'verdict'
}

/** What the relay's shell does with bytes: a malformed frame is refused, and the link closed. */
function attach(kernel: Kernel, link: SessionLink): ServedSession {
  const session = kernel.attach(link)
  const names = createDictionary()
  return {
    receive(bytes) {
      const decoded = readFrame(bytes, names)
      if (decoded.ok) return session.receive(decoded.value, bytes.length)
      link.send(encodeFrame({ type: 'refuse', error: decoded.error }))
      link.close(4400, decoded.error.code)
    },
    drained: () => session.drained(),
    closed: () => session.closed(),
  }
}
