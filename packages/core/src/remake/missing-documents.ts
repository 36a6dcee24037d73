/**
 * What has nothing to stand on when it is to be made anew: its document exists neither in what its writer had seen nor by
 * own writes before it, or, of what brings one back, is not even deleted there (SPEC W6). It is found before anything is
 * made anew, since no text may be made over one that goes.
 */
import { isTyped } from '../remade-marks.ts'
import type { OutboxEntry } from '../outbox.ts'
import type { ReplicaState } from '../replica/replica.ts'
import { emptyRow, joinRows, rowExists, type DocumentKey, type Row } from '../row.ts'
import type { Transaction, Write } from '../write.ts'
import type { RemakePlan } from './plan.ts'
import { stoodOnRefused, stoodOnTaken } from './stood-on.ts'

/** Of each such transaction the document that is missing. */
export function missingDocuments(
  state: ReplicaState,
  remade: ReadonlySet<OutboxEntry>,
  plan: RemakePlan,
): ReadonlyMap<Transaction, DocumentKey> {
  const missing = new Map<Transaction, DocumentKey>()
  const leaving: Transaction[] = []
  const existsByKey = new Map<DocumentKey, boolean>()
  /** What is confirmed, and own writes so far: an edit that a deletion had not seen keeps its document. */
  const rows = new Map<DocumentKey, Row | undefined>()
  const rowOf = (key: DocumentKey): Row | undefined => (rows.has(key) ? rows.get(key) : state.confirmed(key))
  for (const entry of state.outbox.entries()) {
    const { transaction, position } = entry
    if (position === 0) continue
    if (transaction.id === plan.refused?.transaction.id && !state.isVouchedFor(entry)) {
      leaving.push(transaction)
      continue
    }
    const made = new Map<DocumentKey, boolean>()
    let absent: DocumentKey | null = null
    for (const [i, write] of transaction.writes.entries()) {
      const own = made.get(write.key) ?? existsByKey.get(write.key)
      if (remade.has(entry) && isMissing(state, transaction, i, { own, row: rowOf(write.key), leaving }))
        absent ??= write.key
      const exists = existsAfter(write)
      if (exists !== null) made.set(write.key, exists)
    }
    if (absent !== null) {
      missing.set(transaction, absent)
      leaving.push(transaction)
    } else {
      for (const [key, exists] of made) existsByKey.set(key, exists)
      for (const { key, delta } of transaction.writes) rows.set(key, joinRows(rowOf(key) ?? emptyRow, delta))
    }
  }
  return missing
}

/**
 * Whether something came to the disk when the own write that its document was there by was gone already: no other one
 * stands before it. Of what is deleted the quarantine alone can tell, and of what is typed in an open editor, whose
 * document was perhaps deleted and forgotten: a relay knows.
 */
export function lacksDocument(state: ReplicaState, { transaction }: OutboxEntry): boolean {
  const { id, writes } = transaction
  return writes.some((write, i) => {
    const { key } = write
    if (standsAlone(write, transaction.seen[i]?.exists ?? false)) return false
    const row = state.confirmed(key)
    return (
      isMissing(state, transaction, i, { own: undefined, row, leaving: [] }) &&
      ((row === undefined && !isTyped(write)) || stoodOnRefused(state, transaction, i, [])) &&
      state.outbox.isFirstOf(key, id) &&
      writes.findIndex(one => one.key === key) === i
    )
  })
}

/** What stands before a write. */
interface Before {
  /** Whether the document exists by what own writes settle. */
  readonly own: boolean | undefined
  /** What is confirmed, and these. */
  readonly row: Row | undefined
  /** What goes to the quarantine in the same pass. */
  readonly leaving: readonly Transaction[]
}

function isMissing(
  state: ReplicaState,
  transaction: Transaction,
  i: number,
  { own, row, leaving }: Before,
): boolean {
  const write = transaction.writes[i]
  if (write === undefined) return false
  const { key, delta } = write
  const seen = transaction.seen[i]
  const last = seen?.last ?? null
  if (standsAlone(write, own ?? seen?.exists ?? false)) return false
  if (delta.revival !== null) return own === undefined && last === null && state.confirmed(key) === undefined
  // Nobody changes what they know to be deleted, so another tab deleted it; X5: and who types in it keeps it.
  const isKept = own === false || (isTyped(write) && state.confirmed(key) !== undefined)
  if (isKept && !stoodOnRefused(state, transaction, i, leaving)) return false
  return !rowExists(row) && !(own === undefined && stoodOnTaken(state, write, last))
}

/** Whether nothing is missing before a write, as of nearly all; `exists`: whether its document does there. */
function standsAlone({ whole, delta }: Write, exists: boolean): boolean {
  return whole || (exists && delta.revival === null)
}

/** Whether a write settles that its document exists or does not; null if it leaves that as it was. */
function existsAfter({ delta }: Write): boolean | null {
  if (delta.deletion !== null) return false
  return delta.revival === null ? null : true
}
