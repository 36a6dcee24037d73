/**
 * What must be true of a cluster that has come to rest, held against the application's own log and not against what replicas
 * believe. Each finding is a sentence.
 */
import {
  documentKey,
  partName,
  rowExists,
  type DocumentKey,
  type OutboxEntry,
  type Row,
  type WriterId,
} from '@rejoin/core'
import { compareAsked, compareDevice, compareTabs, isAlike } from './agreement.ts'
import type { Application } from './application/application.ts'
import { isInsertion, isToBlame } from './application/effects.ts'
import { databaseOf, type Cluster } from './cluster.ts'
import { readDevice, type DeviceState } from './device-state.ts'
import { hasToken, lettersOf, lettersOn, readBodies, readRelay } from './holders.ts'
import type { Logged } from './log.ts'
import { checkDocument, textOf, type OracleOptions } from './oracle.ts'
import { pairIds } from './schema.ts'
import { checkListed } from './watch/listed-conflicts.ts'
import { checkRelayDisks } from './watch/relay-disks.ts'

/** At rest: everybody agrees, nothing acknowledged is lost, nothing waits, nothing has holes. */
export async function checkRest(
  cluster: Cluster,
  application: Application,
  options: Omit<OracleOptions, 'lostAt' | 'standsTwice' | 'timesMadeAnew' | 'bodiesComeLater'>,
): Promise<string[]> {
  const found: string[] = []
  const relays = await Promise.all(cluster.relays.map(relay => readRelay(relay.store, application.space)))
  const [first] = relays
  if (first === undefined) return found
  relays.forEach((rows, i) => {
    for (const key of new Set([...first.keys(), ...rows.keys()])) {
      if (!isAlike(rows.get(key), first.get(key))) found.push(`relay ${i} differs in ${key}`)
    }
  })
  const peers = { areLinked: cluster.areLinked, areCopied: options.mayRepeat }
  found.push(...(await checkRelayDisks(cluster.relays, application.space, peers)))
  const bodies = await readBodies(cluster.relays[0]?.store, application.space, first)
  const devices: DeviceState[] = []
  for (const device of cluster.devices) {
    const held = await readDevice(device.disk, databaseOf(application.space), cluster.copies)
    if (held === null) continue
    devices.push(held)
    found.push(
      ...waitingOf(cluster, device.name, held),
      ...(await compareDevice(device.name, held, first, bodies)),
    )
  }
  found.push(...compareTabs(application))
  /** W5: who inserts a document again empties the body that is there. */
  const isEmptied = ({ key, token }: Logged): boolean =>
    application.log.some(other => other.key === key && isInsert(other)) &&
    cluster.typedTokens.isDeleted(token, bodies.get(key) ?? [])
  // W6: an insert whose clock was ahead keeps its time when it is made anew, and a deletion may hide it then.
  const standsOnMovedInsert = ({ key, device, saw }: Logged): boolean =>
    !options.clocksAreRight &&
    application.log.some(
      other => other.key === key && other.device === device && isInsert(other) && saw.has(other.token),
    )
  for (const entry of application.log) {
    const row = first.get(entry.key)
    if (isStuckBeforeQuorum(cluster, entry))
      found.push(`[A3] ${entry.token} of ${entry.key} is on a relay, and was never told to be at quorum`)
    if (entry.kind === 'log') {
      const isTaken = entry.token !== '' && hasToken(row, entry.token)
      // A relay that lost what it took may refuse it now, and be given it back by somebody who was told of it.
      const mayComeBack = cluster.relays.length > 1 || cluster.relays.some(one => one.restoredAt > entry.at)
      if (!mayComeBack && entry.refused !== null && !entry.discarded && isTaken)
        found.push(`[A4] ${entry.token} of ${entry.key} was refused (${entry.refused}), and is there`)
      if (entry.relay && !entry.gone && entry.token !== '' && !hasToken(row, entry.token))
        found.push(`${entry.token} of ${entry.key} was acknowledged and is lost`)
    } else if (
      entry.local &&
      !entry.gone &&
      entry.refused === null &&
      !entry.erased &&
      // Refused since its document may not come back; of what is typed nobody is told (S3).
      !cluster.mayNotComeBack(application.space, entry.key) &&
      !application.log.some(other => other.key === entry.key && mayTakeTextsAlong(other)) &&
      !lettersOf(bodies.get(entry.key)).includes(entry.token) &&
      !isEmptied(entry) &&
      !(standsOnMovedInsert(entry) && (await isHeld(devices, entry)))
    ) {
      found.push(`${entry.token} was typed into ${entry.key} and is lost`)
    }
  }
  // W6: one relay may have it while another one refuses it, or have shown it to others before it lost it.
  const standsTwice = (key: DocumentKey): boolean =>
    cluster.mayStandTwice(application.space, key) ||
    cluster.relays.some(({ restoredAt }) =>
      application.log.some(
        entry => entry.key === key && entry.at < restoredAt && (!options.clocksAreRight || isToBlame(entry)),
      ),
    )
  const mayRepeat = (key: DocumentKey): boolean => options.mayRepeat || standsTwice(key)
  const pair = pairIds.map(id => valueOf(first.get(documentKey('pairs', id))))
  if (options.clocksAreRight && pair.some(value => value !== pair[0]))
    found.push(`[W2] a pair is ${pair.join(' and ')}`)
  const lostAt = Math.min(...cluster.relays.map(({ restoredAt }) => restoredAt))
  const known = await writersKnown(cluster, application.space)
  found.push(...application.editors.compare(mayRepeat))
  for (const [key, row] of first) {
    if (!/^(notes|drafts|plans)/.test(key)) continue
    if (rowExists(row) && !row.cells.has(partName('ask', 'title'))) found.push(`${key} has holes`)
    found.push(
      ...checkDocument(key, row, application.log, {
        ...options,
        mayRepeat: mayRepeat(key),
        standsTwice: standsTwice(key),
        lostAt,
        bodiesComeLater: cluster.relays.length > 1 || cluster.comesInSteps,
        timesMadeAnew: name => cluster.remakes.timesMadeAnew(application.space, key, name),
      }),
    )
    found.push(...compareAsked(application, key, row))
    found.push(...checkListed(application, key, row, { mayRepeat: mayRepeat(key), known }))
  }
  return found
}

/** T4: who each relay remembers; one that was put back to an older image may have learned of it again since. */
async function writersKnown({ relays }: Cluster, space: string): Promise<ReadonlySet<WriterId>> {
  if (relays.some(({ restoredAt }) => restoredAt > Number.NEGATIVE_INFINITY)) return new Set()
  const remembered = await Promise.all(relays.map(({ store }) => store.writersAfter(space, -1)))
  const [first = [], ...others] = remembered.map(records => records.map(({ writer }) => writer))
  return new Set(first.filter(writer => others.every(writers => writers.includes(writer))))
}

/** Whether a device holds what was typed: if no relay does, in its quarantine. */
async function isHeld(devices: readonly DeviceState[], { key, token }: Logged): Promise<boolean> {
  for (const held of devices) if ((await lettersOn(held, key)).includes(token)) return true
  return false
}

/**
 * Where a relay lost what it had judged, it is not told where another one has it; nor where too few are left, nor to who lost
 * sight of it.
 */
function isStuckBeforeQuorum(cluster: Cluster, { relay, lostSight, quorum, tab, at }: Logged): boolean {
  const { copiesAtQuorum, relays, judges } = cluster
  const isAsked = copiesAtQuorum > 0 && relays.length >= copiesAtQuorum && relay && tab.tab.scope.alive
  return isAsked && !quorum && !lostSight && judges.every(one => one.restoredAt < at)
}

/** What stands on a refused insert goes with it, also where its tab died before it was told of the refusal. */
function mayTakeTextsAlong(entry: Logged): boolean {
  return isInsert(entry) && (entry.refused !== null || isToBlame(entry))
}

function isInsert(entry: Logged): boolean {
  return entry.effects.some(isInsertion)
}

function valueOf(row: Row | undefined): string | null {
  const cell = row?.cells.get(partName('lww', 'value'))
  return cell?.strategy === 'lww' ? textOf(cell.value) : null
}

/** L2: what every relay has that is left may wait for one that is gone, where the tab with the connection was given it. */
function waitingOf({ relays, copies }: Cluster, name: string, { state }: DeviceState): string[] {
  const { outbox, isCounted } = state
  const isEverywhere = ({ acks }: OutboxEntry): boolean =>
    copies.level === 'quorum' &&
    relays.every(({ store }) => {
      const ack = acks.get(store.id)
      return ack !== undefined && isCounted(store.id, ack)
    })
  const waiting = [...outbox.entries()].filter(entry => !isEverywhere(entry))
  return waiting.length > 0 ? [`${name} still has ${waiting.length} in its outbox`] : []
}
