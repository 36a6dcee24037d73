/**
 * Hinted hand-off: what the outbox of a replica in quorum mode holds for relays that were away (SPEC L2). A write waits
 * there until all relays have it, or for 30 days once as many have it as are wanted.
 */
import { limits, type ReplicaState, type StoreId, type TransactionId } from '@rejoin/core'
import type { RelayStatus } from './status.ts'

/** What waits for a relay; of one of which nothing is known, all of it. */
export function countWaiting(
  { outbox }: Pick<ReplicaState, 'outbox'>,
  store: StoreId | undefined,
): Pick<RelayStatus, 'waiting' | 'refused'> {
  const { counts, size } = outbox
  const waiting = size - counts.unstored
  if (store === undefined) return { waiting, refused: 0 }
  return { waiting: waiting - counts.acknowledgedBy(store), refused: counts.refusedBy(store) }
}

/** What has waited long enough for relays that did not come, by the corrected clock. */
export function overdue(
  state: Pick<ReplicaState, 'outbox' | 'isPending' | 'copies'>,
  now: number,
): readonly TransactionId[] {
  if (state.copies.all === state.copies.wanted) return []
  const found: TransactionId[] = []
  for (const entry of state.outbox.counts.acknowledged.values()) {
    const { id, writes } = entry.transaction
    if (state.isPending(entry)) continue
    if (writes.every(({ mark }) => mark.ms < now - limits.handOffMs)) found.push(id)
  }
  return found
}
