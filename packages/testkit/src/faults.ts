/**
 * Faults: what goes wrong in a history, each with its name. A fault counts when it really happened, since a history in
 * which nothing went wrong shows nothing.
 */
import type { MemoryImage } from '@rejoin/relay/kernel'
import type { Application } from './application.ts'
import type { Cluster, OpenTab } from './cluster.ts'
import type { DeviceImage, SimulatedDevice } from './device.ts'
import { createHostile } from './hostile.ts'

export const faultNames = [
  'cut',
  'silent-cut',
  'tab-crash',
  'device-crash',
  'power-loss',
  'freeze',
  'relay-restart',
  'relay-rollback',
  'refusal',
  'skew',
  'disk-full',
  'clone',
  'client-rollback',
  'long-absence',
  'lost-verdict',
  'duplicate-connection',
  'storage-abort',
  'clock-jump',
  'hostile',
  'schema',
  'write-during-pull',
] as const
export type Fault = (typeof faultNames)[number]

export const everyFault: Readonly<Record<Fault, number>> = {
  cut: 0.03,
  'silent-cut': 0.01,
  'tab-crash': 0.02,
  'device-crash': 0.01,
  'power-loss': 0.01,
  freeze: 0.01,
  'relay-restart': 0.02,
  'relay-rollback': 0.02,
  refusal: 1,
  skew: 0.01,
  'disk-full': 0.01,
  clone: 0.008,
  'client-rollback': 0.01,
  'long-absence': 0.002,
  'lost-verdict': 0.02,
  'duplicate-connection': 0.005,
  'storage-abort': 0.008,
  'clock-jump': 0.003,
  hostile: 0.03,
  schema: 0.005,
  'write-during-pull': 0.02,
}

export interface Faults {
  /** Lets a fault happen, if it can. */
  happen(fault: Fault): Promise<void>
  /** Some of those that are frozen go on. */
  thawSome(): void
  thawAll(): void
}

const yearMs = 365 * 24 * 3_600_000

export function createFaults(
  cluster: Cluster,
  application: Application,
  counts: Record<Fault, number>,
  say: (what: string) => void,
): Faults {
  const { chance, clock, network } = cluster
  const images = new Map<string, MemoryImage>()
  const backups = new Map<SimulatedDevice, DeviceImage>()
  const hostile = createHostile(cluster, application.findings)
  const frozen: OpenTab[] = []
  let clones = 0
  let absences = 0

  function pickTab(): OpenTab | null {
    const tabs = cluster.tabs.filter(({ tab }) => !tab.scope.frozen)
    return tabs.length === 0 ? null : chance.pick(tabs)
  }

  function cutOne(how: 'told' | 'silent'): void {
    const device = chance.pick(cluster.devices)
    const relay = chance.pick(cluster.relays)
    say(`${device.name} and ${relay.url} are cut (${how})`)
    network.cut(device.name, relay.url, how)
    clock.after(chance.below(20_000), () => network.heal(device.name, relay.url))
  }

  /** What an older image does not hold is gone from this device; what a relay has stays. */
  function forgetLocal(device: SimulatedDevice): void {
    for (const entry of application.log) {
      if (entry.device !== device) continue
      entry.local = false
    }
  }

  /** Whether it happened. */
  const run: Record<Fault, () => Promise<boolean> | boolean> = {
    cut: () => {
      cutOne('told')
      return true
    },
    'silent-cut': () => {
      cutOne('silent')
      return true
    },
    'tab-crash'() {
      const open = pickTab()
      if (open === null) return false
      say(`a tab of ${open.device.name} dies`)
      open.tab.scope.kill()
      return true
    },
    'device-crash'() {
      const device = chance.pick(cluster.devices)
      say(`${device.name} is killed`)
      device.crash()
      return true
    },
    'power-loss'() {
      const device = chance.pick(cluster.devices)
      say(`${device.name} loses power`)
      device.losePower()
      return true
    },
    freeze() {
      const open = pickTab()
      if (open === null) return false
      say(`a tab of ${open.device.name} freezes`)
      open.tab.scope.freeze()
      frozen.push(open)
      return true
    },
    async 'relay-restart'() {
      const relay = chance.pick(cluster.relays)
      const open = pickTab()
      // In the middle of what has just been submitted to it, more often than not.
      if (open !== null) application.act(open)
      await clock.advance(chance.below(120))
      if (chance.chance(0.4)) {
        say(`${relay.url} restarts when it has sent a verdict`)
        relay.crashAfterVerdict()
        return true
      }
      say(`${relay.url} restarts`)
      relay.crash()
      await clock.advance(chance.below(500))
      await relay.start()
      return true
    },
    async 'relay-rollback'() {
      const relay = chance.pick(cluster.relays)
      const image = images.get(relay.url)
      if (image === undefined || chance.chance(0.4)) {
        images.set(relay.url, relay.image())
        say(`an image of ${relay.url} is taken`)
        return false
      }
      say(`${relay.url} is put back to its image`)
      relay.crash()
      relay.restore(image)
      await relay.start()
      return true
    },
    refusal: () => false,
    skew() {
      const device = chance.pick(cluster.devices)
      // An hour is more than relays take, five minutes are not.
      const most = chance.chance(0.5) ? 3_600_000 : 300_000
      device.skewMs = chance.chance(0.3) ? 0 : (chance.next() - 0.5) * 2 * most
      say(`the clock of ${device.name} is ${Math.round(device.skewMs / 1000)} s off`)
      return true
    },
    'clock-jump'() {
      const device = chance.pick(cluster.devices)
      device.skewMs = chance.pick([-10, 10]) * yearMs
      say(`the clock of ${device.name} jumps by ${device.skewMs / yearMs} years`)
      clock.after(chance.below(20_000), () => {
        device.skewMs = 0
      })
      return true
    },
    'disk-full'() {
      const device = chance.pick(cluster.devices)
      say(`the disk of ${device.name} is full for a while`)
      device.disk.fail('storage-full')
      clock.after(chance.below(3000), () => device.disk.fail(null))
      return true
    },
    'storage-abort'() {
      const device = chance.pick(cluster.devices)
      say(`the next transaction on ${device.name} is aborted`)
      device.disk.abortNext()
      return true
    },
    clone() {
      const device = chance.pick(cluster.devices)
      if (clones > 0 || device.disk.image().size === 0) return false
      if (chance.chance(0.4)) {
        clones += 1
        say(`${cluster.addDevice().name} is new`)
        return false
      }
      clones += 1
      device.crash()
      const copy = cluster.clone(device)
      say(`${copy.name} is a copy of ${device.name}`)
      return true
    },
    'client-rollback'() {
      const device = chance.pick(cluster.devices)
      const backup = backups.get(device)
      if (backup === undefined) {
        device.crash()
        if (device.disk.image().size > 0) backups.set(device, device.image())
        say(`a backup of ${device.name} is made`)
        return false
      }
      say(`${device.name} is put back to its backup`)
      device.crash()
      device.restore(backup)
      forgetLocal(device)
      return true
    },
    'long-absence': async () => {
      if (absences > 0 || cluster.devices.length < 2) return false
      absences += 1
      const away = chance.pick(cluster.devices)
      await fillJournals()
      const peers = cluster.devices.filter(device => device !== away)
      say(`${away.name} goes away for three years`)
      away.crash()
      // Those that stay delete what is old, and forget it.
      for (let visit = 0; visit < 3; visit++) {
        for (const device of cluster.devices) device.crash()
        clock.leap(yearMs)
        for (const device of peers) await application.open(device)
        cluster.linkPeers()
        await clock.advance(1000)
        for (let i = 0; i < 4; i++) {
          const open = pickTab()
          if (open !== null) application.act(open)
          await clock.advance(500)
        }
        await clock.advance(70_000)
      }
      return true
    },
    'lost-verdict'() {
      chance.pick(cluster.relays).loseVerdict()
      return false
    },
    async 'duplicate-connection'() {
      const device = chance.pick(cluster.devices)
      while (device.tabs.length < 2) if ((await application.open(device)) === null) return false
      const [first] = cluster.tabs.filter(open => open.device === device && !open.tab.scope.frozen)
      if (first === undefined) return false
      say(`a tab of ${device.name} freezes until another one has taken over`)
      first.tab.scope.freeze()
      await clock.advance(16_000)
      first.tab.scope.thaw()
      return true
    },
    hostile: () => hostile.strike(),
    schema() {
      const device = chance.pick(cluster.devices)
      device.crash()
      device.isNarrow = !device.isNarrow
      say(`${device.name} runs ${device.isNarrow ? 'an older' : 'the newest'} version`)
      return true
    },
    async 'write-during-pull'() {
      const device = chance.pick(cluster.devices)
      if (device.tabs.length > 1) device.crash()
      const open = await application.open(device)
      if (open === null) return false
      for (let i = 0; i < 200 && open.tab.scope.alive; i++) {
        if (open.replica.status.get().connection === 'catching-up') {
          application.act(open)
          application.act(open)
          return true
        }
        await clock.advance(1)
      }
      return false
    },
  }

  /** Journals so long that pages are written, without which no tombstone is forgotten. */
  async function fillJournals(): Promise<void> {
    const open = pickTab()
    if (open === null) return
    const value = 'x'.repeat(240_000)
    try {
      for (let i = 0; i < 6; i++) {
        open.replica.ballast.insert({ value: `${i}${value}` })
        await clock.advance(500)
      }
    } catch {
      // A tab whose store is gone takes no ballast.
    }
    await clock.advance(20_000)
  }

  return {
    async happen(fault) {
      if (await run[fault]()) counts[fault] += 1
      counts['lost-verdict'] = cluster.relays.reduce((sum, relay) => sum + relay.lostVerdicts, 0)
    },
    thawSome() {
      if (frozen.length > 0 && chance.chance(0.1)) frozen.shift()?.tab.scope.thaw()
    },
    thawAll() {
      for (const { tab } of frozen) tab.scope.thaw()
    },
  }
}
