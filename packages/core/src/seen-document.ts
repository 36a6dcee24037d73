/**
 * What a writer had seen of a document when it wrote. It is kept with the write, since making it anew must not ask
 * what has become of the state since (SPEC W6).
 */
import type { Mark, WriterId } from './mark.ts'
import {
  emptyRow,
  hasStrategy,
  joinRows,
  lastOfRow,
  rowExists,
  type DocumentKey,
  type PartName,
  type Row,
} from './row.ts'
import type { Write } from './write.ts'

export interface SeenDocument {
  /** Whether the document existed in the confirmed layer. */
  readonly exists: boolean
  /** The greatest mark of the row in the confirmed layer. */
  readonly last: Mark | null
  /** Of each counter that it wrote, what its writer had counted before: the rest of the total is this write's. None is 0. */
  readonly counted: ReadonlyMap<PartName, number>
}

/** What is seen by the writes of one transaction, each of which sees those before it. To be asked before they are joined in. */
export function seenByWrites(
  writes: readonly Write[],
  state: {
    confirmed(key: DocumentKey): Row | undefined
    visible(key: DocumentKey): Row | undefined
  },
): readonly SeenDocument[] {
  const [only] = writes
  if (only !== undefined && writes.length === 1) return [seenByWrite(only, state.visible(only.key), state)]
  const rows = new Map<DocumentKey, Row>()
  return writes.map((write, i) => {
    const { key, delta } = write
    const row = rows.get(key) ?? state.visible(key)
    // Nobody comes after the last.
    if (i < writes.length - 1) rows.set(key, joinRows(row ?? emptyRow, delta))
    return seenByWrite(write, row, state)
  })
}

function seenByWrite(
  { key, delta, mark }: Write,
  row: Row | undefined,
  state: { confirmed(key: DocumentKey): Row | undefined },
): SeenDocument {
  // What does not show at all is not confirmed either.
  if (row === undefined) return nothingSeen
  const confirmed = state.confirmed(key)
  const counted = countedBy(mark.writer, row, delta)
  if (confirmed === undefined && counted === nothingCounted) return nothingSeen
  return { exists: rowExists(confirmed), last: lastOfRow(confirmed), counted }
}

function countedBy(writer: WriterId, row: Row, delta: Row): SeenDocument['counted'] {
  let counted: Map<PartName, number> | null = null
  for (const part of delta.cells.keys()) {
    if (!hasStrategy(part, 'counter')) continue
    const cell = row.cells.get(part)
    const total = cell?.strategy === 'counter' ? (cell.entries.get(writer)?.total ?? 0) : 0
    if (total === 0) continue
    counted ??= new Map()
    counted.set(part, total)
  }
  return counted ?? nothingCounted
}

export const nothingCounted: SeenDocument['counted'] = new Map()

/** As of all inserts, of which there may be thousands. */
export const nothingSeen: SeenDocument = { exists: false, last: null, counted: nothingCounted }
