/**
 * The quarantine: transactions that were refused, kept whole with the reason until a person or the application
 * decides (SPEC Q3). Nothing leaves it by itself.
 */
import {
  collectionOfKey,
  fieldOfPart,
  nothingCounted,
  RejoinError,
  type Failure,
  type QuarantinedTransaction,
  type TransactionId,
  type Write,
} from '@rejoin/core'
import type { Changes } from './changes.ts'
import type { Collection, Collections } from './collection.ts'
import type { Drafts } from './drafts.ts'
import { unsupported } from './field-errors.ts'
import { createLive, type Live } from './live.ts'
import { describeTransaction } from './quarantined-write.ts'
import type { ReplicaCore } from './replica-core.ts'
import { freezeValue } from './shown-value.ts'
import { sendWriteAgain } from './send-again.ts'
import type { Texts } from './texts.ts'
import type { Reachable } from './write-handle.ts'

export interface QuarantinedWrite {
  readonly collection: string
  readonly id: string
  readonly kind: 'insert' | 'update' | 'delete' | 'undelete'
  /** What it wrote, by field, as readers would see it; of a text what it typed is in `texts`. */
  readonly values: Readonly<Record<string, unknown>>
  /** Fields whose text it changed. */
  readonly texts: readonly string[]
}

export interface QuarantinedItem {
  readonly id: TransactionId
  /** Decide by its code. */
  readonly error: Failure
  /** The same in a sentence, for people who look for the cause. */
  readonly why: string
  readonly writes: readonly QuarantinedWrite[]
  /** When it was made, in milliseconds since the epoch. */
  readonly at: number
}

/** Refused transactions, oldest first. */
export interface Quarantine extends Live<readonly QuarantinedItem[]> {
  /** Throws it away for good; on disk when it resolves. An id that is not here (any more) is no error. */
  discard(id: TransactionId): Promise<void>
  /**
   * Writes the same content anew, over what is seen now, and takes the old one out. Null if it is not here (any more).
   * Rejects with `document-unknown` if what it changed does not exist here, `limit-exceeded` if there is no room for it
   * any more; then nothing was written. Rejects with `built-on-refused` if what it typed stands on what nobody has any
   * more; then it stays, and nothing was written either.
   * Rejects with `value-unsupported` inside a transaction, and for a collection or a text that is not declared (any more).
   */
  sendAgain(id: TransactionId): Promise<Reachable | null>
}

/** What the quarantine needs. */
export interface QuarantineContext {
  readonly core: ReplicaCore
  readonly collections: Collections
  readonly drafts: Drafts
  readonly changes: Changes
  readonly texts: Texts
}

export function createQuarantine({
  core,
  collections,
  drafts,
  changes,
  texts,
}: QuarantineContext): Quarantine {
  const { state } = core
  const described = new WeakMap<QuarantinedTransaction, QuarantinedItem>()
  /** What is written again and not settled yet, be it under way or for want of room: it is not written twice. */
  const sent = new Map<TransactionId, Promise<Reachable>>()

  /** The last that is under way. */
  let last: Promise<unknown> | null = null

  function describe(held: QuarantinedTransaction): QuarantinedItem {
    const item = described.get(held) ?? describeTransaction(held, collections)
    freezeValue(item)
    described.set(held, item)
    return item
  }

  const live = createLive<readonly QuarantinedItem[]>(changes, {
    read(previous) {
      const items = [...state.quarantine.values()].map(describe)
      const same = items.length === previous?.length && items.every((item, i) => item === previous[i])
      return same ? previous : Object.freeze(items)
    },
  })

  function collectionOf(write: Write): Collection {
    const name = collectionOfKey(write.key)
    const found = Object.values(collections).find(collection => collection.name === name)
    if (found === undefined) throw unsupported(name, 'the replica was not opened with this collection')
    return found
  }

  /** Whole or not at all: what was typed in it can be typed again, or nothing is written. */
  async function writeAgain({ transaction }: QuarantinedTransaction): Promise<Reachable> {
    const typed = transaction.writes.flatMap(write =>
      [...write.texts].map(([part, updates]) => {
        const collection = collectionOf(write)
        if (!collection.parts.some(declared => declared.part === part && declared.field.text !== undefined))
          throw unsupported(fieldOfPart(part), `${collection.name} has no such text (any more)`)
        return texts.checkRetype(collection, write.key, part, updates)
      }),
    )
    if (typed.length > 0) await Promise.all(typed)
    const { reached } = drafts.transact(draft => {
      for (const [i, write] of transaction.writes.entries()) {
        const collection = collectionOf(write)
        const counted = transaction.seen[i]?.counted ?? nothingCounted
        for (const { part, updates } of sendWriteAgain(draft, collection, write, counted)) {
          draft.afterwards(() => texts.retype(collection, write.key, part, updates))
        }
      }
    })
    return { reached }
  }

  /** One after the other, since one may stand on what another one brings back. */
  function sendInTurn(held: QuarantinedTransaction): Promise<Reachable> {
    const sending = last === null ? writeAgain(held) : last.then(() => writeAgain(held))
    const done = sending
      .catch(() => undefined)
      .then(() => {
        if (last === done) last = null
      })
    last = done
    return sending
  }

  return {
    ...live,
    async discard(id) {
      if (state.quarantine.has(id)) await core.settleQuarantined([id])
    },
    async sendAgain(id) {
      const held = state.quarantine.get(id)
      if (held === undefined) return null
      if (drafts.isOpen())
        throw unsupported('sendAgain', 'it is a transaction of its own, not a part of another one')
      const sending = sent.get(id) ?? sendInTurn(held)
      sent.set(id, sending)
      // Sent first and settled then: if the page goes in between, it is listed once more, and not lost.
      const again = await sending.then(storeAgain).catch((error: unknown) => {
        sent.delete(id)
        throw error
      })
      await core.settleQuarantined([id])
      sent.delete(id)
      return again
    },
  }
}

async function storeAgain(again: Reachable): Promise<Reachable> {
  await again.reached('local').catch((error: unknown) => {
    if (!isWithoutDisk(error)) throw error
  })
  return again
}

/** Without a disk there is nothing to wait for: the page takes both, or none. */
function isWithoutDisk(error: unknown): boolean {
  return error instanceof RejoinError && error.code === 'ack-unavailable'
}
