/**
 * Submitting: the outbox is offered in its order, a window of it at a time, in rounds (SPEC L2, L3).
 *
 * After a refusal the relay skips what follows until it is told from where to go on; by then what stood on the refused
 * transaction is made anew. What this relay refused or has is not offered to it again. What waits (held-back.ts,
 * ahead-of-clock.ts, lacking.ts) holds back what touches its documents; the rest goes on.
 */
import type { SubmittedTransaction } from '../frames.ts'
import { limits } from '../limits.ts'
import type { OutboxEntry } from '../outbox.ts'
import { isOrphan, type RemakePlan } from '../remake/plan.ts'
import type { DocumentKey } from '../row.ts'
import { touchesAny, type TransactionId } from '../write.ts'
import { createAheadOfClock } from './ahead-of-clock.ts'
import { send, type Conversation } from './conversation.ts'
import type { Giving } from './giving.ts'
import { createHeldBack } from './held-back.ts'
import { createLacking } from './lacking.ts'
import { createOfferQueue, type Look } from './offer-queue.ts'
import { createOfferWindow } from './offer-window.ts'
import { isHeldByRelay, type Pull } from './pull.ts'

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
  /**
   * W6: whether another relay has a transaction that this one refused, or may have it; then it is kept back, until that
   * is known or, where the clock was wrong, until then.
   */
  holdsBack(entry: OutboxEntry, readyAt: number | null): boolean
  /** Whether its mark has no lesser one, since it was made anew for a clock that has not gone back since. */
  bearsLeastMark(id: TransactionId, relayTime: number): boolean
  /** C4: is not offered before the relay has what it stands on, or its clock has come so far. */
  waitUntil(entry: OutboxEntry, readyAt: number): void
  /** Plans what is to be made anew before anything else is offered. */
  remake(plan: RemakePlan): void
  /** Whether there is a plan, and nothing under way that it could meet. */
  hasPlan(): boolean
  takePlan(): RemakePlan | null
  /** What was planned last is made anew and on disk. */
  remade(): void
}

const frameBytes = 256 * 1024
/** While nothing is under way: of thousands, the relay judges the first as the rest is put together. */
const firstFrameBytes = 64 * 1024

const noPreconditions: SubmittedTransaction['preconditions'] = []

export function createSubmitting(conversation: Conversation, pull: Pull, giving: Giving): Submitting {
  const { state } = conversation
  const { offers } = conversation.beside
  const keptBack = new Set<TransactionId>()
  const queue = createOfferQueue(state.outbox)
  const underWay = createOfferWindow(queue)
  const heldBack = createHeldBack(conversation, pull)
  const aheadOfClock = createAheadOfClock(conversation, giving)
  const isLacking = createLacking(conversation, pull, giving)
  let { lineageRevision } = state
  let round = 0
  let isHalted = false
  let plan: RemakePlan | null = null
  /** Of what was refused here and another relay may have yet: it need not be refused again once that one has not. */
  const putOff = new Map<TransactionId, RemakePlan>()

  function isAcknowledgedHere({ acks }: OutboxEntry): boolean {
    const ack = acks.get(conversation.judge)
    // Of a relay that was restored, what its peers gave back does not count as its own word.
    if (ack === undefined || !isHeldByRelay(pull, ack)) return false
    return ack.generation === conversation.generation || state.isCounted(conversation.judge, ack)
  }

  function isToOffer(entry: OutboxEntry): boolean {
    const { id } = entry.transaction
    return entry.position > 0 && !underWay.holds(id) && !keptBack.has(id) && !isAcknowledgedHere(entry)
  }

  return {
    offer() {
      // Who only reads has nothing to offer, at each change that comes.
      if (state.outbox.size === 0 || isHalted || !conversation.mayWrite) return
      if (lineageRevision !== state.lineageRevision) {
        ;({ lineageRevision } = state)
        // What a relay had acknowledged before it was restored is to be offered again once that is known.
        queue.restart()
      }
      let batch: SubmittedTransaction[] = []
      let batchBytes = 0
      const flush = (): void => {
        if (batch.length > 0) send(conversation, { type: 'submit', round, transactions: batch })
        batch = []
        batchBytes = 0
      }
      let found: ReadonlySet<DocumentKey> | null = null
      const held = (): ReadonlySet<DocumentKey> => (found ??= offers.heldFrom(conversation.judge))
      /** Documents of what waits: what touches them may stand on it. */
      const waiting = new Set<DocumentKey>()
      /** Documents of what another relay has and this one refused. */
      const without = new Set<DocumentKey>()
      queue.walk((entry): Look => {
        if (underWay.isFull) return 'stop'
        const { id, writes } = entry.transaction
        const isBack = heldBack.isWaiting(entry, held)
        if (isBack || touchesAny(writes, waiting) || aheadOfClock.isWaiting(entry)) {
          // Who has taken a write that this relay refused may be gone for good, so what touches its documents follows.
          const documents = isBack && state.isVouchedFor(entry) ? without : waiting
          for (const { key } of writes) documents.add(key)
          return 'later'
        }
        // What is not on disk yet comes again when it is; what this relay skips, with the next round.
        if (!isToOffer(entry)) return 'done'
        const again = putOff.size === 0 ? undefined : putOff.get(id)
        if (again !== undefined) putOff.delete(id)
        if (again !== undefined && entry.acks.size === 0 && !heldBack.isShown(entry)) {
          if (underWay.size === 0) plan ??= again
          if (plan !== again) putOff.set(id, again)
          return 'stop'
        }
        if (isLacking(entry, without)) {
          for (const { key } of writes) waiting.add(key)
          return 'later'
        }
        if (entry.acks.size === 0 && isOrphan(state, entry) && !offers.mayHave(entry, conversation.judge)) {
          // What comes behind it may stand on it.
          if (underWay.size === 0) plan ??= { from: id, keys: new Set(), refused: null }
          return 'stop'
        }
        offers.offered(conversation.judge, id)
        const bytes = underWay.enter(entry.transaction)
        const bytesMax = underWay.size > batch.length + 1 ? frameBytes : firstFrameBytes
        const isFull = batchBytes + bytes > bytesMax || batch.length >= limits.transactionsPerFrameMax
        if (batch.length > 0 && isFull) flush()
        batch.push({ writes, preconditions: noPreconditions })
        batchBytes += bytes
        return 'done'
      })
      flush()
    },
    goOn() {
      if (!isHalted || underWay.size > 0 || !giving.isDone()) return
      isHalted = false
      round += 1
      queue.restart()
      send(conversation, { type: 'go-on', round })
    },
    answered: underWay.answered,
    halt() {
      isHalted = true
    },
    keepBack: id => void keptBack.add(id),
    holdsBack(entry, readyAt) {
      const { writes } = entry.transaction
      const isOpen = state.isVouchedFor(entry) || touchesAny(writes, offers.heldFrom(conversation.judge))
      if (isOpen) heldBack.hold(entry, readyAt)
      return isOpen
    },
    bearsLeastMark: aheadOfClock.bearsLeastMark,
    waitUntil: aheadOfClock.wait,
    remake(next) {
      plan = next
    },
    hasPlan: () => plan !== null && underWay.size === 0,
    takePlan() {
      // W6: of what is under way the relay may say yet that it has it.
      if (underWay.size > 0) return null
      const planned = plan
      plan = null
      const entry = planned === null ? undefined : state.outbox.get(planned.from)
      // What another session took out, it has made anew what stood on it.
      if (planned === null || entry === undefined) return null
      // L2: another relay has taken since what this one refused, so it stays until this one says that it holds it.
      if (planned.refused !== null && state.isVouchedFor(entry)) {
        keptBack.delete(planned.from)
        heldBack.holdTaken(planned.from)
        queue.restart()
        return null
      }
      // Another relay may have been offered it since.
      const held = offers.heldFrom(conversation.judge)
      if (!touchesAny(entry.transaction.writes, held)) {
        if (planned.keys === null) aheadOfClock.remaking()
        // The relay has said nothing of what was not offered to it, and another one may have taken that.
        return { ...planned, held, waiting: new Set(queue.waiting) }
      }
      keptBack.delete(planned.from)
      putOff.set(planned.from, planned)
      queue.restart()
      heldBack.hold(entry, null)
      return null
    },
    remade: aheadOfClock.remade,
  }
}
