/**
 * A history: one run of a cluster from a seed. People write, faults happen, and every so often everything is checked;
 * then the faults stop, time passes, and what must hold at rest is checked.
 */
import type { Cluster, ClusterOptions, OpenTab } from './cluster.ts'
import { createPeople, type People } from './application/people.ts'
import { isForbidden } from './application/effects.ts'
import { checkConservation } from './conservation-check.ts'
import { checkRest } from './rest-check.ts'
import { checkStatus } from './status-check.ts'
import { createCluster, databaseOf } from './cluster.ts'
import { readDevice } from './device-state.ts'
import type { SimulatedDevice } from './device.ts'
import { faultNames, type Fault } from './faults/fault.ts'
import { createFaults } from './faults/faults.ts'
import { askAnew } from './faults/permissions.ts'
import { checkAtomicity } from './watch/atomicity.ts'
import { checkGrowth } from './watch/growth.ts'
import { passQuietly } from './watch/quiet.ts'
import type { PathCounts } from './paths/path.ts'
import { decodeValue, partName } from '@rejoin/core'

/** How much time passes between two steps: little as a rule, so that the next one meets what the last one set going. */
export interface Pace {
  /** Less than so much, in milliseconds. */
  readonly shortMs: number
  /** Less than this once in a while, in which everything may come to rest. */
  readonly longMs: number
  /** How often it is a long time, from 0 to 1. */
  readonly longOften: number
}

const usualPace: Pace = { shortMs: 80, longMs: 4000, longOften: 0.15 }

export interface HistoryOptions {
  readonly seed: number
  readonly steps: number
  readonly relays?: ClusterOptions['relays']
  readonly links?: ClusterOptions['links']
  readonly spaces?: ClusterOptions['spaces']
  readonly ackReplicas?: ClusterOptions['ackReplicas']
  readonly write?: ClusterOptions['write']
  readonly ownLists?: ClusterOptions['ownLists']
  readonly devices?: number | undefined
  readonly pace?: Pace | undefined
  /** Whether bounds are so small that whatever is pulled comes in steps (W2). */
  readonly comesInSteps?: boolean | undefined
  /** How often each fault happens at a step; a fault that is left out does not happen. */
  readonly faults?: Partial<Record<Fault, number>> | undefined
}

export interface HistoryResult {
  readonly seed: number
  readonly findings: readonly string[]
  readonly counts: Readonly<Record<Fault, number>>
  readonly paths: PathCounts
  readonly writes: number
  readonly acknowledged: number
  readonly atQuorum: number
  readonly refused: number
  /** Events of the simulated clock. */
  readonly events: number
  /** How long after the faults every tab was level, in simulated milliseconds, to ten seconds; null if one never was. */
  readonly settledMs: number | null
  /** What was done, in order. */
  readonly trace: readonly string[]
}

/** After these it is not always later that is later. */
const clockFaults = ['skew', 'clock-jump', 'relay-skew', 'long-absence', 'forgetting'] as const
/** For how long the rule stays as it is. */
const ruleMs = 700
const titleColor = partName('lww', 'color')

export async function runHistory(options: HistoryOptions): Promise<HistoryResult> {
  const faults = options.faults ?? {}
  const counts = Object.fromEntries(faultNames.map(name => [name, 0])) as Record<Fault, number>
  const findings: string[] = []
  const trace: string[] = []
  let isHealing = false
  let settledMs: number | null = null
  const cluster = await createCluster({
    seed: options.seed,
    relays: options.relays,
    links: options.links,
    spaces: options.spaces,
    ackReplicas: options.ackReplicas,
    write: options.write,
    ownLists: options.ownLists,
    devices: options.devices,
    comesInSteps: options.comesInSteps,
    accept: write => {
      const cell = write.delta.cells.get(titleColor)
      if (faults.refusal === undefined || isHealing || cell?.strategy !== 'lww') return true
      const value = decodeValue(cell.value)
      if (!value.ok || !isForbidden(value.value)) return true
      // A rule that changes: what was taken once stays taken (SPEC A4).
      if (Math.floor(cluster.clock.time / ruleMs) % 3 === 2) return true
      counts.refusal += 1
      return 'nobody may write that colour'
    },
  })
  const people = createPeople(cluster)
  try {
    await live(cluster, people, options, counts, findings, trace)
    isHealing = true
    settledMs = await heal(cluster, people, findings, counts, trace)
    findings.push(...(await checkGrowth(cluster)))
    for (const application of people.applications) {
      application.inspect()
      findings.push(
        ...(await checkConservation(cluster, application)),
        ...(await checkAtomicity(cluster, application, true)),
        ...(await checkRest(cluster, application, {
          clocksAreRight: clockFaults.every(name => counts[name] === 0),
          mayRepeat: counts.clone + counts['client-rollback'] > 0,
        })),
        ...application.findings.filter(finding => !findings.includes(finding)),
      )
    }
  } catch (error) {
    findings.push(`threw ${error instanceof Error ? error.stack : String(error)}`)
  } finally {
    for (const error of cluster.thrown)
      findings.push(`nobody caught ${error instanceof Error ? error.stack : String(error)}`)
    for (const relay of cluster.relays)
      findings.push(...relay.errors.map(error => `${relay.url} logged ${error}`))
    cluster.close()
  }
  const log = people.applications.flatMap(application => application.log)
  return {
    seed: options.seed,
    findings,
    counts,
    paths: cluster.paths,
    writes: log.length,
    acknowledged: log.filter(entry => entry.relay).length,
    atQuorum: log.filter(entry => entry.quorum).length,
    refused: log.filter(entry => entry.refused !== null).length,
    events: cluster.clock.steps,
    settledMs,
    trace,
  }
}

async function live(
  cluster: Cluster,
  people: People,
  options: HistoryOptions,
  counts: Record<Fault, number>,
  findings: string[],
  trace: string[],
): Promise<void> {
  const { chance, clock } = cluster
  const say = (what: string): void => void trace.push(`${Math.round(clock.time)} ${what}`)
  const faults = createFaults(cluster, people, counts, say)
  const pace = options.pace ?? usualPace

  for (let step = 0; step < options.steps; step++) {
    cluster.linkPeers()
    for (const name of faultNames) {
      const often = options.faults?.[name]
      if (name === 'refusal' || often === undefined || !chance.chance(often)) continue
      await faults.happen(name)
    }
    faults.thawSome()
    for (const device of cluster.devices) {
      if (device.tabs.length < 2 && chance.chance(device.tabs.length === 0 ? 0.5 : 0.1))
        await people.open(device)
    }
    const tabs = cluster.tabs.filter(({ tab }) => !tab.scope.frozen)
    const open = tabs.length === 0 ? null : chance.pick(tabs)
    if (open !== null && chance.chance(0.7)) people.act(open)
    if (open !== null && chance.chance(0.03)) rest(cluster, open, say)
    findings.push(
      ...(await passQuietly(
        cluster,
        chance.below(chance.chance(pace.longOften) ? pace.longMs : pace.shortMs),
        false,
      )),
    )
    for (const application of people.applications) {
      application.inspect()
      findings.push(...application.findings, ...checkStatus(cluster, application))
      if (step % 25 !== 24) continue
      findings.push(
        ...(await checkConservation(cluster, application)),
        ...(await checkAtomicity(cluster, application, false)),
      )
    }
    if (findings.length > 0) return
  }
  faults.thawAll()
}

/** What people do with tabs: work offline for a while, put one away and come back, or close it in order. */
function rest({ chance, clock }: Cluster, open: OpenTab, say: (what: string) => void): void {
  const { replica, tab, device } = open
  const what = chance.pick(['pauses', 'is put away', 'is closed'] as const)
  say(`a tab of ${device.name} ${what}`)
  const back = (run: () => void): void => {
    clock.after(chance.below(10_000), () => {
      if (tab.scope.alive) run()
    })
  }
  if (what === 'pauses') {
    replica.pause()
    back(replica.resume)
  } else if (what === 'is put away') {
    tab.happen('leave')
    back(() => tab.happen('back'))
  } else {
    open.isClosing = true
    replica.close().then(
      () => tab.scope.kill(),
      () => {},
    )
  }
}

/** W6: what no relay has taken may wait for one that is gone for good, until its device is given a list without that one. */
async function giveNewLists({ devices, spaces, relays, copies }: Cluster, people: People): Promise<void> {
  const urls = new Set(relays.map(({ url }) => url))
  for (const device of devices) {
    let mayWait = false
    for (const space of spaces) {
      const state = (await readDevice(device.disk, databaseOf(space), copies))?.state
      const namesOneThatIsGone = state?.copies.relays?.some(url => !urls.has(url)) === true
      mayWait ||= namesOneThatIsGone && state.outbox.counts.acknowledged.size < state.outbox.size
    }
    if (!mayWait) continue
    device.crash()
    await openTabs(people, device)
  }
}

async function openTabs(people: People, device: SimulatedDevice): Promise<void> {
  for (let tries = 0; tries < 10 && device.tabs.length < 2; tries++) await people.open(device)
}

/** By more than this no relay's clock was ahead. */
const aheadMs = 3_600_000

/** Faults stop; everybody comes back; then time passes. */
async function heal(
  cluster: Cluster,
  people: People,
  findings: string[],
  counts: Readonly<Record<Fault, number>>,
  trace: string[],
): Promise<number | null> {
  let settledMs: number | null = null
  let begun = cluster.clock.time
  trace.push(`${Math.round(cluster.clock.time)} faults stop`)
  cluster.network.healAll()
  cluster.network.quicken()
  cluster.readers.clear()
  for (const relay of cluster.relays) {
    relay.skewMs = 0
    relay.slowness = 1
    relay.fullness = 0
    await relay.start()
  }
  // A tab that thaws hears first what it was told while it was frozen; who pauses and who resumes does so after that.
  await cluster.clock.advance(0)
  for (const device of cluster.devices) {
    device.trap.steps = 0
    device.disk.mend()
    for (const open of cluster.tabs) {
      if (open.device !== device || open.tab.scope.frozen) continue
      if (open.replica.status.get().storage === 'storage-closed') open.tab.scope.kill()
      else open.replica.resume()
    }
    await openTabs(people, device)
  }
  const rounds = 12
  let isOfferedAgain = false
  for (let round = 0; round < rounds; round++) {
    // T2: what was refused to be taken back is offered at every session, and so perhaps at no other one; the one in which
    // that is heard may begin late. L2: so it is with what one refused that another one has, where neither hears of the other.
    const { paths, areApart } = cluster
    const mayWait = paths['give-refused'] > 0 || (areApart && paths['refused-by-rule'] > 0)
    if (round > 0 && !isOfferedAgain && mayWait) {
      isOfferedAgain = true
      // C4: what was taken while a relay's clock was ahead, and lost since, is taken back when that time has come.
      if (counts['relay-skew'] > 0) {
        cluster.clock.leap(aheadMs)
        begun += aheadMs
      }
      for (const relay of cluster.relays) {
        relay.crash()
        await relay.start()
      }
    }
    if (round === rounds / 2) await giveNewLists(cluster, people)
    // Q4: a follower remembers for a minute whom its leader lets only read.
    if (counts['read-only'] > 0 && (round === 0 || round === rounds - 3))
      for (const { name } of cluster.devices) askAnew(cluster, name)
    // A tab that was being closed when the faults stopped is gone by now.
    for (const device of cluster.devices) await openTabs(people, device)
    if (round === rounds - 1) for (const { editors, tabs } of people.applications) editors.openAll(tabs)
    cluster.linkPeers()
    const endless = await passQuietly(cluster, 10_000, round >= rounds / 2)
    findings.push(...endless)
    if (endless.length > 0) return null
    if (!cluster.tabs.every(({ replica }) => replica.status.get().synced)) settledMs = null
    else settledMs ??= Math.round(cluster.clock.time - begun)
  }
  return settledMs
}
