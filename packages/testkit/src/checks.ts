/**
 * Checks: what must be true of a cluster, at every step or when it has come to rest, held against the application's
 * own log and not against what replicas believe. Each finding is a sentence.
 */
import {
  countParts,
  documentKey,
  encodeCanonicalRow,
  isSameBytes,
  joinRows,
  partName,
  rowExists,
  type DocumentKey,
  type ErrorCode,
  type OutboxEntry,
  type Row,
  type WriterId,
} from '@rejoin/core'
import type { DocumentOf } from '@rejoin/client'
import { headOfBody } from '@rejoin/resolve/screen'
import type { Application } from './application/application.ts'
import { askFields } from './application/documents.ts'
import { isInsertion, isToBlame } from './application/effects.ts'
import { databaseOf, type Cluster, type OpenTab } from './cluster.ts'
import { readDevice, type DeviceState } from './device-state.ts'
import type { SimulatedDevice } from './device.ts'
import { hasToken, holdingOf, lettersOf, lettersOn, readBodies, readRelay, type Rows } from './holders.ts'
import type { Logged } from './log.ts'
import { checkDocument, shownOf, textOf, type OracleOptions } from './oracle.ts'
import { documentNames, pairIds, type SimulatedFields } from './schema.ts'
import { mayBeOlder } from './watch/forgetting.ts'
import { checkListed } from './watch/listed-conflicts.ts'
import { checkRelayDisks } from './watch/relay-disks.ts'

const bodyPart = partName('text', 'body')

/** S3: how a relay refuses what stands on what it lacks. */
const standsOnNothing: ReadonlySet<ErrorCode> = new Set(['unknown-mark', 'document-unknown', 'text-gap'])

/** V15: `synced` is never shown while a write of that tab is not on as many relays as it is to be. */
export function checkStatus(cluster: Cluster, application: Application): string[] {
  const found: string[] = []
  const saySynced = new Set<OpenTab>()
  for (const open of application.tabs) {
    const { replica, device } = open
    const { synced, pending } = replica.status.get()
    if (!synced) continue
    saySynced.add(open)
    if (pending > 0) found.push(`${device.name} says synced with ${pending} pending`)
  }
  const { level } = cluster.copies
  for (const entry of application.log) {
    const { relay, refused, local, token, tab } = entry
    const isThere = level === 'quorum' ? entry.quorum : relay
    // Nothing is wrong with what is acknowledged and was never refused, nor with what nobody was told of yet.
    if (refused === null && (isThere || !local)) continue
    if (
      refused !== null &&
      refused !== 'built-on-refused' &&
      !isToBlame(entry) &&
      !(standsOnNothing.has(refused) && mayStandOnNothing(cluster, application, entry))
    )
      found.push(`[L3] ${token} was refused, and is not to blame: ${refused}`)
    if (relay && refused !== null) found.push(`[Q1] ${token} was acknowledged and refused (${refused})`)
    if (
      saySynced.has(tab) &&
      token.startsWith('w') &&
      local &&
      !isThere &&
      refused === null &&
      !entry.discarded &&
      !entry.asksAgain
    )
      found.push(`[V15] ${tab.device.name} says synced before ${token} is at ${level}`)
  }
  return found
}

/** A transaction is refused whole for what one of its documents stands on. */
function mayStandOnNothing(cluster: Cluster, { space }: Application, entry: Logged): boolean {
  return [entry, ...entry.together].some(({ key }) => cluster.mayNotComeBack(space, key))
}

/** V1, V3: what was reported local is on the device's disk: confirmed, in the outbox, or in the quarantine. */
export async function checkConservation(cluster: Cluster, application: Application): Promise<string[]> {
  const found: string[] = []
  const relays = await Promise.all(cluster.relays.map(({ store }) => readRelay(store, application.space)))
  const isOnRelay = ({ key, token }: Logged): boolean => relays.some(rows => hasToken(rows.get(key), token))
  const devices: {
    device: SimulatedDevice
    state: DeviceState['state']
    holds: ReturnType<typeof holdingOf>
  }[] = []
  for (const device of cluster.devices) {
    const held = await readDevice(device.disk, databaseOf(application.space), cluster.copies)
    if (held !== null) devices.push({ device, state: held.state, holds: holdingOf(held) })
  }
  const isOnDevice = ({ key, token }: Logged): boolean => devices.some(({ holds }) => holds(key, token))
  for (const { device, state, holds } of devices) {
    const isForgotten = ({ key, at }: Logged): boolean =>
      cluster.paths.forgotten > 0 &&
      state.size > 0 &&
      (state.confirmed(key) === undefined || state.wants.includes(key) || mayBeOlder(cluster, at))
    for (const entry of application.log) {
      if (entry.device !== device || !entry.local || entry.kind !== 'log') continue
      if (entry.token === '' || entry.discarded || holds(entry.key, entry.token)) continue
      // D2: for a tombstone that is forgotten the relays answer, also while it is asked for again after an insert over it,
      // and where an older image of theirs has brought back what was before; or who still has it, if a disaster took it from them; or nobody, if nobody else had it.
      if (isForgotten(entry) && (entry.gone || isOnRelay(entry) || isOnDevice(entry))) continue
      found.push(`${device.name} lost ${entry.token} of ${entry.key}, which was local`)
    }
  }
  return found
}

/** At rest: everybody agrees, nothing acknowledged is lost, nothing waits, nothing has holes. */
export async function checkRest(
  cluster: Cluster,
  application: Application,
  options: Omit<OracleOptions, 'lostAt' | 'standsTwice' | 'passes' | 'bodiesComeLater'>,
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
        passes: cluster.remakes.passesOf(application.space, key),
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

function isAlike(a: Row | undefined, b: Row | undefined): boolean {
  return a === b || isSameBytes(canonical(a), canonical(b))
}

/** Empty for a row that holds nothing. */
function canonical(row: Row | undefined): Uint8Array {
  if (row === undefined || countParts(row) === 0) return nothing
  let bytes = canonicalByRow.get(row)
  if (bytes === undefined) {
    bytes = encodeCanonicalRow(row)
    canonicalByRow.set(row, bytes)
  }
  return bytes
}

const nothing = new Uint8Array()
// What the first relay holds is compared with everybody.
const canonicalByRow = new WeakMap<Row, Uint8Array>()

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

async function compareDevice(
  name: string,
  held: DeviceState,
  rows: Rows,
  bodies: ReadonlyMap<DocumentKey, readonly Uint8Array[]>,
): Promise<string[]> {
  const found: string[] = []
  const { state } = held
  for (const key of new Set([...rows.keys(), ...state.keys()])) {
    const own = state.confirmed(key)
    const there = rows.get(key)
    // P4: a new replica is spared what did not exist.
    if (own === undefined && !rowExists(there)) continue
    if (!isAlike(own, there)) found.push(`${name} differs in ${key}: ${describe(own, there)}`)
    const visible = state.visible(key)
    if (own !== undefined && visible !== undefined && joinRows(own, visible) !== own)
      found.push(`${name} shows more of ${key} than is confirmed`)
    const body = await held.readBody(key, bodyPart)
    const theirs = bodies.get(key) ?? []
    if (headOfBody(body).digest !== headOfBody(theirs).digest)
      found.push(`${name} has another body of ${key}`)
  }
  return found
}

function describe(a: Row | undefined, b: Row | undefined): string {
  if (a === undefined || b === undefined) return a === undefined ? 'missing' : 'not at the relay'
  const parts = new Set([...a.cells.keys(), ...b.cells.keys()])
  const differing = [...parts].filter(part => {
    const only = (row: Row): Row => ({
      cells: new Map([...row.cells].filter(([name]) => name === part)),
      deletion: null,
      revival: null,
    })
    return !isAlike(only(a), only(b))
  })
  return differing.join(', ') || 'deletion or revival'
}

/** K2, K5: of several values everybody reads the greatest, or what the function makes of them. */
function compareAsked({ tabs }: Application, key: DocumentKey, row: Row): string[] {
  const [name, id = ''] = key.split('/')
  const shown = documentNames.find(one => one === name)
  if (!rowExists(row) || shown === undefined) return []
  return askFields.flatMap(field => {
    const expected = shownOf(field, row)
    return tabs.flatMap(({ replica, device }) => {
      const value = replica[shown].get(id)?.[field]
      return value === expected
        ? []
        : [`[K2] ${device.name} reads ${value} as ${field} of ${key}, not ${expected}`]
    })
  })
}

/** What people see is the same in every tab. */
function compareTabs({ tabs }: Application): string[] {
  const found: string[] = []
  const shown = tabs.map(({ replica, device }) => ({
    name: device.name,
    text: JSON.stringify([
      ...documentNames.map(name => replica[name].query().get().map(fieldsOfAll)),
      replica.pairs.query().get(),
      replica.conflicts.get().map(({ key, sides }) => [key, sides.map(({ value }) => value)]),
    ]),
    synced: replica.status.get().synced,
    connection: replica.status.get().connection,
  }))
  for (const { name, text, synced, connection } of shown) {
    if (text !== shown[0]?.text)
      found.push(`a tab of ${name} shows something else than one of ${shown[0]?.name}`)
    if (!synced) found.push(`a tab of ${name} is not synced but ${connection}`)
  }
  return found
}

/** What a version that knows fewer fields shows too. */
function fieldsOfAll({
  id,
  title,
  place,
  mood,
  color,
  log,
}: DocumentOf<SimulatedFields>): readonly unknown[] {
  return [id, title, place, mood, color, log]
}
