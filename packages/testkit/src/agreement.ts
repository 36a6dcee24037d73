/** Whether all hold and show the same once a cluster has come to rest. Each finding is a sentence. */
import {
  countParts,
  encodeCanonicalRow,
  isSameBytes,
  joinRows,
  partName,
  rowExists,
  type DocumentKey,
  type Row,
} from '@rejoin/core'
import type { DocumentOf } from '@rejoin/client'
import { headOfBody } from '@rejoin/resolve/screen'
import type { Application } from './application/application.ts'
import { askFields } from './application/documents.ts'
import type { DeviceState } from './device-state.ts'
import type { Rows } from './holders.ts'
import { shownOf } from './oracle.ts'
import { documentNames, type SimulatedFields } from './schema.ts'

const bodyPart = partName('text', 'body')

export async function compareDevice(
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

/** What people see is the same in every tab. */
export function compareTabs({ tabs }: Application): string[] {
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

/** K2, K5: of several values everybody reads the greatest, or what the function makes of them. */
export function compareAsked({ tabs }: Application, key: DocumentKey, row: Row): string[] {
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

export function isAlike(a: Row | undefined, b: Row | undefined): boolean {
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
