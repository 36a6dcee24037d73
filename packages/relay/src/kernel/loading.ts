/** Loading: the rows that a turn's frames touch, and the writers that they bear or name, before they are taken in. */
import type { DocumentKey, HeldRow, TurnReads, WriterId, WriterRecord } from '@rejoin/core'
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
  const rows = new Map<DocumentKey, HeldRow>()
  for (const [i, some] of slicesOf([...keys], readsMax).entries()) {
    if (i > 0 && stretch.isOver()) await stretch.letOthersGo()
    for (const [key, held] of await store.rows(name, some)) rows.set(key, held)
  }
  const recordById = new Map<WriterId, WriterRecord>()
  for (const [i, some] of slicesOf([...writers], readsMax).entries()) {
    if (i > 0 && stretch.isOver()) await stretch.letOthersGo()
    for (const record of await store.writers(name, some)) recordById.set(record.writer, record)
  }
  return { rows, row: key => rows.get(key), writer: id => recordById.get(id) }
}
