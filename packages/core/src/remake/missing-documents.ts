/**
 * What has nothing to stand on when it is to be made anew: its document exists neither in what its writer had seen nor by
 * own writes before it, or, of what brings one back, is not even deleted there (SPEC W6). It is found before anything is
 * made anew, since no text may be made over one that goes.
 */
import type { OutboxEntry } from '../outbox.ts'
import type { ReplicaState } from '../replica/replica.ts'
import { emptyRow, joinRows, rowExists, type DocumentKey, type Row } from '../row.ts'
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
    const isMissing = ({ key, delta, whole }: Write, i: number): boolean => {
      const seen = transaction.seen[i]
      const own = made.get(key) ?? existsByKey.get(key)
      if (whole) return false
      if (delta.revival !== null)
        return own === undefined && (seen?.last ?? null) === null && state.confirmed(key) === undefined
      return !(own ?? seen?.exists ?? false) && !rowExists(rowOf(key))
    }
    let absent: DocumentKey | null = null
    for (const [i, write] of transaction.writes.entries()) {
      if (remade.has(entry) && isMissing(write, i)) absent ??= write.key
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

/** Whether a write settles that its document exists or does not; null if it leaves that as it was. */
function existsAfter({ delta }: Write): boolean | null {
  if (delta.deletion !== null) return false
  return delta.revival === null ? null : true
}
