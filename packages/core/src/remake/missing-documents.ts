/**
 * What has nothing to stand on when it is to be made anew: its document exists neither in what its writer had seen nor by
 * own writes before it, or, of what brings one back, is not even deleted there (SPEC W6). It is found before anything is
 * made anew, since no text may be made over one that goes.
 */
import { contextOfCell } from '../cells/cell.ts'
import { compareMarks, type Mark } from '../mark.ts'
import { isTyped } from '../remade-marks.ts'
import type { OutboxEntry } from '../outbox.ts'
import type { ReplicaState } from '../replica/replica.ts'
import { emptyRow, joinRows, rowExists, type DocumentKey, type Row } from '../row.ts'
import type { SeenDocument } from '../seen-document.ts'
import type { Transaction, Write } from '../write.ts'
import type { RemakePlan } from './plan.ts'

/** Of each such transaction the document that is missing. */
export function missingDocuments(
  state: ReplicaState,
  remade: ReadonlySet<OutboxEntry>,
  plan: RemakePlan,
): ReadonlyMap<Transaction, DocumentKey> {
  const missing = new Map<Transaction, DocumentKey>()
  const existsByKey = new Map<DocumentKey, boolean>()
  /** What is confirmed, and own writes so far: an edit that a deletion had not seen keeps its document. */
  const rows = new Map<DocumentKey, Row | undefined>()
  const rowOf = (key: DocumentKey): Row | undefined => (rows.has(key) ? rows.get(key) : state.confirmed(key))
  for (const entry of state.outbox.entries()) {
    const { transaction, position } = entry
    const leaves = transaction.id === plan.refused?.transaction.id && entry.acks.size === 0
    if (position === 0 || leaves) continue
    const made = new Map<DocumentKey, boolean>()
    let absent: DocumentKey | null = null
    for (const [i, write] of transaction.writes.entries()) {
      const own = made.get(write.key) ?? existsByKey.get(write.key)
      if (remade.has(entry) && isMissing(state, write, transaction.seen[i], own, rowOf(write.key)))
        absent ??= write.key
      const exists = existsAfter(write)
      if (exists !== null) made.set(write.key, exists)
    }
    if (absent !== null) missing.set(transaction, absent)
    else {
      for (const [key, exists] of made) existsByKey.set(key, exists)
      for (const { key, delta } of transaction.writes) rows.set(key, joinRows(rowOf(key) ?? emptyRow, delta))
    }
  }
  return missing
}

/**
 * Whether something came to the disk when the own write that its document was there by was gone already: no other one
 * stands before it. Of what is deleted that cannot be told, nor of what is typed in an open editor, whose document was
 * perhaps deleted and forgotten: a relay knows.
 */
export function lacksDocument(state: ReplicaState, { transaction }: OutboxEntry): boolean {
  const { id, writes, seen } = transaction
  return writes.some((write, i) => {
    const { key } = write
    return (
      state.confirmed(key) === undefined &&
      !isTyped(write) &&
      isMissing(state, write, seen[i], undefined, undefined) &&
      state.outbox.isFirstOf(key, id) &&
      writes.findIndex(one => one.key === key) === i
    )
  })
}

/** `own`: whether it exists by what own writes before it settle; `row`: what is confirmed, and these. */
function isMissing(
  state: ReplicaState,
  write: Write,
  seen: SeenDocument | undefined,
  own: boolean | undefined,
  row: Row | undefined,
): boolean {
  const { key, delta, whole } = write
  const last = seen?.last ?? null
  if (whole) return false
  if (delta.revival !== null) return own === undefined && last === null && state.confirmed(key) === undefined
  if (own ?? seen?.exists ?? false) return false
  // X5: who types in what is known to be deleted keeps it.
  if (isTyped(write) && state.confirmed(key) !== undefined) return false
  return !rowExists(row) && !(own === undefined && stoodOnTaken(state, write, last))
}

/** Whether own writes before it, of which its writer had not seen that they were taken, are confirmed now. */
function stoodOnTaken(state: ReplicaState, { key, mark }: Write, last: Mark | null): boolean {
  const row = state.confirmed(key)
  const isOwn = (one: Mark): boolean =>
    state.own.has(one.writer) && compareMarks(one, mark) < 0 && (last === null || compareMarks(one, last) > 0)
  if (row?.revival && isOwn(row.revival)) return true
  return [...(row?.cells.values() ?? [])].some(cell => [...contextOfCell(cell).values()].some(isOwn))
}

/** Whether a write settles that its document exists or does not; null if it leaves that as it was. */
function existsAfter({ delta }: Write): boolean | null {
  if (delta.deletion !== null) return false
  return delta.revival === null ? null : true
}
