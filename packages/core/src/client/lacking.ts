/**
 * S3 while a session is open: what a write stands on may be known to another relay alone. Most often that one is about
 * to tell its peer; if it does not for a second, the documents are given, and the write follows.
 */
import type { OutboxEntry } from '../outbox.ts'
import type { DocumentKey } from '../row.ts'
import type { Transaction } from '../write.ts'
import { touchesAny } from '../write.ts'
import type { Conversation } from './conversation.ts'
import type { Told } from './told-elsewhere.ts'
import type { Giving } from './giving.ts'
import { isHeldByRelay, type Pull } from './pull.ts'

/** Long enough for what a peer of the relay is about to tell it. With a look every 2 s, it is given within 3 s. */
export const lackingMs = 1000

/**
 * Says whether a write is to wait until the relay has what it stands on. To be asked again and again. `without`: documents
 * of own writes that another relay has and this one has not taken.
 */
export function createLacking(
  { beside: { elsewhere }, now }: Conversation,
  pull: Pull,
  giving: Giving,
): (entry: OutboxEntry, without: ReadonlySet<DocumentKey>) => boolean {
  const isHeld = (told: Told): boolean => isHeldByRelay(pull, told)
  /** Since when each waits; null once what it stands on is given. It goes with what left the outbox meanwhile. */
  const waiting = new WeakMap<Transaction, number | null>()
  /** Documents that are being given: also for what a write that waited for that was made anew, or came behind it. */
  const underWay = new Set<DocumentKey>()

  return ({ transaction }, without) => {
    const { writes, heard } = transaction
    if (giving.isDone()) underWay.clear()
    if (touchesAny(writes, underWay)) return true
    const since = waiting.get(transaction)
    // As of nearly all writes, of which there may be thousands to look at.
    if (since === undefined && without.size === 0 && elsewhere.isEmpty) return false
    const lacked: DocumentKey[] = []
    if (since !== null) {
      for (const { key } of writes)
        if (without.has(key) || elsewhere.lacks(key, heard, isHeld)) lacked.push(key)
    }
    if (lacked.length === 0) {
      if (since !== undefined) waiting.delete(transaction)
      return false
    }
    if (since === undefined) waiting.set(transaction, now())
    else if (since !== null && now() - since >= lackingMs) {
      waiting.set(transaction, null)
      for (const key of lacked) underWay.add(key)
      giving.give(lacked)
      elsewhere.given(lacked)
    }
    return true
  }
}
