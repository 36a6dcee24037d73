/**
 * One device in simulated time, and relays that do as they are told: for what a client does when things go wrong, to
 * the millisecond and without waiting.
 */
import { openReplica, type OpenOptions, type Replica } from '@rejoin/client'
import {
  createDictionary,
  decodeFrame,
  emptyFingerprint,
  encodeFrame,
  writerFromBytes,
  type Failure,
  type Fingerprint,
  type Frame,
  type GenerationId,
  type HelloFrame,
  type StoreId,
} from '@rejoin/core'
import type { SessionLink } from '@rejoin/relay/kernel'
import {
  createChance,
  createScope,
  createSimulatedClock,
  createSimulatedDevice,
  createSimulatedNetwork,
  createSimulatedRelay,
  simulatedCollections,
  type Scope,
  type SimulatedClock,
  type SimulatedCollections,
  type SimulatedDevice,
  type SimulatedNetwork,
  type SimulatedRelay,
  type SimulatedTab,
} from '@rejoin/testkit'
import { welcomeFrom } from '../core/welcomes.ts'

export const epoch = 1_800_000_000_000

export type Notes = Replica<SimulatedCollections>

export interface World {
  readonly clock: SimulatedClock
  readonly network: SimulatedNetwork
  readonly device: SimulatedDevice
  /** The relay that ships, at `ws://relay`, once it is started. */
  readonly relay: SimulatedRelay
  /** A relay that does as its script says, at a URL. */
  play(url: string, script: Script): RelayDouble
  open(tab: SimulatedTab, options?: Partial<OpenOptions<SimulatedCollections>>): Promise<Notes>
  another(name: string): SimulatedDevice
  /** Moves the relay's wall clock. */
  shiftRelay(ms: number): void
  /** Milliseconds since the world began, at which something happened. */
  readonly time: number
}

/** What a relay does on a new link, and with each frame. */
export interface Script {
  readonly opened?: ((end: RelayEnd) => void) | undefined
  readonly hello?: ((end: RelayEnd, hello: HelloFrame) => void) | undefined
  readonly frame?: ((end: RelayEnd, frame: Frame) => void) | undefined
}

export interface RelayEnd {
  send(frame: Frame): void
  welcome(user?: string): void
  /** What answers a heartbeat, or, without a fingerprint, ends what others brought. */
  cut(options?: { readonly fingerprint: Fingerprint | null }): void
  refuse(error: Failure, code: number): void
  close(code: number): void
}

export interface RelayDouble {
  /** When links were opened. */
  readonly openings: readonly number[]
  /** When hellos came. */
  readonly hellos: readonly number[]
  readonly tokens: readonly string[]
  readonly scope: Scope
  script: Script
  /** Of the last link. */
  end: RelayEnd | null
}

const store = writerFromBytes(new Uint8Array(8).fill(1)) as string as StoreId
const generation = writerFromBytes(new Uint8Array(8).fill(2)) as string as GenerationId

export function createWorld(seed = 1): World {
  const chance = createChance(seed)
  const clock = createSimulatedClock()
  const network = createSimulatedNetwork(clock, chance.fork())
  const parts = { clock, chance: chance.fork(), network, epoch }
  const device = createSimulatedDevice('alice', parts)
  let shift = 0
  const relay = createSimulatedRelay({
    url: 'ws://relay',
    clock,
    chance: chance.fork(),
    network,
    epoch: () => epoch + shift,
    accept: () => true,
    peerToken: '',
  })

  return {
    clock,
    network,
    device,
    relay,
    get time() {
      return clock.time
    },
    shiftRelay: ms => {
      shift += ms
    },
    another: name => createSimulatedDevice(name, parts),
    play(url, script) {
      const double: RelayDouble & { openings: number[]; hellos: number[]; tokens: string[] } = {
        openings: [],
        hellos: [],
        tokens: [],
        scope: createScope(clock),
        script,
        end: null,
      }
      network.serve(url, {
        scope: double.scope,
        attach(link) {
          double.openings.push(clock.time)
          const end = endOf(link, () => clock.time + epoch)
          double.end = end
          double.script.opened?.(end)
          const names = createDictionary()
          return {
            receive(bytes) {
              const decoded = decodeFrame(bytes, names)
              if (!decoded.ok) throw new Error(`a client sent ${JSON.stringify(decoded.error)}`)
              const frame = decoded.value
              if (frame.type === 'hello') {
                double.hellos.push(clock.time)
                double.tokens.push(frame.token)
                double.script.hello?.(end, frame)
              } else double.script.frame?.(end, frame)
            },
            drained: () => {},
            closed: () => {},
          }
        },
      })
      return double
    },
    open(tab, options = {}) {
      return within(
        clock,
        openReplica({
          space: 'space',
          collections: simulatedCollections,
          relays: ['ws://relay'],
          token: () => 'alice',
          device: 'laptop',
          ports: tab.ports,
          ...options,
        } as OpenOptions<SimulatedCollections>),
      )
    },
  }
}

function endOf(link: SessionLink, now: () => number): RelayEnd {
  const send = (frame: Frame): void => {
    link.send(encodeFrame(frame))
  }
  function cut({ fingerprint }: { readonly fingerprint: Fingerprint | null }): void {
    send({
      type: 'changes',
      rows: [],
      place: 0,
      head: 0,
      cut: { generation, position: 0, frontier: new Map(), generations: [], fingerprint },
      answer: false,
      writers: [],
    })
  }
  return {
    send,
    cut: (options = { fingerprint: emptyFingerprint }) => cut(options),
    welcome(user = 'alice') {
      send(welcomeFrom(store, generation, { time: now(), user, leader: null }))
      cut({ fingerprint: null })
    },
    refuse(error, code) {
      send({ type: 'refuse', error })
      link.close(code, error.code)
    },
    close: code => link.close(code, ''),
  }
}

/** Waits for a promise in simulated time, at most so long. */
export async function within<T>(clock: SimulatedClock, promise: Promise<T>, ms = 60_000): Promise<T> {
  let isSettled = false
  promise.then(
    () => (isSettled = true),
    () => (isSettled = true),
  )
  for (let waited = 0; !isSettled && waited < ms; waited += 10) await clock.advance(10)
  if (!isSettled) throw new Error(`not settled within ${ms} simulated ms`)
  return promise
}

/** Advances until something holds, at most so long. Says how long it took. */
export async function until(clock: SimulatedClock, holds: () => boolean, ms = 120_000): Promise<number> {
  const begun = clock.time
  while (!holds()) {
    if (clock.time - begun > ms) throw new Error(`did not hold within ${ms} simulated ms`)
    await clock.advance(10)
  }
  return clock.time - begun
}
