/**
 * Who holds what: which of the log's writes are on the disk of a relay or a device. What a disaster takes of which
 * nobody else has a copy may be lost, and nothing else may.
 */
import { partName, type DocumentKey, type FeedRow, type RelayStore, type Row } from '@rejoin/core'
import { mergeBody } from '@rejoin/resolve/screen'
import type { Application } from './application/application.ts'
import { databaseOf, type Cluster } from './cluster.ts'
import { readDevice, type DeviceState } from './device-state.ts'
import type { SimulatedDevice } from './device.ts'
import type { Logged } from './log.ts'
import { tokensOfRow } from './oracle.ts'

const bodyPart = partName('text', 'body')

/** Runs a disaster, and notes in the log what nobody has any more, and what their own devices lost. */
export async function strikeDisks(
  cluster: Cluster,
  applications: readonly Application[],
  disaster: () => void | Promise<void>,
  mayTake: (entry: Logged) => boolean = () => true,
): Promise<void> {
  const before = await Promise.all(applications.map(one => takeStock(cluster, one)))
  await disaster()
  for (const [i, application] of applications.entries()) {
    const after = await takeStock(cluster, application)
    for (const entry of application.log) {
      if (!mayTake(entry)) continue
      const had = before[i]?.get(entry) ?? noHolders
      const has = after.get(entry) ?? noHolders
      const isGone = had.size > 0 && has.size === 0
      if (isGone) entry.gone = true
      // D2: of what its device had forgotten, nobody but a relay knew.
      if (isGone || (had.has(entry.device) && !has.has(entry.device))) entry.local = false
    }
  }
}

type Holders = ReadonlySet<SimulatedDevice | RelayStore>
const noHolders: Holders = new Set()

async function takeStock(
  cluster: Cluster,
  { log, space }: Application,
): Promise<ReadonlyMap<Logged, Holders>> {
  const stock = new Map<Logged, Set<SimulatedDevice | RelayStore>>(log.map(entry => [entry, new Set()]))
  const note = (holder: SimulatedDevice | RelayStore, holds: (entry: Logged) => boolean): void => {
    for (const [entry, holders] of stock) if (entry.token !== '' && holds(entry)) holders.add(holder)
  }
  for (const store of cluster.relays.flatMap(relay => relay.stores)) {
    const rows = await readRelay(store, space)
    const bodies = await readBodies(store, space, rows)
    note(store, ({ key, kind, token }) =>
      kind === 'log' ? hasToken(rows.get(key), token) : lettersOf(bodies.get(key)).includes(token),
    )
  }
  for (const device of cluster.devices) {
    const held = await readDevice(device.disk, databaseOf(space), cluster.copies)
    if (held === null) continue
    const holds = holdingOf(held)
    const typed = new Map<DocumentKey, string>()
    for (const key of new Set(log.filter(({ kind }) => kind === 'text').map(entry => entry.key)))
      typed.set(key, await lettersOn(held, key))
    note(device, ({ key, kind, token }) =>
      kind === 'log' ? holds(key, token) : typed.get(key)?.includes(token) === true,
    )
  }
  return stock
}

/** The letters of a body on a device: confirmed, in the outbox and in the quarantine. */
export async function lettersOn({ state, readBody }: DeviceState, key: DocumentKey): Promise<string> {
  const own = [...state.outbox.entries(), ...state.quarantine.values()].flatMap(({ transaction }) =>
    transaction.writes.filter(write => write.key === key).flatMap(({ texts }) => texts.get(bodyPart) ?? []),
  )
  return [lettersOf(await readBody(key, bodyPart)), ...own.map(update => lettersOf([update]))].join(' ')
}

/** Whether a device holds a token: confirmed, in the outbox or in the quarantine. */
export function holdingOf({ state }: DeviceState): (key: DocumentKey, token: string) => boolean {
  const deltas = new Map<DocumentKey, Row[]>()
  for (const { transaction } of [...state.outbox.entries(), ...state.quarantine.values()]) {
    for (const { key, delta } of transaction.writes) {
      const held = deltas.get(key)
      if (held === undefined) deltas.set(key, [delta])
      else held.push(delta)
    }
  }
  return (key, token) =>
    hasToken(state.confirmed(key), token) || (deltas.get(key) ?? []).some(delta => hasToken(delta, token))
}

export function hasToken(row: Row | undefined, token: string): boolean {
  return tokensOfRow(row).has(token)
}

export type Rows = ReadonlyMap<DocumentKey, Row>

export async function readRelay(store: RelayStore, space: string): Promise<Rows> {
  const rows = new Map<DocumentKey, Row>()
  for await (const slice of store.all(space))
    for (const { key, held } of slice as readonly FeedRow[]) rows.set(key, held.row)
  return rows
}

export async function readBodies(
  store: RelayStore | undefined,
  space: string,
  rows: Rows,
): Promise<ReadonlyMap<DocumentKey, readonly Uint8Array[]>> {
  const bodies = new Map<DocumentKey, readonly Uint8Array[]>()
  for (const key of rows.keys()) bodies.set(key, (await store?.textBody(space, key, bodyPart)) ?? [])
  return bodies
}

/** The letters of a body that stand in its wire form: enough to look for a token that nobody deletes. */
export function lettersOf(body: readonly Uint8Array[] | undefined): string {
  return body === undefined || body.length === 0 ? '' : new TextDecoder().decode(mergeBody(body))
}
