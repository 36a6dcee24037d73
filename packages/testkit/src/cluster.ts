/**
 * A small cluster in one process: devices with tabs, and relays, on the real client and the real kernel, on simulated
 * time, links and disks, from one seed.
 */
import { oneCopy, RejoinError, type Chunk, type Copies, type DocumentKey } from '@rejoin/core'
import { openReplica, type Replica } from '@rejoin/client'
import { createChance, type Chance } from './chance.ts'
import { createSimulatedClock, type SimulatedClock } from './clock.ts'
import { createSimulatedDevice, type SimulatedDevice, type SimulatedTab } from './device.ts'
import { createSimulatedNetwork, type SimulatedNetwork } from './network.ts'
import { noPaths, type PathCounts, type Take } from './paths/path.ts'
import { watchNetwork } from './paths/sessions.ts'
import { createTypedTokens, type TypedTokens } from './typed-tokens.ts'
import { createPeering, doFollow, type Links } from './peering.ts'
import { createSimulatedRelay, type SimulatedRelay } from './relay.ts'
import { leakIn } from './watch/leaks.ts'
import { createReaders, type Readers } from './readers.ts'
import { createRefusals } from './watch/refusals.ts'
import { createRemakes, type Remakes } from './watch/remakes.ts'
import { narrowCollections, simulatedCollections, type SimulatedCollections } from './schema.ts'

export interface ClusterOptions {
  readonly seed: number
  readonly devices?: number | undefined
  readonly relays?: number | undefined
  /**
   * Which of them are peers: each of the next one (`line`, unless stated), also the last of the first, or all; or all
   * but the first follow that one (`followers`), or the one before (`chain`).
   */
  readonly links?: Links | undefined
  /** How many followers are to have a write on disk until it is at `quorum`. */
  readonly ackReplicas?: number | undefined
  /** Devices speak with all relays at once, and a write is at `quorum` when so many of them have it. */
  readonly write?: number | undefined
  /**
   * Each tab is given some of the relays, and speaks with one of them at a time or with all at once: as when an application
   * changes its list while older tabs are open.
   */
  readonly ownLists?: boolean | undefined
  /** How many spaces each device has replicas of. */
  readonly spaces?: number | undefined
  /** Whether the product's bounds are so small that whatever is pulled comes in steps. */
  readonly comesInSteps?: boolean | undefined
  /** Who may only read at a relay. */
  readonly reads?: ((user: string, url: string) => boolean) | undefined
  /** Refuses a write, or lets it pass. */
  readonly accept?: Parameters<typeof createSimulatedRelay>[0]['accept'] | undefined
}

/** A replica that a tab has open: one of each space. */
export interface OpenTab {
  readonly tab: SimulatedTab
  readonly space: string
  readonly device: SimulatedDevice
  readonly replica: Replica<SimulatedCollections>
  /** It declares `narrowCollections`, whatever its type says. */
  readonly isNarrow: boolean
  /** Somebody closes it in order. */
  isClosing: boolean
}

export interface Cluster {
  readonly clock: SimulatedClock
  readonly chance: Chance
  readonly network: SimulatedNetwork
  readonly devices: readonly SimulatedDevice[]
  readonly relays: readonly SimulatedRelay[]
  /** Those that judge: of followers their leader alone. */
  readonly judges: readonly SimulatedRelay[]
  readonly spaces: readonly string[]
  /** Whether relays pull from each other. */
  readonly areLinked: boolean
  readonly comesInSteps: boolean
  /** Whether relays know nothing of each other. */
  readonly areApart: boolean
  /** Who may only read for the moment. */
  readonly readers: Readers
  /** How often each path was taken. */
  readonly paths: PathCounts
  /** Where in bodies tokens stand that relays stored. */
  readonly typedTokens: TypedTokens
  readonly take: Take
  /** What became of own writes, as devices stored it. */
  readonly remakes: Remakes
  /** Whether somebody was told that a relay does not take a document back: it may stay away, and what stands on it. */
  mayNotComeBack(space: string, key: DocumentKey): boolean
  /** Whether a write of a document was made anew that a relay may have taken whose verdict was lost (SPEC W6). */
  mayStandTwice(space: string, key: DocumentKey): boolean
  /** What is open in tabs that are alive. */
  readonly tabs: readonly OpenTab[]
  /** What a bug of the product threw where nobody waited for it. */
  readonly thrown: readonly unknown[]
  /** Opens a tab with a replica of every space, and gives that of the first. Null if it died meanwhile. */
  openTab(device: SimulatedDevice): Promise<OpenTab | null>
  /** A new device that holds what another one holds now, of the same owner. */
  clone(device: SimulatedDevice): SimulatedDevice
  /** A new device that has nothing yet. */
  addDevice(): SimulatedDevice
  /** How many relays there were at first. */
  readonly relaysEver: number
  /** Whether others go on without it. */
  isSpare(relay: SimulatedRelay): boolean
  /** A relay is gone for good. */
  lose(relay: SimulatedRelay): void
  /** Links relays that are peers, where they are not linked. */
  linkPeers(): void
  readonly epoch: number
  /** On how many relays' disks a write is that is at `quorum`; 0 where that level is not given. */
  readonly copiesAtQuorum: number
  /** With how many relays a device speaks at once, at most. */
  readonly relaysAtOnce: number
  /** On how many relays' disks own writes of devices are to be. */
  readonly copies: Copies
  close(): void
}

/** Who forges, whatever its device. */
export const hostileName = 'mallory'
/** Who may not even read. */
export const intruderName = 'eve'

/** Where a device keeps its replica of a space. */
export function databaseOf(space: string): string {
  return `rejoin//${space}`
}

export async function createCluster(options: ClusterOptions): Promise<Cluster> {
  const chance = createChance(options.seed)
  const clock = createSimulatedClock()
  const spaces = Array.from({ length: options.spaces ?? 1 }, (_, i) => (i === 0 ? 'space' : `space-${i}`))
  const paths = noPaths()
  const take: Take = path => void (paths[path] += 1)
  const refusals = createRefusals()
  const remakes = createRemakes()
  const network = watchNetwork(
    createSimulatedNetwork(clock, chance.fork()),
    take,
    name => name !== hostileName && name !== intruderName,
    (space, frame) => {
      const leak = spaces.length === 1 ? null : leakIn(spaces, space, frame)
      if (leak !== null) note(new Error(`[V13] ${leak} is in a frame of ${space}`))
    },
    refusals,
  )
  const epoch = 1_800_000_000_000
  const thrown: unknown[] = []
  const note = (error: unknown): void => void thrown.push(error)
  process.on('unhandledRejection', note)
  process.on('uncaughtException', note)

  const typedTokens = createTypedTokens()
  const readers = createReaders()
  const grantOf = (user: string, url: string): 'none' | 'read' | 'write' => {
    if (user === intruderName) return 'none'
    const onlyReads = readers.has(user, url) || options.reads?.(user, url) === true
    return onlyReads ? 'read' : 'write'
  }
  const relays = Array.from({ length: options.relays ?? 1 }, (_, i) =>
    createSimulatedRelay({
      url: `ws://relay-${i}`,
      clock,
      chance: chance.fork(),
      network,
      watch: { stored: update => typedTokens.note(update), folded: () => take('text-folded') },
      epoch: () => epoch,
      accept: options.accept ?? (() => true),
      peerToken: 'peers',
      access: user => Promise.resolve(grantOf(user, `ws://relay-${i}`)),
      follows: doFollow(options.links) && i > 0,
      ackReplicas: options.ackReplicas,
    }),
  )
  for (const relay of relays) await relay.start()
  const urls = relays.map(({ url }) => url)
  const { write, ackReplicas = 0 } = options
  /** Of whom both a write and a read of who opened when all were there have enough. */
  const needed = write === undefined ? 1 : Math.max(write, urls.length + 1 - write)
  /** Also of relays that are gone: nobody tells devices, but where each relay counts. */
  const listed = (): readonly string[] => (write === undefined ? urls : relays.map(({ url }) => url))
  const spaceOf = new Map(spaces.map(space => [databaseOf(space), space]))
  const stored = (database: string, chunk: Chunk): void => remakes.stored(spaceOf.get(database) ?? '', chunk)
  const world = { clock, network, epoch, watch: { take, stored } }
  const devices = Array.from({ length: options.devices ?? 3 }, (_, i) =>
    createSimulatedDevice(`device-${i}`, { ...world, chance: chance.fork() }),
  )
  let tabs: OpenTab[] = []
  const peering = createPeering(relays, options.links ?? 'line', spaces, network, clock, note)

  function addDevice(user?: string): SimulatedDevice {
    const device = createSimulatedDevice(
      `device-${devices.length}`,
      { ...world, chance: chance.fork() },
      user,
    )
    devices.push(device)
    return device
  }

  function chooseList(turned: readonly string[]): { relays: readonly string[]; write: number | undefined } {
    const relays = turned.slice(0, 1 + chance.below(turned.length))
    return { relays, write: chance.chance(0.5) ? undefined : 1 + chance.below(relays.length) }
  }

  /** Null if the tab died meanwhile. */
  async function openIn(space: string, tab: SimulatedTab, device: SimulatedDevice): Promise<OpenTab | null> {
    const { isNarrow } = device
    // A narrow tab is written to by the fields that it knows, and read likewise.
    const collections = isNarrow ? (narrowCollections as SimulatedCollections) : simulatedCollections
    const given = listed()
    const first = chance.below(given.length)
    const turned = [...given.slice(first), ...given.slice(0, first)]
    const own = options.ownLists === true ? chooseList(turned) : { relays: turned, write }
    const opening = openReplica({
      space,
      collections,
      relays: own.relays,
      token: () => Promise.resolve(device.user),
      device: device.name,
      ...(own.write === undefined
        ? {}
        : { mode: 'quorum', write: own.write, read: own.relays.length + 1 - own.write }),
      ports: tab.portsOf(databaseOf(space)),
    })
    // Opening takes simulated time, in which the tab may die.
    let replica: Replica<SimulatedCollections> | null = null
    let hasFailed = false
    opening.then(
      opened => {
        replica = opened
      },
      error => {
        hasFailed = true
        if (!(error instanceof RejoinError) && tab.scope.alive) note(error)
      },
    )
    while (replica === null && !hasFailed && tab.scope.alive) await clock.advance(5)
    if (replica === null || !tab.scope.alive) return null
    const open: OpenTab = { tab, space, device, replica, isNarrow, isClosing: false }
    open.replica.on('repaired', () => take('repaired'))
    return open
  }

  const cluster: Cluster = {
    clock,
    chance,
    network,
    devices,
    relays,
    get judges() {
      return doFollow(options.links) ? relays.slice(0, 1) : relays
    },
    thrown,
    readers,
    spaces,
    areLinked: options.links !== 'none',
    comesInSteps: options.comesInSteps === true,
    areApart: options.links === 'none',
    paths,
    typedTokens,
    take,
    remakes,
    mayNotComeBack: refusals.mayNotComeBack,
    // Of several relays at once what one refused waits for the others.
    mayStandTwice: (space, key) => write === undefined && refusals.mayStandTwice(space, key),
    epoch,
    copiesAtQuorum: write ?? (ackReplicas > 0 ? 1 + ackReplicas : 0),
    get relaysAtOnce() {
      return write !== undefined || options.ownLists === true ? relays.length : 1
    },
    get copies(): Copies {
      const given = listed()
      return write === undefined
        ? oneCopy
        : { wanted: write, level: 'quorum', all: given.length, relays: given }
    },
    get tabs() {
      tabs = tabs.filter(({ tab }) => tab.scope.alive)
      return tabs
    },
    async openTab(device) {
      const tab = device.openTab()
      const opened: OpenTab[] = []
      for (const space of spaces) {
        const open = await openIn(space, tab, device)
        if (open === null) return null
        opened.push(open)
      }
      tabs.push(...opened)
      return opened[0] ?? null
    },
    addDevice,
    clone(device) {
      const copy = addDevice(device.user)
      copy.restore(device.image())
      copy.isNarrow = device.isNarrow
      return copy
    },
    relaysEver: urls.length,
    // Who speaks with all of its relays at once waits for one that is gone (SPEC W6).
    isSpare: relay =>
      options.ownLists !== true &&
      relays.length > needed &&
      !(doFollow(options.links) && relay === relays[0]),
    lose(relay) {
      relay.retire()
      relays.splice(relays.indexOf(relay), 1)
      for (const error of relay.errors) note(new Error(`${relay.url} logged ${error}`))
      for (const left of relays) left.noteLoss()
    },
    linkPeers: peering.link,
    close() {
      for (const device of devices) device.crash()
      for (const relay of relays) relay.crash()
      process.off('unhandledRejection', note)
      process.off('uncaughtException', note)
    },
  }
  return cluster
}
