/**
 * Disks of relays at rest: what a relay says of its rows without looking at them is so (SPEC P5, X1, X3), and relays that
 * are peers of each other have the same bodies and remember the same writers (SPEC X3, T4).
 */
import {
  emptyFingerprint,
  isSameFingerprint,
  replaceInFingerprint,
  type FeedRow,
  type HeldRow,
  type PartName,
  type RelayStore,
} from '@rejoin/core'
import { headOfBody } from '@rejoin/resolve/screen'

/** What is compared between relays: by name, what each of them has. */
type Told = ReadonlyMap<string, string>

interface Peers {
  /** Whether they pull from each other. */
  readonly areLinked: boolean
  /** Whether disks of devices were copied: what a writer wrote may be sent by several. */
  readonly areCopied: boolean
}

export async function checkRelayDisks(
  relays: readonly { readonly url: string; readonly store: RelayStore }[],
  space: string,
  { areLinked, areCopied }: Peers,
): Promise<string[]> {
  const found: string[] = []
  let first: Told | null = null
  for (const { url, store } of relays) {
    const say = (what: string): void => void found.push(`${url} ${what}`)
    const bodies = await checkRows(store, space, say)
    const told: Told = areLinked
      ? new Map([...bodies, ...(await writersOf(store, space, areCopied))])
      : bodies
    first ??= told
    for (const name of new Set([...first.keys(), ...told.keys()]))
      if (first.get(name) !== told.get(name))
        say(`has ${told.get(name)} as ${name}, and another one ${first.get(name)}`)
  }
  return found
}

/** Gives back the digests of bodies. */
async function checkRows(store: RelayStore, space: string, say: (what: string) => void): Promise<Told> {
  const bodies = new Map<string, string>()
  const { record } = await store.loadSpace(space)
  if (record === null) return bodies
  let counted = emptyFingerprint
  for await (const slice of store.all(space)) {
    for (const { key, held } of slice as readonly FeedRow[]) {
      counted = replaceInFingerprint(counted, undefined, held.row)
      const latest = Math.max(...held.positions.values())
      if (latest !== held.position || held.position > record.position)
        say(`has ${key} at ${held.position}, its parts up to ${latest}, and ends at ${record.position}`)
      for (const part of partsOf(held))
        if (!held.positions.has(part)) say(`has no position of ${part} of ${key}`)
      for (const part of textsOf(held)) {
        const head = headOfBody(await store.textBody(space, key, part))
        bodies.set(`the ${part} of ${key}`, head.digest)
        const known = held.texts.get(part)
        if (known?.bytes !== head.bytes || clocksOf(known.stateVector) !== clocksOf(head.stateVector))
          say(`[X1] has ${head.bytes} bytes of ${part} of ${key}, and tells ${known?.bytes}`)
        if (!held.row.cells.has(part)) say(`[X3] has a body of ${part} of ${key} and not its cell`)
      }
    }
  }
  if (!isSameFingerprint(counted, record.fingerprint))
    say(`[P5] counts ${record.fingerprint.count} rows, and they are ${counted.count}, or others`)
  return bodies
}

/** Names of its parts, as the feed knows them. */
function partsOf({ row }: HeldRow): readonly (PartName | 'deletion' | 'revival')[] {
  const { cells, deletion, revival } = row
  return [
    ...cells.keys(),
    ...(deletion === null ? [] : ['deletion' as const]),
    ...(revival === null ? [] : ['revival' as const]),
  ]
}

/** Of cells of texts, and of what is there without one. */
function textsOf({ row, texts }: HeldRow): ReadonlySet<PartName> {
  const parts = new Set(texts.keys())
  for (const [part, { strategy }] of row.cells) if (strategy === 'text') parts.add(part)
  return parts
}

function clocksOf(stateVector: ReadonlyMap<number, number>): string {
  return [...stateVector].sort(([a], [b]) => a - b).join(' ')
}

async function writersOf(store: RelayStore, space: string, areCopied: boolean): Promise<Told> {
  const writers = await store.writersAfter(space, -1)
  return new Map(
    writers.map(({ writer, user, device }) => [
      `writer ${writer}`,
      areCopied ? user : `${user} on ${device}`,
    ]),
  )
}
