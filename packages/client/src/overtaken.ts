/**
 * What became of an own transaction that left the outbox in a part of the journal that is gone, by what is there now.
 * Not all of it can be known: what was refused and settled leaves nothing to tell it by.
 */
import {
  cellCovers,
  compareMarks,
  isSameMark,
  showsDelta,
  type DocumentKey,
  type Mark,
  type RemadeMark,
  type ReplicaState,
  type Row,
  type Transaction,
  type TransactionId,
  type Write,
} from '@rejoin/core'

export type Fate =
  /** In the outbox or the quarantine, as itself or as what it was made anew. */
  | { readonly kind: 'there'; readonly as: TransactionId }
  /** It shows, so a relay has taken it, or would (SPEC A4). */
  | { readonly kind: 'taken' }
  | { readonly kind: 'unknown' }

export function fateOf(state: ReplicaState, { id, writes }: Transaction): Fate {
  if (state.quarantine.has(id)) return { kind: 'there', as: id }
  for (const { key, mark } of writes) {
    const now = state.remadeMarks.now(key, mark)
    const as = now === mark ? undefined : findBearer(state, key, now)
    if (as !== undefined) return { kind: 'there', as }
  }
  return { kind: writes.every(write => isShown(state, write)) ? 'taken' : 'unknown' }
}

/** The transaction in the outbox or the quarantine that writes a document under a mark. */
function findBearer(
  { outbox, quarantine }: ReplicaState,
  key: DocumentKey,
  mark: Mark,
): TransactionId | undefined {
  const waiting = outbox.idsOf(key).flatMap(id => outbox.get(id)?.transaction ?? [])
  const refused = [...quarantine.values()].map(({ transaction }) => transaction)
  return [...waiting, ...refused].find(({ writes }) =>
    writes.some(write => write.key === key && isSameMark(write.mark, mark)),
  )?.id
}

function isShown(state: ReplicaState, { key, mark, delta }: Write): boolean {
  const now = state.remadeMarks.now(key, mark)
  const anew = state.remadeMarks.of(key).find(remade => isSameMark(remade.now, now))
  const row = state.confirmed(key)
  return anew === undefined ? showsDelta(row, delta) : row !== undefined && showsAnew(row, anew)
}

function showsAnew({ cells, revival, deletion }: Row, { parts, now }: RemadeMark): boolean {
  const reaches = (mark: Mark | null): boolean => mark !== null && compareMarks(mark, now) >= 0
  if (parts.length === 0) return reaches(revival) || reaches(deletion?.mark ?? null)
  return parts.every(part => {
    const cell = cells.get(part)
    return cell !== undefined && (cell.strategy === 'lww' ? reaches(cell.last) : cellCovers(cell, now))
  })
}
