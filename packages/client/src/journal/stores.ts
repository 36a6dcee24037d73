/**
 * What a journal keeps in its storage, and under which keys.
 *
 * - `journal`: position -> a chunk, or several that were folded. Appends touch only this store (and `terms`).
 * - `pages`: first row key -> up to 512 rows of the confirmed layer. Compaction only.
 * - `texts`: [document, part] -> a confirmed body. Compaction only.
 * - `meta`: `replica`, `user` (whose it is), `base`, and [`snapshot`, floor]. The last two by compaction only.
 * - `terms`, `runs`: fences of the tab lock and of compaction. Apart, so that neither waits for the other.
 */
import type { StoreId, StoreSchema } from '@rejoin/core'

export const journalVersion = 1

export const journalStores: readonly StoreSchema[] = [
  { name: 'journal', autoIncrement: true },
  { name: 'pages', autoIncrement: false, index: 'at' },
  { name: 'texts', autoIncrement: false },
  { name: 'meta', autoIncrement: false },
  { name: 'terms', autoIncrement: false },
  { name: 'runs', autoIncrement: false },
]

/** One chunk as stored. Folded: several, in order, each with its own position; the last one's is the key. */
export interface ChunkRecord {
  readonly bytes: Uint8Array
  readonly positions?: Float64Array | undefined
  readonly ends?: Uint32Array | undefined
}

/** The part of the store that says how to read the rest. Small: it is read with every look into the journal. */
export interface BaseRecord {
  /** Pages, texts and snapshot hold everything up to it; at or below it the journal is garbage. */
  readonly floor: number
  /** Where rows were last forgotten: who has not seen this much takes all pages. */
  readonly purged: number
  readonly pages: number
  readonly pageBytes: number
  readonly snapshotBytes: number
  /** Positions and when they were stored, about one for each day, rising: what rule D2 counts by. */
  readonly times: readonly (readonly [position: number, at: number])[]
}

export const emptyBase: BaseRecord = {
  floor: 0,
  purged: 0,
  pages: 0,
  pageBytes: 0,
  snapshotBytes: 0,
  times: [],
}

/** `meta` `replica`. */
export interface ReplicaRecord {
  readonly id: StoreId
  /** When the store was made, by the device's clock. */
  readonly opened: number
  /** What it holds; of one that was made without, whatever it is opened for. */
  readonly space?: string | undefined
}
