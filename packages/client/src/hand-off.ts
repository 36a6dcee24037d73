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
  let waiting = 0
  let refused = 0
  for (const { acks, refusedBy, position } of outbox.entries()) {
    if (position === 0 || (store !== undefined && acks.has(store))) continue
    waiting += 1
    if (store !== undefined && refusedBy.has(store)) refused += 1
  }
  return { waiting, refused }
}

/** What has waited long enough for relays that did not come, by the corrected clock. */
export function overdue(
  state: Pick<ReplicaState, 'outbox' | 'isPending' | 'copies'>,
  now: number,
): readonly TransactionId[] {
  if (state.copies.all === state.copies.wanted) return []
  const found: TransactionId[] = []
  for (const entry of state.outbox.entries()) {
    const { id, writes } = entry.transaction
    if (state.isPending(entry)) continue
    if (writes.every(({ mark }) => mark.ms < now - limits.handOffMs)) found.push(id)
  }
  return found
}
