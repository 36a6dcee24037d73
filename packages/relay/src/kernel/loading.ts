/** Loading: the rows that a turn's frames touch, and the writers that they bear or name, before they are taken in. */
import type { DocumentKey, HeldRow, RelayStore, TurnReads, WriterId, WriterRecord } from '@rejoin/core'
import type { DrivenSpace } from './driven-space.ts'
import { slicesOf } from './slices.ts'
import type { Stretch } from './stretch.ts'
import type { Sent } from './turns.ts'

export interface Reads extends TurnReads {
  readonly rows: ReadonlyMap<DocumentKey, HeldRow>
}

/** So many are looked up without a look at the time: a frame may name hundreds of thousands. */
const readsMax = 1024

export async function load(
  { name, space, kernel }: DrivenSpace,
  frames: readonly Sent[],
  stretch: Stretch,
): Promise<Reads> {
  const { store } = kernel.options
  const { keys, writers } = space.needs(frames.map(({ frame }) => frame))
  const rows = await loadRows(store, name, slicesOf([...keys], readsMax), stretch)
  const recordById = new Map<WriterId, WriterRecord>()
  for (const [i, some] of slicesOf([...writers], readsMax).entries()) {
    if (i > 0 && stretch.isOver()) await stretch.letOthersGo()
    for (const record of await store.writers(name, some)) recordById.set(record.writer, record)
  }
  return { rows, row: key => rows.get(key), writer: id => recordById.get(id) }
}

async function loadRows(
  store: RelayStore,
  space: string,
  slices: readonly (readonly DocumentKey[])[],
  stretch: Stretch,
): Promise<Reads['rows']> {
  const [only] = slices
  // As of nearly every turn: they stay in the map that they come in.
  if (slices.length === 1 && only !== undefined) return store.rows(space, only)
  const rows = new Map<DocumentKey, HeldRow>()
  for (const [i, some] of slices.entries()) {
    if (i > 0 && stretch.isOver()) await stretch.letOthersGo()
    const found = await store.rows(space, some)
    found.forEach((held, key) => rows.set(key, held))
  }
  return rows
}
