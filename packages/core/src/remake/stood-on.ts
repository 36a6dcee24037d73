/** What a document was there by, as far as the writer of a write had heard (SPEC W6). */
import { contextOfCell } from '../cells/cell.ts'
import { compareMarks, type Mark } from '../mark.ts'
import type { ReplicaState } from '../replica/replica.ts'
import type { Transaction, Write } from '../write.ts'

/** Whether own writes before it, of which its writer had not seen that they were taken, are confirmed now. */
export function stoodOnTaken(state: ReplicaState, { key, mark }: Write, last: Mark | null): boolean {
  const row = state.confirmed(key)
  const isOwn = (one: Mark): boolean =>
    state.own.has(one.writer) && compareMarks(one, mark) < 0 && (last === null || compareMarks(one, last) > 0)
  if (row?.revival && isOwn(row.revival)) return true
  return [...(row?.cells.values() ?? [])].some(cell => [...contextOfCell(cell).values()].some(isOwn))
}

/** Whether the document was there, as far as its writer had heard, by an undelete or an insert that was refused since. */
export function stoodOnRefused(
  { quarantine, retired }: ReplicaState,
  { writes, seen, heard }: Transaction,
  i: number,
  leaving: readonly Transaction[],
): boolean {
  const write = writes[i]
  const last = seen[i]?.last ?? null
  if (write === undefined || (quarantine.size === 0 && leaving.length === 0)) return false
  const broughtBack = (one: Transaction): boolean =>
    one.writes.some(
      ({ key, mark, delta }) =>
        key === write.key &&
        delta.revival !== null &&
        compareMarks(mark, write.mark) < 0 &&
        (last === null || compareMarks(mark, last) > 0),
    )
  const isUnheard = (one: Transaction): boolean =>
    one.writes.some(({ mark }) => (retired.get(mark.writer) ?? -1) >= heard)
  return (
    leaving.some(broughtBack) ||
    [...quarantine.values()].some(({ transaction }) => isUnheard(transaction) && broughtBack(transaction))
  )
}
