/**
 * Submitting: the outbox is offered in its order, a window of it at a time, in rounds (SPEC L2, L3).
 *
 * After a refusal the relay skips what follows until it is told from where to go on; by then what stood on the refused
 * transaction is made anew. What this relay refused or has is not offered to it again.
 */
import type { SubmittedTransaction } from '../frames.ts'
import { limits } from '../limits.ts'
import type { OutboxEntry } from '../outbox.ts'
import { isOrphan, type RemakePlan } from '../remake/plan.ts'
import { sizeOfTransaction } from '../size.ts'
import type { TransactionId } from '../write.ts'
import type { Conversation } from './conversation.ts'
import type { Giving } from './giving.ts'
import type { Pull } from './pull.ts'

export interface Submitting {
  /** Offers what the window has room for; or finds what must be made anew first. */
  offer(): void
  /** L3: after a refusal, once what it asked for is done, says from where to go on. */
  goOn(): void
  /** Takes what is answered out of the window: each with its index. */
  answered(count: number): readonly { readonly index: number; readonly id: TransactionId }[]
  /** The relay skips what follows. */
  halt(): void
  /** Is not offered to this relay again. */
  keepBack(id: TransactionId): void
  /** Plans what is to be made anew before anything else is offered. */
  remake(plan: RemakePlan): void
  readonly hasPlan: boolean
  takePlan(): RemakePlan | null
}

/** How many transactions are under way at most, and about how many bytes of them. */
const windowTransactions = 2048
const windowBytes = 2 * 1024 * 1024
const frameBytes = 256 * 1024

export function createSubmitting(conversation: Conversation, pull: Pull, giving: Giving): Submitting {
  const { state, send } = conversation
  const sent = new Map<number, { readonly id: TransactionId; readonly bytes: number }>()
  const sentIds = new Set<TransactionId>()
  const keptBack = new Set<TransactionId>()
  let sentBytes = 0
  let nextIndex = 0
  let answeredCount = 0
  let round = 0
  let isHalted = false
  let plan: RemakePlan | null = null

  function isAcknowledgedHere({ acks }: OutboxEntry): boolean {
    const ack = acks.get(conversation.judge)
    return ack !== undefined && pull.isHeld(ack)
  }

  function isToOffer(entry: OutboxEntry): boolean {
    const { id } = entry.transaction
    return entry.position > 0 && !sentIds.has(id) && !keptBack.has(id) && !isAcknowledgedHere(entry)
  }

  function enter({ transaction }: OutboxEntry): number {
    const { id } = transaction
    const bytes = sizeOfTransaction(transaction)
    sent.set(nextIndex++, { id, bytes })
    sentIds.add(id)
    sentBytes += bytes
    return bytes
  }

  return {
    offer() {
      if (isHalted || !conversation.mayWrite) return
      let batch: SubmittedTransaction[] = []
      let batchBytes = 0
      let first = nextIndex
      const flush = (): void => {
        if (batch.length > 0) send({ type: 'submit', round, first, transactions: batch })
        batch = []
        batchBytes = 0
      }
      for (const entry of state.outbox.entries()) {
        if (sent.size >= windowTransactions || sentBytes >= windowBytes) break
        if (!isToOffer(entry)) continue
        const { id, writes } = entry.transaction
        if (entry.acks.size === 0 && isOrphan(state, entry)) {
          // What comes behind it may stand on it, and what is under way must not be made twice.
          if (sent.size === 0) plan ??= { from: id, keys: new Set(), refused: null }
          break
        }
        const index = nextIndex
        const bytes = enter(entry)
        const isFull = batchBytes + bytes > frameBytes || batch.length >= limits.transactionsPerFrameMax
        if (batch.length > 0 && isFull) flush()
        if (batch.length === 0) first = index
        batch.push({ writes, preconditions: [] })
        batchBytes += bytes
      }
      flush()
    },
    goOn() {
      if (!isHalted || sent.size > 0 || !giving.isDone) return
      isHalted = false
      round += 1
      send({ type: 'go-on', round, first: nextIndex })
    },
    answered(count) {
      const done: { readonly index: number; readonly id: TransactionId }[] = []
      for (; answeredCount < count; answeredCount++) {
        const entry = sent.get(answeredCount)
        if (entry === undefined) continue
        sent.delete(answeredCount)
        sentIds.delete(entry.id)
        sentBytes -= entry.bytes
        done.push({ index: answeredCount, id: entry.id })
      }
      return done
    },
    halt() {
      isHalted = true
    },
    keepBack: id => void keptBack.add(id),
    remake(next) {
      plan = next
    },
    get hasPlan() {
      return plan !== null
    },
    takePlan() {
      const planned = plan
      plan = null
      return planned
    },
  }
}
