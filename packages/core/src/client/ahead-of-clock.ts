/**
 * C4: what is beyond the relay's time although it was made anew for its clock. Such a write bears the least mark that it
 * can, since it stands on what is beyond that time too; so it waits until the relay has this, or its clock has come so far.
 */
import { limits } from '../limits.ts'
import type { OutboxEntry } from '../outbox.ts'
import type { TransactionId } from '../write.ts'
import type { Conversation } from './conversation.ts'
import type { Giving } from './giving.ts'

export interface AheadOfClock {
  wait(entry: OutboxEntry, readyAt: number): void
  /** Whether it is to wait. Once in a while what it stands on is given first: the relay may have heard of it from another one. */
  isWaiting(entry: OutboxEntry): boolean
  /** The outbox is going to be made anew for the clock. */
  remaking(): void
  /** What was to be made anew is. */
  remade(): void
  /** Whether its mark has no lesser one, since it was made anew for a clock that has not gone back since. */
  bearsLeastMark(id: TransactionId, relayTime: number): boolean
}

/** A relay that had not heard of what a write stands on may have by then. */
const askAgainMs = 10_000

export function createAheadOfClock({ state, now }: Conversation, giving: Giving): AheadOfClock {
  /** What waits for the relay's clock, and whether what it stands on was given once more. */
  const waiting = new Map<TransactionId, { readonly readyAt: number; readonly isGiven: boolean }>()
  /** What the outbox held when it was to be made anew for the clock. */
  let before: { readonly seen: number; readonly ids: ReadonlySet<TransactionId> } | null = null
  /** What was made anew for the clock, and when it was by that. */
  const remadeAt = new Map<TransactionId, number>()

  function wait({ transaction }: OutboxEntry, readyAt: number): void {
    waiting.set(transaction.id, { readyAt: Math.min(readyAt, now() + askAgainMs), isGiven: false })
  }

  return {
    wait,
    isWaiting(entry) {
      // As nearly always, also where thousands are offered.
      if (waiting.size + giving.refused.size === 0) return false
      const { id, writes } = entry.transaction
      const waits = waiting.get(id)
      if (waits === undefined || (waits.isGiven && giving.isDone())) {
        waiting.delete(id)
        const isRefused = writes.some(({ key }) => giving.refused.get(key)?.code === 'clock-skew')
        if (isRefused && entry.acks.size === 0) wait(entry, Number.POSITIVE_INFINITY)
      } else if (!waits.isGiven && now() >= waits.readyAt) {
        waiting.set(id, { ...waits, isGiven: true })
        giving.give(writes.map(({ key }) => key))
      }
      return waiting.has(id)
    },
    remaking() {
      const ids = new Set([...state.outbox.entries()].map(({ transaction }) => transaction.id))
      before = { seen: state.seen, ids }
    },
    remade() {
      if (before === null) return
      // It stands where it stood, under another name.
      for (const { transaction, position } of state.outbox.entries())
        if (position > 0 && position <= before.seen && !before.ids.has(transaction.id))
          remadeAt.set(transaction.id, now())
      before = null
    },
    bearsLeastMark(id, relayTime) {
      const at = remadeAt.get(id)
      // Only what is raised over what was seen lies beyond what is taken at that time.
      return at !== undefined && at <= relayTime + limits.skewMs
    },
  }
}
