/** A relay's kernel over a disk in memory, and links to it without sockets: a test names only what it is about. */
import {
  createDictionary,
  decodeFrame,
  writerFromBytes,
  type Frame,
  type RelayStore,
  type StoreId,
} from '@rejoin/core'
import {
  createKernel,
  createMemoryDisk,
  type Kernel,
  type KernelOptions,
  type KernelSession,
  type SessionLink,
} from '@rejoin/relay/kernel'
import {
  createChance,
  createScope,
  createSimulatedClock,
  helloWith,
  type SimulatedClock,
} from '@rejoin/testkit'
import { setImmediate as turn } from 'node:timers/promises'

type Runtime = KernelOptions['runtime']

const chance = createChance(1)
const randomBytes = (length: number): Uint8Array => chance.bytes(length)

export const bareNow = 1_764_000_000_000

export function openStore(): Promise<RelayStore> {
  return createMemoryDisk(randomBytes).open()
}

/** Whoever shows a token has its name, and may write; no time passes. */
export async function openKernel(more: Partial<KernelOptions> = {}): Promise<Kernel> {
  return createKernel({
    store: more.store ?? (await openStore()),
    runtime: { now: () => bareNow, monotonic: () => 0, randomBytes, after: () => () => {} },
    token: async token => ({ user: token }),
    access: async () => 'write',
    accept: () => true,
    log: { error: () => {}, info: () => {}, debug: () => {} },
    ...more,
  })
}

/** Time as `monotonic` tells it; what is put off is next in the event loop. */
export function loopingRuntime(monotonic: () => number): Runtime {
  return {
    now: () => bareNow,
    monotonic,
    randomBytes,
    after(_, run) {
      const timer = setImmediate(run)
      return () => clearImmediate(timer)
    },
  }
}

export function simulatedRuntime(): { readonly clock: SimulatedClock; readonly runtime: Runtime } {
  const clock = createSimulatedClock()
  const scope = createScope(clock)
  const time = (): number => clock.time
  return {
    clock,
    runtime: { now: time, monotonic: time, randomBytes, after: (ms, run) => scope.after(ms, run) },
  }
}

/** One that carries nothing, and cannot be held back. */
export const bareLink: SessionLink = {
  address: '',
  buffered: () => 0,
  send: () => {},
  close: () => {},
  pause: () => false,
  resume: () => {},
}

/** Nothing was encoded: a frame counts as one, whatever its length. */
export interface BareSession extends Pick<KernelSession, 'drained' | 'closed'> {
  receive(frame: Frame): void
}

/** A link whose other end hears every frame at once, and is not behind unless it says so. */
export function attach(
  kernel: Kernel,
  hear: (frame: Frame, bytes: number) => void,
  more: Partial<SessionLink> = {},
): BareSession {
  const names = createDictionary()
  const session = kernel.attach({
    ...bareLink,
    send(bytes) {
      const decoded = decodeFrame(Uint8Array.from(bytes), names)
      if (!decoded.ok) throw new Error(`nobody can read it: ${decoded.error.code}`)
      hear(decoded.value, bytes.length)
    },
    ...more,
  })
  return {
    receive: frame => session.receive(frame, 0),
    drained: () => session.drained(),
    closed: () => session.closed(),
  }
}

/** So many turns of the event loop, in which all that is under way without a timer comes to its end. */
export async function settle(turns = 50): Promise<void> {
  for (let i = 0; i < turns; i++) await turn()
}

/** A replica of its own for each number. */
export function helloOf(replica: number): Frame {
  return helloWith({ replica: writerFromBytes(new Uint8Array(8).fill(replica)) as string as StoreId })
}
