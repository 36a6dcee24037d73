/** Loading: the rows that a turn's frames touch, and the writers that they bear or name, before they are taken in. */
import type { DocumentKey, HeldRow, RelayStore, TurnReads, WriterId, WriterRecord } from '@rejoin/core'
import type { DrivenSpace } from './driven-space.ts'
import { slicesOf } from './slices.ts'
import type { Stretch } from './stretch.ts'
import type { Sent } from './turns.ts'

export interface Reads extends TurnReads {
  readonly rows: Map<DocumentKey, HeldRow>
  readonly recordById: Map<WriterId, WriterRecord>
}

/** Of a turn for which nothing was loaded yet. */
export function createReads(): Reads {
  const rows: Reads['rows'] = new Map()
  const recordById: Reads['recordById'] = new Map()
  return { rows, recordById, row: key => rows.get(key), writer: id => recordById.get(id) }
}

/** So many are looked up without a look at the time: a frame may name hundreds of thousands. */
const readsMax = 1024

/** Adds what these frames need. */
export async function load(
  { name, space, kernel }: DrivenSpace,
  frames: readonly Sent[],
  { rows, recordById }: Reads,
  stretch: Stretch,
): Promise<void> {
  const { store } = kernel.options
  const { keys, writers } = space.needs(frames.map(({ frame }) => frame))
  // What came later in a turn touches as a rule what came before it.
  const lacked = rows.size === 0 ? [...keys] : [...keys].filter(key => !rows.has(key))
  await loadRows(store, name, slicesOf(lacked, readsMax), rows, stretch)
  for (const [i, some] of slicesOf([...writers], readsMax).entries()) {
    if (i > 0 && stretch.isOver()) await stretch.letOthersGo()
    for (const record of await store.writers(name, some)) recordById.set(record.writer, record)
  }
}

async function loadRows(
  store: RelayStore,
  space: string,
  slices: readonly (readonly DocumentKey[])[],
  rows: Reads['rows'],
  stretch: Stretch,
): Promise<void> {
  for (const [i, some] of slices.entries()) {
    if (i > 0 && stretch.isOver()) await stretch.letOthersGo()
    const found = await store.rows(space, some)
    found.forEach((held, key) => rows.set(key, held))
  }
}
