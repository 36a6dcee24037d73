/**
 * A small cluster in one process: devices with tabs, and relays, on the real client and the real kernel, on simulated
 * time, links and disks, from one seed.
 */
import type { SessionLink } from '@rejoin/relay/kernel'
import { decodeFrame, RejoinError } from '@rejoin/core'
import { openReplica, type Replica } from '@rejoin/client'
import { createChance, type Chance } from './chance.ts'
import { createSimulatedClock, type SimulatedClock } from './clock.ts'
import { createSimulatedDevice, type SimulatedDevice, type SimulatedTab } from './device.ts'
import { createSimulatedNetwork, type SimulatedNetwork } from './network.ts'
import { createSimulatedRelay, type SimulatedRelay } from './relay.ts'
import { narrowCollections, simulatedCollections, type SimulatedCollections } from './schema.ts'

export interface ClusterOptions {
  readonly seed: number
  readonly devices?: number | undefined
  /** Two or more are peers of each other, in a line. */
  readonly relays?: number | undefined
  /** Refuses a write, or lets it pass. */
  readonly accept?: Parameters<typeof createSimulatedRelay>[0]['accept'] | undefined
}

export interface OpenTab {
  readonly tab: SimulatedTab
  readonly device: SimulatedDevice
  readonly replica: Replica<SimulatedCollections>
  /** It declares `narrowCollections`, whatever its type says. */
  readonly isNarrow: boolean
}

export interface Cluster {
  readonly clock: SimulatedClock
  readonly chance: Chance
  readonly network: SimulatedNetwork
  readonly devices: readonly SimulatedDevice[]
  readonly relays: readonly SimulatedRelay[]
  /** Tabs that are open and alive. */
  readonly tabs: readonly OpenTab[]
  /** What a bug of the product threw where nobody waited for it. */
  readonly thrown: readonly unknown[]
  openTab(device: SimulatedDevice): Promise<OpenTab | null>
  /** A new device that holds what another one holds now, of the same owner. */
  clone(device: SimulatedDevice): SimulatedDevice
  /** A new device that has nothing yet. */
  addDevice(): SimulatedDevice
  /** Links every relay with the next one, where they are not linked. */
  linkPeers(): void
  readonly databaseName: string
  readonly epoch: number
  close(): void
}

const space = 'space'

export async function createCluster(options: ClusterOptions): Promise<Cluster> {
  const chance = createChance(options.seed)
  const clock = createSimulatedClock()
  const network = createSimulatedNetwork(clock, chance.fork())
  const epoch = 1_800_000_000_000
  const thrown: unknown[] = []
  const note = (error: unknown): void => void thrown.push(error)
  process.on('unhandledRejection', note)
  process.on('uncaughtException', note)

  const relays = Array.from({ length: options.relays ?? 1 }, (_, i) =>
    createSimulatedRelay({
      url: `ws://relay-${i}`,
      clock,
      chance: chance.fork(),
      network,
      epoch: () => epoch,
      accept: options.accept ?? (() => true),
      peerToken: 'peers',
    }),
  )
  for (const relay of relays) await relay.start()
  const devices = Array.from({ length: options.devices ?? 3 }, (_, i) =>
    createSimulatedDevice(`device-${i}`, { clock, chance: chance.fork(), network, epoch }),
  )
  let tabs: OpenTab[] = []
  const linked = new Set<string>()

  function link(from: SimulatedRelay, to: SimulatedRelay): void {
    const pair = `${from.url} ${to.url}`
    if (linked.has(pair) || !from.alive || !to.alive) return
    linked.add(pair)
    const { scope, kernel } = from
    let session: ReturnType<typeof kernel.dial> | null = null
    let isOver = false
    // A link that ended may hear of its end once more, long after another one took its place.
    const unlink = (): void => {
      if (isOver) return
      isOver = true
      linked.delete(pair)
      if (scope.alive) session?.closed()
    }
    scope.onKill(unlink)
    // Who dials peers notices a silent one by its missing heartbeats; here it is told.
    to.scope.onKill(unlink)
    network.connectFrom(from.url, scope)(to.url, {
      opened(opened) {
        const peer: SessionLink = {
          address: to.url,
          send: bytes => opened.send(bytes),
          buffered: () => opened.buffered(),
          close: code => opened.close(code),
        }
        session = kernel.dial(space, peer)
      },
      frame(bytes) {
        const decoded = decodeFrame(bytes)
        if (decoded.ok) session?.receive(decoded.value)
        else note(new Error(`a relay sent ${JSON.stringify(decoded.error)}`))
      },
      closed: unlink,
    })
  }

  function addDevice(user?: string): SimulatedDevice {
    const world = { clock, chance: chance.fork(), network, epoch }
    const device = createSimulatedDevice(`device-${devices.length}`, world, user)
    devices.push(device)
    return device
  }

  const cluster: Cluster = {
    clock,
    chance,
    network,
    devices,
    relays,
    thrown,
    databaseName: 'rejoin//space',
    epoch,
    get tabs() {
      tabs = tabs.filter(({ tab }) => tab.scope.alive)
      return tabs
    },
    async openTab(device) {
      const tab = device.openTab()
      const { isNarrow } = device
      // A narrow tab is written to by the fields that it knows, and read likewise.
      const collections = isNarrow ? (narrowCollections as SimulatedCollections) : simulatedCollections
      const first = chance.below(relays.length)
      const urls = relays.map((_, i) => relays[(first + i) % relays.length]?.url ?? '')
      const opening = openReplica({
        space,
        collections,
        relays: urls,
        token: () => Promise.resolve(device.user),
        device: device.name,
        ports: tab.ports,
      })
      // Opening takes simulated time, in which the tab may die.
      let opened: Replica<SimulatedCollections> | null = null
      opening.then(
        replica => {
          opened = replica
        },
        error => {
          if (!(error instanceof RejoinError) && tab.scope.alive) note(error)
        },
      )
      for (let i = 0; i < 100 && opened === null && tab.scope.alive; i++) await clock.advance(5)
      if (opened === null || !tab.scope.alive) return null
      const open: OpenTab = { tab, device, replica: opened, isNarrow }
      tabs.push(open)
      return open
    },
    addDevice,
    clone(device) {
      const copy = addDevice(device.user)
      copy.restore(device.image())
      copy.isNarrow = device.isNarrow
      return copy
    },
    linkPeers() {
      relays.forEach((relay, i) => {
        const next = relays[i + 1]
        if (next !== undefined) link(relay, next)
      })
    },
    close() {
      for (const device of devices) device.crash()
      for (const relay of relays) relay.crash()
      process.off('unhandledRejection', note)
      process.off('uncaughtException', note)
    },
  }
  return cluster
}
