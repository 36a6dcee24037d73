/**
 * What is to be made anew: after a refusal what touches its documents and theirs, after a wrong clock everything behind,
 * and whatever stands on marks that nothing bears any more (SPEC L3, C4, W6).
 */
import { bodyKey } from '../bodies.ts'
import { contextOfCell } from '../cells/cell.ts'
import { contextCovers } from '../context.ts'
import type { Failure } from '../errors.ts'
import { marksOfDelta } from '../judge/marks.ts'
import { compareMarks, isSameMark, type Mark } from '../mark.ts'
import type { OutboxEntry } from '../outbox.ts'
import type { ReplicaState } from '../replica/replica.ts'
import type { DocumentKey, PartName } from '../row.ts'
import { lacksDocument } from './missing-documents.ts'
import { touchesAny, type Transaction, type TransactionId, type Write } from '../write.ts'

export interface RemakePlan {
  /** The first transaction to look at. */
  readonly from: TransactionId
  /** Documents of refused transactions; null to make everything from there on anew (SPEC C4). */
  readonly keys: ReadonlySet<DocumentKey> | null
  /**
   * What was refused. It leaves the outbox for the quarantine in the same chunk that makes anew what stood on it, so
   * that no crash can leave one without the other.
   */
  readonly refused: { readonly transaction: Transaction; readonly error: Failure } | null
  /** Documents that stay as they are, since another relay may have taken a write to one of them (SPEC W6). */
  readonly held?: ReadonlySet<DocumentKey> | undefined
  /** What was not offered, since it waits: nothing was said of it, so a wrong clock alone does not move it (SPEC C4). */
  readonly waiting?: ReadonlySet<TransactionId> | undefined
}

/** The entries that a plan makes anew, in order: those that touch a document of a refused or remade one. */
export function entriesToRemake(state: ReplicaState, plan: RemakePlan): readonly OutboxEntry[] {
  const keys = plan.keys === null ? null : new Set(plan.keys)
  const entries: OutboxEntry[] = []
  /** Documents of what waits: what touches them waits behind it. */
  const waiting = new Set<DocumentKey>()
  let begun = false
  for (const entry of state.outbox.entries()) {
    begun ||= entry.transaction.id === plan.from
    if (entry.position === 0 || entry.acks.size > 0) continue
    if (entry.transaction.id === plan.refused?.transaction.id) continue
    const { writes } = entry.transaction
    if (writes.some(({ key }) => plan.held?.has(key) === true)) continue
    if (keys === null && isWaiting(entry, plan, waiting)) {
      for (const { key } of writes) waiting.add(key)
      continue
    }
    if (!isOrphan(state, entry) && (!begun || !(keys === null || writes.some(write => keys.has(write.key)))))
      continue
    for (const { key } of writes) keys?.add(key)
    entries.push(entry)
  }
  return entries
}

function isWaiting(
  { transaction }: OutboxEntry,
  plan: RemakePlan,
  behind: ReadonlySet<DocumentKey>,
): boolean {
  if (transaction.id === plan.from) return false
  return plan.waiting?.has(transaction.id) === true || touchesAny(transaction.writes, behind)
}

/**
 * Whether something was on its way to the disk when what it stands on was made anew: it bears a writer that was, names a
 * mark of one that nothing bears any more, or was typed in a text of which its tab did not know that yet. What was on
 * disk before and stays as it was touches nothing of that, and is perhaps under way. Or its document existed by what was
 * refused.
 */
export function isOrphan(state: ReplicaState, entry: OutboxEntry): boolean {
  const { transaction, position } = entry
  const isOld = transaction.writes.some(
    write =>
      (state.retired.size > 0 &&
        (bearsGoneWriter(state, write, position) || standsOnGoneMarks(state, write, transaction.heard))) ||
      standsOnOldText(state, write, transaction.heard),
  )
  return isOld || lacksDocument(state, entry)
}

function bearsGoneWriter(state: ReplicaState, { mark }: Write, position: number): boolean {
  const retiredAt = state.retired.get(mark.writer)
  return retiredAt !== undefined && (position === 0 || position > retiredAt)
}

function standsOnOldText(state: ReplicaState, write: Write, heard: number): boolean {
  // As nearly all writes, of which there may be thousands to look at.
  if (write.texts.size === 0) return false
  return [...write.texts.keys()].some(part => heard < state.remade.lastOf(bodyKey(write.key, part)))
}

function standsOnGoneMarks(state: ReplicaState, write: Write, heard: number): boolean {
  return marksOfDelta(write).some(
    mark =>
      state.retired.has(mark.writer) &&
      isOwnElder(state, write, mark) &&
      (isNamedUnheard(state, write.key, mark, heard) || !isThere(state, write, mark)),
  )
}

/** Who had heard that a mark was made anew names it still where a relay has what bears it. */
function isNamedUnheard({ remadeMarks }: ReplicaState, key: DocumentKey, mark: Mark, heard: number): boolean {
  return (
    remadeMarks.has(key, mark) &&
    remadeMarks.of(key).some(({ old, position }) => position > heard && isSameMark(old, mark))
  )
}

function isThere(state: ReplicaState, write: Write, mark: Mark): boolean {
  const { key } = write
  return isConfirmed(state, key, mark) || isInOutbox(state, key, mark) || isOverwritten(state, write, mark)
}

/** What others wrote to an `lww` cell since leaves nothing of the mark that a write had seen there. */
function isOverwritten(state: ReplicaState, { key, replaced, delta }: Write, mark: Mark): boolean {
  return [...(state.confirmed(key)?.cells ?? [])].some(([part, cell]) => {
    if (cell.strategy !== 'lww' || compareMarks(cell.last, mark) < 0) return false
    const seen = delta.deletion?.seen.get(part)
    return (
      isSameMark(replaced.get(part) ?? null, mark) || (seen?.kind === 'last' && isSameMark(seen.mark, mark))
    )
  })
}

/** Whether a mark that a write names is that of an own write before it. */
export function isOwnElder(state: ReplicaState, write: Write, mark: Mark): boolean {
  return state.own.has(mark.writer) && compareMarks(mark, write.mark) < 0
}

function isInOutbox(state: ReplicaState, key: DocumentKey, mark: Mark): boolean {
  return state.outbox.writesOf(key).some(write => isSameMark(write.mark, mark))
}

export function isConfirmed(state: ReplicaState, key: DocumentKey, mark: Mark): boolean {
  const row = state.confirmed(key)
  if (isSameMark(row?.revival ?? null, mark) || isSameMark(row?.deletion?.mark ?? null, mark)) return true
  return [...(row?.cells.values() ?? [])].some(cell => contextCovers(contextOfCell(cell), mark))
}

/** The bodies that must be loaded before `makeAnew`. */
export function bodiesToRemake(
  entries: readonly OutboxEntry[],
): readonly { key: DocumentKey; part: PartName }[] {
  const bodies = new Map<string, { key: DocumentKey; part: PartName }>()
  for (const { transaction } of entries) {
    for (const { key, texts } of transaction.writes) {
      for (const part of texts.keys()) bodies.set(bodyKey(key, part), { key, part })
    }
  }
  return [...bodies.values()]
}
