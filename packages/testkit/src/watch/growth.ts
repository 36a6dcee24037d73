/** Growth: what was needed along the way is not kept for ever (V12). */
import type { MemoryImage } from '@rejoin/client'
import type { StoreKey } from '@rejoin/core'
import { databaseOf, type Cluster } from '../cluster.ts'
import { readDevice } from '../device-state.ts'

/** Compaction keeps below these what it may rewrite: small chunks, and bytes of a journal. */
const chunksMax = 560
const journalBytesMax = 1.5 * 1024 * 1024
/** `replica`, `user`, `base`, and a snapshot or two. */
const metaMax = 5

/** At rest, when everything that is done in idle time was. */
export async function checkGrowth(cluster: Cluster): Promise<string[]> {
  const found: string[] = []
  for (const device of cluster.devices) {
    for (const space of cluster.spaces) {
      const stores = device.disk.image().get(databaseOf(space))?.stores
      const held = await readDevice(device.disk, databaseOf(space), cluster.copies)
      if (stores === undefined || held === null) continue
      const say = (what: string): void => void found.push(`[V12] ${device.name} keeps ${what}`)
      const chunks = stores.get('journal')?.values ?? []
      const bytes = chunks.reduce<number>(
        (sum, chunk) => sum + (chunk as { readonly bytes: Uint8Array }).bytes.length,
        0,
      )
      if (chunks.length > chunksMax) say(`${chunks.length} chunks`)
      if (bytes > journalBytesMax) say(`a journal of ${bytes} bytes`)
      const meta = stores.get('meta')?.keys.filter(key => !isScratch(key)).length ?? 0
      if (meta > metaMax) say(`${meta} records beside its rows`)
      const spent = (['terms', 'runs'] as const).reduce((sum, name) => sum + spentKeys(stores.get(name)), 0)
      if (spent > 0) say(`${spent} keys of fences that their holders went on from`)
      const { cursors } = held.state
      if (cursors.size > cluster.relaysEver) say(`${cursors.size} cursors`)
    }
  }
  // One tab of each device and space has a link, or one to each relay, and each pair of peers one for each space.
  const links = cluster.relays.reduce((sum, { url }) => sum + cluster.network.openLinks(url), 0)
  const most =
    cluster.spaces.length * (cluster.devices.length * cluster.relaysAtOnce + cluster.relays.length ** 2)
  if (links > most) found.push(`[V12] ${links} links are open, and ${most} are needed at most`)
  return found
}

/**
 * A holder's keys say when it took the fence, and each takes the one before away. Those of holders that died, and the
 * bars before them, are kept for a month, and each of these says another time.
 */
function spentKeys(fence: ReturnType<MemoryImage['stores']['get']>): number {
  const keys = (fence?.keys ?? []) as readonly (readonly [term: number, count: number])[]
  return keys.length - new Set(keys.map(([term], i) => `${term} ${fence?.values[i]}`)).size
}

/** What a scrub that was broken off has left; the next start scrubs again. */
function isScratch(key: StoreKey): boolean {
  return Array.isArray(key) && key[0] === 'scratch'
}
