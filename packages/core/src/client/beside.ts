/**
 * What the sessions of one replica share when it speaks with several relays at once.
 *
 * They store in turn, since each decides over a state that is stored. And none makes anew what another relay may have
 * taken without having said so (SPEC W6): what went to it and was not judged, in this opening of the connection or in an
 * earlier one, of which only the outbox tells. The mark of such a write is perhaps in use, so it stays as it is until
 * that relay has judged it; and with it whatever touches its documents.
 */
import type { StoreId } from '../generations.ts'
import type { OutboxEntry } from '../outbox.ts'
import { isOrphan } from '../remake/plan.ts'
import type { ReplicaState } from '../replica/replica.ts'
import type { DocumentKey } from '../row.ts'
import { touchesAny, type TransactionId } from '../write.ts'
import type { ToldElsewhere } from './told-elsewhere.ts'

export interface Beside {
  /** Whether no other session has begun: a replica that holds nothing is new to one relay at a time (SPEC P4). */
  readonly isFirst: boolean
  /** Whether no chunk of another session is on its way. If one is, the session is told when it may go on. */
  mayStore(isUrgent: boolean): boolean
  readonly offers: Offers
  readonly elsewhere: ToldElsewhere
}

export interface Offers {
  /** It goes to this relay. */
  offered(store: StoreId, id: TransactionId): void
  /** The relay did not judge it. */
  skipped(store: StoreId, id: TransactionId): void
  /** The relay has it, and the state says so. */
  taken(store: StoreId, id: TransactionId): void
  /** The relay has not taken it, nor what touches its documents behind it: that was never offered without it. */
  refused(store: StoreId, entry: OutboxEntry): void
  /** Whether a relay other than this one may have taken it without having said so. */
  mayHave(entry: OutboxEntry, but: StoreId): boolean
  /** Documents that such writes touch, and those of writes that touch these. */
  heldFrom(store: StoreId): ReadonlySet<DocumentKey>
}

/** Of a session that has nobody beside it. */
export const alone: Beside = {
  isFirst: true,
  mayStore: () => true,
  offers: {
    offered: () => {},
    skipped: () => {},
    taken: () => {},
    refused: () => {},
    mayHave: () => false,
    heldFrom: () => new Set(),
  },
  elsewhere: {
    tell: () => {},
    holds: () => {},
    lacks: () => false,
    given: () => {},
    isEmpty: true,
    withoutTold: (_, positions) => positions,
    settle: () => {},
    end: () => {},
  },
}

/** To be made when the connection is opened. What a relay took that is none of this replica's any more is not waited for. */
export function createOffers(state: ReplicaState): Offers {
  /** How often each was offered to a relay that did not judge it. */
  const open = new Map<StoreId, Map<TransactionId, number>>()
  /** What earlier openings may have offered to relays that they met, and those that have judged it since. */
  const old = new Map<TransactionId, Set<StoreId>>()
  // Which relay it is, is noted before anything is offered to it; a cursor may come later.
  const met = new Set([...state.cursors.keys(), ...state.met.values()])
  /** Documents of what is to be made anew before it can be offered: nothing behind it was. */
  const blocked = new Set<DocumentKey>()
  for (const entry of state.outbox.entries()) {
    const { id, writes } = entry.transaction
    if (isOrphan(state, entry) || touchesAny(writes, blocked)) for (const { key } of writes) blocked.add(key)
    else if (entry.position > 0) old.set(id, new Set())
  }

  function openOf(store: StoreId): Map<TransactionId, number> {
    let found = open.get(store)
    if (found === undefined) open.set(store, (found = new Map()))
    return found
  }

  function change(store: StoreId, id: TransactionId, by: number): void {
    const ofStore = openOf(store)
    const count = (ofStore.get(id) ?? 0) + by
    if (count > 0) ofStore.set(id, count)
    else ofStore.delete(id)
  }

  function settle(store: StoreId, id: TransactionId): void {
    openOf(store).delete(id)
    old.get(id)?.add(store)
  }

  function mayHave({ transaction: { id } }: OutboxEntry, but: StoreId): boolean {
    for (const [store, ids] of open) if (store !== but && ids.has(id)) return true
    const judges = old.get(id)
    return (
      judges !== undefined &&
      [...met].some(store => store !== but && !judges.has(store) && state.isListed(store))
    )
  }

  return {
    offered: (store, id) => change(store, id, 1),
    skipped: (store, id) => change(store, id, -1),
    taken: settle,
    refused(store, refused) {
      // What another relay has holds nothing back, so what touches its documents may have been offered without it.
      if (state.isVouchedFor(refused)) return
      const { transaction } = refused
      const keys = new Set(transaction.writes.map(({ key }) => key))
      let isBehind = false
      for (const entry of state.outbox.entries()) {
        const { id, writes } = entry.transaction
        isBehind ||= id === transaction.id
        if (!isBehind || state.isVouchedFor(entry) || !touchesAny(writes, keys)) continue
        settle(store, id)
        for (const { key } of writes) keys.add(key)
      }
    },
    mayHave,
    heldFrom(but) {
      const held = new Set<DocumentKey>()
      let size = -1
      while (size < held.size) {
        size = held.size
        for (const entry of state.outbox.entries()) {
          const { writes } = entry.transaction
          if (state.isVouchedFor(entry)) continue
          if (!mayHave(entry, but) && !touchesAny(writes, held)) continue
          for (const { key } of writes) held.add(key)
        }
      }
      return held
    },
  }
}
