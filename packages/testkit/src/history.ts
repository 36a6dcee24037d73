/**
 * A history: one run of a cluster from a seed. People write, faults happen, and every so often everything is checked;
 * then the faults stop, time passes, and what must hold at rest is checked.
 */
import type { Cluster, OpenTab } from './cluster.ts'
import { createApplication, refusedColor, type Application } from './application.ts'
import { checkConservation, checkRest, checkStatus } from './checks.ts'
import { createCluster } from './cluster.ts'
import type { MemoryImage } from '@rejoin/relay/kernel'
import { decodeValue, partName } from '@rejoin/core'

export interface HistoryOptions {
  readonly seed: number
  readonly steps: number
  readonly relays?: number | undefined
  readonly devices?: number | undefined
  /** How often each fault happens at a step; a fault that is left out does not happen. */
  readonly faults?: Partial<Record<Fault, number>> | undefined
}

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
  'relay-rollback': 0.008,
  refusal: 1,
  skew: 0.01,
  'disk-full': 0.01,
}

export interface HistoryResult {
  readonly seed: number
  readonly findings: readonly string[]
  readonly counts: Readonly<Record<Fault, number>>
  readonly writes: number
  readonly acknowledged: number
  readonly refused: number
  /** Events of the simulated clock. */
  readonly events: number
  /** What was done, in order. */
  readonly trace: readonly string[]
}

const titleColor = partName('lww', 'color')

export async function runHistory(options: HistoryOptions): Promise<HistoryResult> {
  const faults = options.faults ?? {}
  const counts = Object.fromEntries(faultNames.map(name => [name, 0])) as Record<Fault, number>
  const findings: string[] = []
  const trace: string[] = []
  const cluster = await createCluster({
    seed: options.seed,
    relays: options.relays,
    devices: options.devices,
    accept: write => {
      const cell = write.delta.cells.get(titleColor)
      if (faults.refusal === undefined || cell?.strategy !== 'lww') return true
      const value = decodeValue(cell.value)
      if (!value.ok || value.value !== refusedColor) return true
      counts.refusal += 1
      return 'nobody may write that colour'
    },
  })
  const application = createApplication(cluster)
  try {
    await live(cluster, application, options, counts, findings, trace)
    await heal(cluster, trace)
    findings.push(
      ...(await checkConservation(cluster, application)),
      ...(await checkRest(cluster, application)),
    )
  } catch (error) {
    findings.push(`threw ${error instanceof Error ? error.stack : String(error)}`)
  } finally {
    for (const error of cluster.thrown)
      findings.push(`nobody caught ${error instanceof Error ? error.stack : String(error)}`)
    for (const relay of cluster.relays)
      findings.push(...relay.errors.map(error => `${relay.url} logged ${error}`))
    cluster.close()
  }
  const log = application.log
  return {
    seed: options.seed,
    findings,
    counts,
    writes: log.length,
    acknowledged: log.filter(entry => entry.relay).length,
    refused: log.filter(entry => entry.refused !== null).length,
    events: cluster.clock.steps,
    trace,
  }
}

async function live(
  cluster: Cluster,
  application: Application,
  options: HistoryOptions,
  counts: Record<Fault, number>,
  findings: string[],
  trace: string[],
): Promise<void> {
  const { chance, clock, network } = cluster
  const images = new Map<string, MemoryImage>()
  const frozen: OpenTab[] = []

  const say = (what: string): void => void trace.push(`${Math.round(clock.time)} ${what}`)
  const faultsNow: Record<Fault, () => Promise<void> | void> = {
    cut: () => cutOne('told'),
    'silent-cut': () => cutOne('silent'),
    'tab-crash'() {
      const open = pickTab()
      if (open === null) return
      say(`a tab of ${open.device.name} dies`)
      open.tab.scope.kill()
    },
    'device-crash'() {
      const device = chance.pick(cluster.devices)
      say(`${device.name} is killed`)
      device.crash()
    },
    'power-loss'() {
      const device = chance.pick(cluster.devices)
      say(`${device.name} loses power`)
      device.losePower()
    },
    freeze() {
      const open = pickTab()
      if (open === null) return
      say(`a tab of ${open.device.name} freezes`)
      open.tab.scope.freeze()
      frozen.push(open)
    },
    async 'relay-restart'() {
      const relay = chance.pick(cluster.relays)
      say(`${relay.url} restarts`)
      relay.crash()
      await clock.advance(chance.below(500))
      await relay.start()
    },
    async 'relay-rollback'() {
      const relay = chance.pick(cluster.relays)
      const image = images.get(relay.url)
      if (image === undefined || chance.chance(0.4)) {
        images.set(relay.url, relay.image())
        return say(`an image of ${relay.url} is taken`)
      }
      say(`${relay.url} is put back to its image`)
      relay.crash()
      relay.restore(image)
      await relay.start()
    },
    refusal() {},
    skew() {
      const device = chance.pick(cluster.devices)
      device.skewMs = chance.chance(0.5) ? 0 : (chance.next() - 0.5) * 2 * 3_600_000
      say(`the clock of ${device.name} is ${Math.round(device.skewMs / 1000)} s off`)
    },
    'disk-full'() {
      const device = chance.pick(cluster.devices)
      say(`the disk of ${device.name} is full for a while`)
      device.disk.fail('storage-full')
      clock.after(chance.below(3000), () => device.disk.fail(null))
    },
  }

  function cutOne(how: 'told' | 'silent'): void {
    const device = chance.pick(cluster.devices)
    const relay = chance.pick(cluster.relays)
    say(`${device.name} and ${relay.url} are cut (${how})`)
    network.cut(device.name, relay.url, how)
    clock.after(chance.below(20_000), () => network.heal(device.name, relay.url))
  }

  function pickTab(): OpenTab | null {
    const tabs = cluster.tabs.filter(({ tab }) => !tab.scope.frozen)
    return tabs.length === 0 ? null : chance.pick(tabs)
  }

  for (let step = 0; step < options.steps; step++) {
    cluster.linkPeers()
    for (const name of faultNames) {
      const often = options.faults?.[name]
      if (name === 'refusal' || often === undefined || !chance.chance(often)) continue
      counts[name] += 1
      await faultsNow[name]()
    }
    if (frozen.length > 0 && chance.chance(0.1)) frozen.shift()?.tab.scope.thaw()
    for (const device of cluster.devices) {
      if (device.tabs.length < 2 && chance.chance(device.tabs.length === 0 ? 0.5 : 0.1))
        await cluster.openTab(device)
    }
    const open = pickTab()
    if (open !== null && chance.chance(0.7)) application.act(open)
    await clock.advance(chance.chance(0.15) ? chance.below(4000) : chance.below(80))
    findings.push(...checkStatus(cluster, application))
    if (step % 25 === 24) findings.push(...(await checkConservation(cluster, application)))
    if (findings.length > 0) return
  }
  for (const { tab } of frozen) tab.scope.thaw()
}

/** Faults stop; everybody comes back; then time passes. */
async function heal(cluster: Cluster, trace: string[]): Promise<void> {
  trace.push(`${Math.round(cluster.clock.time)} faults stop`)
  cluster.network.healAll()
  for (const device of cluster.devices) {
    device.skewMs = 0
    device.disk.fail(null)
    while (device.tabs.length < 2) await cluster.openTab(device)
  }
  for (let round = 0; round < 12; round++) {
    cluster.linkPeers()
    await cluster.clock.advance(10_000)
  }
}
