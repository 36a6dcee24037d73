/**
 * W6: what this relay refused while another one may have taken it. It is neither offered here again nor made anew until
 * that is known: until this relay tells that it holds it, or nobody else may have it any more.
 */
import type { OutboxEntry } from '../outbox.ts'
import { showsDelta, type DocumentKey } from '../row.ts'
import { touchesAny, type TransactionId } from '../write.ts'
import type { Conversation } from './conversation.ts'
import { isHeldByRelay, type Pull } from './pull.ts'

export interface HeldBack {
  /** Keeps it back; where the clock was wrong, no longer than that takes. */
  hold(entry: OutboxEntry, readyAt: number | null): void
  /** L2: another relay has it: keeps it back until this one tells that it holds it. */
  holdTaken(id: TransactionId): void
  /** Whether it is kept back yet. `held`: documents of what other relays may have. */
  isWaiting(entry: OutboxEntry, held: () => ReadonlySet<DocumentKey>): boolean
  /** Whether the confirmed layer shows it. */
  isShown(entry: OutboxEntry): boolean
}

/** Why a transaction is kept back although nobody has decided about it. */
interface Reason {
  /** When the relay's clock has caught up with it. */
  readonly readyAt: number
  /** Whether the confirmed layer showed it already when the relay refused it, and whether the relay held it. */
  readonly wasShown: boolean
  readonly wasHeld: boolean
}

export function createHeldBack({ state, now }: Conversation, pull: Pull): HeldBack {
  const reasons = new Map<TransactionId, Reason>()

  function isShown({ transaction }: OutboxEntry): boolean {
    return transaction.writes.every(({ key, delta }) => showsDelta(state.confirmed(key), delta))
  }

  /** Whether the relay tells that it holds what another one has acknowledged: then it takes the write (SPEC A4). */
  function isHeldHere({ acks }: OutboxEntry): boolean {
    return [...acks.values()].some(ack => isHeldByRelay(pull, ack))
  }

  return {
    hold(entry, readyAt) {
      reasons.set(entry.transaction.id, {
        readyAt: readyAt ?? Number.POSITIVE_INFINITY,
        wasShown: isShown(entry),
        wasHeld: isHeldHere(entry),
      })
    },
    holdTaken(id) {
      reasons.set(id, { readyAt: Number.POSITIVE_INFINITY, wasShown: false, wasHeld: false })
    },
    isWaiting(entry, held) {
      const { id, writes } = entry.transaction
      const reason = reasons.get(id)
      if (reason === undefined) return false
      const isKnown = state.isVouchedFor(entry)
        ? !reason.wasHeld && isHeldHere(entry)
        : !touchesAny(writes, held()) || (!reason.wasShown && isShown(entry))
      if (!isKnown && now() < reason.readyAt) return true
      reasons.delete(id)
      return false
    },
    isShown,
  }
}
