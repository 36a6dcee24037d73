/**
 * Submitting: the outbox is offered in its order, a window of it at a time, in rounds (SPEC L2, L3).
 *
 * After a refusal the relay skips what follows until it is told from where to go on; by then what stood on the refused
 * transaction is made anew. What this relay refused or has is not offered to it again. What it refused while another
 * relay may have taken it waits until that is known (SPEC W6), and with it what touches its documents; the rest goes on.
 * So does what is beyond the relay's time and bears the least mark that it can (SPEC C4), until the relay takes what that
 * stands on; and what stands on what another relay told, until this one has that (SPEC S3).
 */
import type { SubmittedTransaction } from '../frames.ts'
import { limits } from '../limits.ts'
import type { OutboxEntry } from '../outbox.ts'
import { isOrphan, type RemakePlan } from '../remake/plan.ts'
import { showsDelta, type DocumentKey } from '../row.ts'
import { sizeOfTransaction } from '../size.ts'
import { touchesAny, type TransactionId } from '../write.ts'
import { send, type Conversation } from './conversation.ts'
import type { Giving } from './giving.ts'
import { createLacking } from './lacking.ts'
import { createOfferQueue, type Look } from './offer-queue.ts'
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

/**
 * How many transactions are under way at most, and about how many bytes of them. What comes to a relay together is one
 * turn there, in which a document that was edited often is stored, counted and forwarded once.
 */
const windowTransactions = 16_384
const windowBytes = 2 * 1024 * 1024
const frameBytes = 256 * 1024
/** While nothing is under way: of thousands, the relay judges the first as the rest is put together. */
const firstFrameBytes = 64 * 1024

/** A relay that had not heard of what a write stands on may have by then. */
const askAgainMs = 10_000

/** One that is under way: in the order in which they are answered, their indices follow each other. */
interface Sent {
  readonly index: number
  readonly id: TransactionId
  readonly bytes: number
}

/** Why a transaction is kept back although nobody has decided about it. */
interface HeldBack {
  /** When the relay's clock has caught up with it. */
  readonly readyAt: number
  /** Whether the confirmed layer showed it already when the relay refused it, and whether the relay held it. */
  readonly wasShown: boolean
  readonly wasHeld: boolean
}

const noPreconditions: SubmittedTransaction['preconditions'] = []

export function createSubmitting(conversation: Conversation, pull: Pull, giving: Giving): Submitting {
  const { state, now } = conversation
  const { offers } = conversation.beside
  /** What is under way, in the order in which it is answered. */
  const sent: Sent[] = []
  /** What was under way when all of the outbox was to be looked at anew: what was sent since is not met again. */
  let sentBefore: ReadonlySet<TransactionId> = new Set()
  let restarts = 0
  const keptBack = new Set<TransactionId>()
  const heldBack = new Map<TransactionId, HeldBack>()
  /** What waits for the relay's clock, and whether what it stands on was given once more. */
  const ahead = new Map<TransactionId, { readonly readyAt: number; readonly isGiven: boolean }>()
  const queue = createOfferQueue(state.outbox)
  const isLacking = createLacking(conversation, pull, giving)
  let { lineageRevision } = state
  let sentBytes = 0
  let nextIndex = 0
  let round = 0
  let isHalted = false
  let plan: RemakePlan | null = null
  /** Of what was refused here and another relay may have yet: it need not be refused again once that one has not. */
  const putOff = new Map<TransactionId, RemakePlan>()
  /** What the outbox held when it was to be made anew for the clock. */
  let before: { readonly seen: number; readonly ids: ReadonlySet<TransactionId> } | null = null
  /** What was made anew for the clock, and when it was by that. */
  const remadeAt = new Map<TransactionId, number>()

  function isAcknowledgedHere({ acks }: OutboxEntry): boolean {
    const ack = acks.get(conversation.judge)
    // Of a relay that was restored, what its peers gave back does not count as its own word.
    if (ack === undefined || !isHeldByRelay(pull, ack)) return false
    return ack.generation === conversation.generation || state.isCounted(conversation.judge, ack)
  }

  function isSent(id: TransactionId): boolean {
    if (restarts !== queue.restarts) {
      ;({ restarts } = queue)
      sentBefore = new Set(sent.map(one => one.id))
    }
    return sentBefore.has(id)
  }

  function isToOffer(entry: OutboxEntry): boolean {
    const { id } = entry.transaction
    return entry.position > 0 && !isSent(id) && !keptBack.has(id) && !isAcknowledgedHere(entry)
  }

  function isShown({ transaction }: OutboxEntry): boolean {
    return transaction.writes.every(({ key, delta }) => showsDelta(state.confirmed(key), delta))
  }

  /** Whether the relay tells that it holds what another one has acknowledged: then it takes the write (SPEC A4). */
  function isHeldHere({ acks }: OutboxEntry): boolean {
    return [...acks.values()].some(ack => isHeldByRelay(pull, ack))
  }

  function hold(entry: OutboxEntry, readyAt: number | null): void {
    heldBack.set(entry.transaction.id, {
      readyAt: readyAt ?? Number.POSITIVE_INFINITY,
      wasShown: isShown(entry),
      wasHeld: isHeldHere(entry),
    })
  }

  /** Whether it still waits for what another relay says. */
  function isHeldBack(entry: OutboxEntry, held: () => ReadonlySet<DocumentKey>): boolean {
    const { id, writes } = entry.transaction
    const back = heldBack.get(id)
    if (back === undefined) return false
    const isKnown = state.isVouchedFor(entry)
      ? !back.wasHeld && isHeldHere(entry)
      : !touchesAny(writes, held()) || (!back.wasShown && isShown(entry))
    if (!isKnown && now() < back.readyAt) return true
    heldBack.delete(id)
    return false
  }

  function wait({ transaction }: OutboxEntry, readyAt: number): void {
    ahead.set(transaction.id, { readyAt: Math.min(readyAt, now() + askAgainMs), isGiven: false })
  }

  /**
   * C4: whether it stands on what is ahead of the relay's time and not there. Once in a while that is given first: the
   * relay may have heard of it from another one.
   */
  function isAhead(entry: OutboxEntry): boolean {
    // As nearly always, also where thousands are offered.
    if (ahead.size + giving.refused.size === 0) return false
    const { id, writes } = entry.transaction
    const waits = ahead.get(id)
    if (waits === undefined || (waits.isGiven && giving.isDone())) {
      ahead.delete(id)
      const isRefused = writes.some(({ key }) => giving.refused.get(key)?.code === 'clock-skew')
      if (isRefused && entry.acks.size === 0) wait(entry, Number.POSITIVE_INFINITY)
    } else if (!waits.isGiven && now() >= waits.readyAt) {
      ahead.set(id, { ...waits, isGiven: true })
      giving.give(writes.map(({ key }) => key))
    }
    return ahead.has(id)
  }

  function idsOfOutbox(): ReadonlySet<TransactionId> {
    return new Set([...state.outbox.entries()].map(({ transaction }) => transaction.id))
  }

  function enter({ transaction }: OutboxEntry): number {
    const { id } = transaction
    offers.offered(conversation.judge, id)
    const bytes = sizeOfTransaction(transaction)
    sent.push({ index: nextIndex++, id, bytes })
    sentBytes += bytes
    return bytes
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
        if (sent.length >= windowTransactions || sentBytes >= windowBytes) return 'stop'
        const { id, writes } = entry.transaction
        const isBack = isHeldBack(entry, held)
        if (isBack || touchesAny(writes, waiting) || isAhead(entry)) {
          // Who has taken a write that this relay refused may be gone for good, so what touches its documents follows.
          const documents = isBack && state.isVouchedFor(entry) ? without : waiting
          for (const { key } of writes) documents.add(key)
          return 'later'
        }
        // What is not on disk yet comes again when it is; what this relay skips, with the next round.
        if (!isToOffer(entry)) return 'done'
        const again = putOff.size === 0 ? undefined : putOff.get(id)
        if (again !== undefined) putOff.delete(id)
        if (again !== undefined && entry.acks.size === 0 && !isShown(entry)) {
          if (sent.length === 0) plan ??= again
          if (plan !== again) putOff.set(id, again)
          return 'stop'
        }
        if (isLacking(entry, without)) {
          for (const { key } of writes) waiting.add(key)
          return 'later'
        }
        if (entry.acks.size === 0 && isOrphan(state, entry) && !offers.mayHave(entry, conversation.judge)) {
          // What comes behind it may stand on it.
          if (sent.length === 0) plan ??= { from: id, keys: new Set(), refused: null }
          return 'stop'
        }
        const bytes = enter(entry)
        const bytesMax = sent.length > batch.length + 1 ? frameBytes : firstFrameBytes
        const isFull = batchBytes + bytes > bytesMax || batch.length >= limits.transactionsPerFrameMax
        if (batch.length > 0 && isFull) flush()
        batch.push({ writes, preconditions: noPreconditions })
        batchBytes += bytes
        return 'done'
      })
      flush()
    },
    goOn() {
      if (!isHalted || sent.length > 0 || !giving.isDone()) return
      isHalted = false
      round += 1
      queue.restart()
      send(conversation, { type: 'go-on', round })
    },
    answered(count) {
      const done = sent.splice(0, Math.max(0, count - (sent[0]?.index ?? count)))
      for (let i = 0; i < done.length; i++) sentBytes -= (done[i] as Sent).bytes
      return done
    },
    halt() {
      isHalted = true
    },
    keepBack: id => void keptBack.add(id),
    holdsBack(entry, readyAt) {
      const { writes } = entry.transaction
      const isOpen = state.isVouchedFor(entry) || touchesAny(writes, offers.heldFrom(conversation.judge))
      if (isOpen) hold(entry, readyAt)
      return isOpen
    },
    bearsLeastMark(id, relayTime) {
      const at = remadeAt.get(id)
      // Only what is raised over what was seen lies beyond what is taken at that time.
      return at !== undefined && at <= relayTime + limits.skewMs
    },
    waitUntil: wait,
    remake(next) {
      plan = next
    },
    hasPlan: () => plan !== null && sent.length === 0,
    takePlan() {
      // W6: of what is under way the relay may say yet that it has it.
      if (sent.length > 0) return null
      const planned = plan
      plan = null
      const entry = planned === null ? undefined : state.outbox.get(planned.from)
      // What another session took out, it has made anew what stood on it.
      if (planned === null || entry === undefined) return null
      // L2: another relay has taken since what this one refused, so it stays until this one says that it holds it.
      if (planned.refused !== null && state.isVouchedFor(entry)) {
        keptBack.delete(planned.from)
        heldBack.set(planned.from, { readyAt: Number.POSITIVE_INFINITY, wasShown: false, wasHeld: false })
        queue.restart()
        return null
      }
      // Another relay may have been offered it since.
      const held = offers.heldFrom(conversation.judge)
      if (!touchesAny(entry.transaction.writes, held)) {
        if (planned.keys === null) before = { seen: state.seen, ids: idsOfOutbox() }
        // The relay has said nothing of what was not offered to it, and another one may have taken that.
        return { ...planned, held, waiting: new Set(queue.waiting) }
      }
      keptBack.delete(planned.from)
      putOff.set(planned.from, planned)
      queue.restart()
      hold(entry, null)
      return null
    },
    remade() {
      if (before === null) return
      // It stands where it stood, under another name.
      for (const { transaction, position } of state.outbox.entries())
        if (position > 0 && position <= before.seen && !before.ids.has(transaction.id))
          remadeAt.set(transaction.id, now())
      before = null
    },
  }
}
