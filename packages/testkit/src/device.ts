/**
 * A simulated device: a browser's profile with a disk, locks, channels and a clock of its own, and tabs that open,
 * freeze and die.
 */
import type { Runtime } from '@rejoin/core'
import type { ClientPorts, MarkerRecord, PageEvent } from '@rejoin/client'
import type { Chance } from './chance.ts'
import type { SimulatedClock } from './clock.ts'
import { createSimulatedDisk, type DiskImage, type SimulatedDisk } from './disk.ts'
import type { SimulatedNetwork } from './network.ts'
import { pathsOfRequest, watchStorage, type DiskWatch } from './paths/journals.ts'
import { createScope, type Scope } from './scope.ts'
import { trapStorage, type StorageTrap } from './storage-trap.ts'
import { createSimulatedProfile } from './tabs.ts'

/** A device's disk and what stands beside it, as of one instant. */
export interface DeviceImage {
  readonly disk: DiskImage
  /** By database. */
  readonly markers: ReadonlyMap<string, MarkerRecord>
}

export interface SimulatedDevice {
  readonly name: string
  /** Whose device it is: a clone is its original's owner's. */
  readonly user: string
  /** Runs a version of the application that knows fewer fields. */
  isNarrow: boolean
  /** Nobody opens it before this simulated time. */
  awayUntil: number
  readonly disk: SimulatedDisk
  /** Where one of its tabs dies. */
  readonly trap: StorageTrap
  /** Milliseconds by which its wall clock is wrong. May change at any time. */
  skewMs: number
  /** A new tab's world. */
  openTab(): SimulatedTab
  readonly tabs: readonly SimulatedTab[]
  /** Everything on it dies at once, as when its browser is killed. */
  crash(): void
  /** The same, and what only the operating system had is gone. */
  losePower(): void
  /** What is on it now. */
  image(): DeviceImage
  /** Puts an image in the place of all that is on it. To be called when everything on it is dead. */
  restore(image: DeviceImage): void
}

export interface SimulatedTab {
  readonly scope: Scope
  /** Of a page that has one database. */
  readonly ports: ClientPorts
  portsOf(database: string): ClientPorts
  /** When it went over a part of the journal that pages have taken the place of, last, in simulated milliseconds. */
  readonly overtakenAt: number
  /** Whether its page went away once, and so handed over all that was written without waiting. */
  readonly wasPutAway: boolean
  /** Tells the page. */
  happen(event: PageEvent): void
}

/** Stands for the database of a page that has one, whatever it is called. */
const onlyDatabase = ''

export function createSimulatedDevice(
  name: string,
  world: {
    readonly clock: SimulatedClock
    readonly chance: Chance
    readonly network: SimulatedNetwork
    readonly epoch: number
    /** Is told what its storage shows. */
    readonly watch?: DiskWatch | undefined
  },
  user: string = name,
): SimulatedDevice {
  const { clock, chance, network, epoch, watch } = world
  const disk = createSimulatedDisk(chance.fork(), (database, request) => {
    if (watch !== undefined) pathsOfRequest(database, request, watch)
  })
  const profile = createSimulatedProfile(chance.fork())
  const markers = new Map<string, MarkerRecord>()
  let tabs: SimulatedTab[] = []

  const trap: StorageTrap = { steps: 0, when: 'before', sprung: 0 }

  const device: SimulatedDevice = {
    name,
    user,
    disk,
    trap,
    skewMs: 0,
    isNarrow: false,
    awayUntil: 0,
    get tabs() {
      tabs = tabs.filter(tab => tab.scope.alive)
      return tabs
    },
    openTab() {
      const scope = createScope(clock)
      const random = chance.fork()
      const listeners = new Set<(event: PageEvent) => void>()
      let visible = true
      let wasPutAway = false
      let overtakenAt = Number.NEGATIVE_INFINITY
      const overtaken = (): void => void (overtakenAt = clock.time)
      const runtime: Runtime = {
        now: () => epoch + clock.time + device.skewMs,
        monotonic: () => clock.time,
        randomBytes: length => random.bytes(length),
        after: (delayMs, run) => scope.after(delayMs, run),
      }
      const storage = trapStorage(disk.openFrom(scope), scope, trap)
      const portsOf = (database: string): ClientPorts => ({
        runtime,
        openStorage: watch === undefined ? storage : watchStorage(storage, watch.take, overtaken),
        locks: profile.locksOf(scope),
        openChannel: profile.channelsOf(scope),
        connect: network.connectFrom(name, scope),
        page: {
          visible: () => visible,
          on(listener) {
            listeners.add(listener)
            return () => void listeners.delete(listener)
          },
        },
        marker: {
          read: (name = database) => markers.get(database === onlyDatabase ? database : name) ?? null,
          write: record => {
            if (scope.alive) markers.set(database, record)
          },
        },
        persistence: 'indexeddb',
      })
      const tab: SimulatedTab = {
        scope,
        ports: portsOf(onlyDatabase),
        portsOf,
        get overtakenAt() {
          return overtakenAt
        },
        get wasPutAway() {
          return wasPutAway
        },
        happen(event) {
          if (event === 'leave') wasPutAway = true
          if (event === 'hidden') visible = false
          if (event === 'visible') visible = true
          for (const listener of listeners) listener(event)
        },
      }
      tabs.push(tab)
      return tab
    },
    crash() {
      for (const tab of device.tabs) tab.scope.kill()
    },
    losePower() {
      device.crash()
      disk.losePower()
    },
    image: () => ({ disk: disk.image(), markers: new Map(markers) }),
    restore(image) {
      disk.restore(image.disk)
      markers.clear()
      for (const [name, marker] of image.markers) markers.set(name, marker)
    },
  }
  return device
}
