/**
 * What is under way to one relay: offered, and not answered. Invariant: it is answered in the order in which it was offered,
 * and no more of it is under way than the window has room for.
 */
import { sizeOfTransaction } from '../size.ts'
import type { Transaction, TransactionId } from '../write.ts'
import type { OfferQueue } from './offer-queue.ts'

export interface OfferWindow {
  /** How many transactions are under way. */
  readonly size: number
  readonly isFull: boolean
  /** It is offered now; its bytes. */
  enter(transaction: Transaction): number
  /** Whether it may be met again in the outbox although it is under way. */
  holds(id: TransactionId): boolean
  /** Takes out what is answered: each with its index. */
  answered(count: number): readonly { readonly index: number; readonly id: TransactionId }[]
}

/**
 * How many transactions are under way at most, and about how many bytes of them. What comes to a relay together is one
 * turn there, in which a document that was edited often is stored, counted and forwarded once.
 */
const windowTransactions = 16_384
const windowBytes = 2 * 1024 * 1024

/** One that is under way: in the order in which they are answered, their indices follow each other. */
interface Sent {
  readonly index: number
  readonly id: TransactionId
  readonly bytes: number
}

export function createOfferWindow(queue: Pick<OfferQueue, 'restarts'>): OfferWindow {
  const sent: Sent[] = []
  /** What was under way when all of the outbox was to be looked at anew: what was sent since is not met again. */
  let sentBefore: ReadonlySet<TransactionId> = new Set()
  let restarts = 0
  let sentBytes = 0
  let nextIndex = 0

  function count(): void {
    underWay.size = sent.length
    underWay.isFull = sent.length >= windowTransactions || sentBytes >= windowBytes
  }

  const underWay = {
    size: 0,
    isFull: false,
    enter(transaction: Transaction) {
      const bytes = sizeOfTransaction(transaction)
      sent.push({ index: nextIndex++, id: transaction.id, bytes })
      sentBytes += bytes
      count()
      return bytes
    },
    holds(id: TransactionId) {
      if (restarts !== queue.restarts) {
        ;({ restarts } = queue)
        sentBefore = new Set(sent.map(one => one.id))
      }
      return sentBefore.has(id)
    },
    answered(answered: number) {
      const done = sent.splice(0, Math.max(0, answered - (sent[0]?.index ?? answered)))
      for (let i = 0; i < done.length; i++) sentBytes -= (done[i] as Sent).bytes
      count()
      return done
    },
  }
  return underWay
}
