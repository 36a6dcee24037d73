/**
 * What a writer had seen of a document when it wrote. It is kept with the write, since making it anew must not ask
 * what has become of the state since (SPEC W6).
 */
import type { Mark, WriterId } from './mark.ts'
import { askedOfColumns } from './packed-cells.ts'
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

interface RowsSeen {
  confirmed(key: DocumentKey): Row | undefined
  visible(key: DocumentKey): Row | undefined
}

/** What is seen by the writes of one transaction, each of which sees those before it. To be asked before they are joined in. */
export function seenByWrites(writes: readonly Write[], state: RowsSeen): readonly SeenDocument[] {
  const [first] = writes
  // Most writes of thousands make documents, of which there is nothing to be seen.
  if (writes.length === 1 && first !== undefined && isUnknown(first.key, state)) return onlyNothingSeen
  const hasCounter = writes.length === 1 ? holdsCounter : askedOfColumns(holdsCounter)
  // Of the writes before them only those see something that count on from there.
  const rows = writes.some(({ delta }) => hasCounter(delta.cells)) ? new Map<DocumentKey, Row>() : null
  return writes.map(({ key, delta, mark }) => {
    const confirmed = state.confirmed(key)
    let counted = nothingCounted
    if (rows !== null) {
      const row = rows.get(key) ?? state.visible(key)
      rows.set(key, joinRows(row ?? emptyRow, delta))
      if (row !== undefined) counted = countedBy(mark.writer, row, delta)
    }
    if (confirmed === undefined && counted === nothingCounted) return nothingSeen
    return { exists: rowExists(confirmed), last: lastOfRow(confirmed), counted }
  })
}

/** What is not seen at all is not confirmed either. */
function isUnknown(key: DocumentKey, state: RowsSeen): boolean {
  return state.visible(key) === undefined
}

function holdsCounter(cells: Row['cells']): boolean {
  for (const part of cells.keys()) if (isCounter(part)) return true
  return false
}

function isCounter(part: PartName): boolean {
  return hasStrategy(part, 'counter')
}

function countedBy(writer: WriterId, row: Row, delta: Row): SeenDocument['counted'] {
  let counted: Map<PartName, number> | null = null
  for (const part of delta.cells.keys()) {
    if (!isCounter(part)) continue
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
const onlyNothingSeen: readonly SeenDocument[] = [nothingSeen]
