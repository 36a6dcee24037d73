/**
 * What a writer had seen of a document when it wrote. It is kept with the write, since making it anew must not ask
 * what has become of the state since (SPEC W6).
 */
import { keysOf } from './listed-map.ts'
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
  if (writes.length === 1) return seenByOnly(writes[0] as Write, state)
  const hasCounter = askedOfColumns(holdsCounter)
  // Of the writes before them only those see something that count on from there.
  const rows = writes.some(({ delta }) => hasCounter(delta.cells)) ? new Map<DocumentKey, Row>() : null
  return writes.map(({ key, delta, mark }) => {
    const visible = state.visible(key)
    // What is not seen at all is not confirmed either.
    const confirmed = visible === undefined ? undefined : state.confirmed(key)
    let counted = nothingCounted
    if (rows !== null) {
      const row = rows.get(key) ?? visible
      rows.set(key, joinRows(row ?? emptyRow, delta))
      if (row !== undefined) counted = countedBy(mark.writer, row, delta)
    }
    return seenOf(confirmed, counted)
  })
}

/** Most transactions are one write, and most of thousands make documents, of which there is nothing to be seen. */
function seenByOnly({ key, delta, mark }: Write, state: RowsSeen): readonly SeenDocument[] {
  const row = state.visible(key)
  // Nor is it confirmed.
  if (row === undefined) return onlyNothingSeen
  const counted = holdsCounter(delta.cells) ? countedBy(mark.writer, row, delta) : nothingCounted
  return [seenOf(state.confirmed(key), counted)]
}

function seenOf(confirmed: Row | undefined, counted: SeenDocument['counted']): SeenDocument {
  if (confirmed === undefined && counted === nothingCounted) return nothingSeen
  return { exists: rowExists(confirmed), last: lastOfRow(confirmed), counted }
}

function holdsCounter(cells: Row['cells']): boolean {
  const parts = keysOf(cells)
  for (let i = 0; i < parts.length; i++) if (isCounter(parts[i] as PartName)) return true
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
