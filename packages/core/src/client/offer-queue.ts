/**
 * What of the outbox is still to be looked at before it is offered to one relay: what came since the last look, and what had
 * to wait then. An outbox may hold the writes of months, and each event looks at it.
 */
import type { Outbox, OutboxEntry } from '../outbox.ts'
import type { TransactionId } from '../write.ts'

/** `done`: not to be looked at again; `later`: at each look, until it is done; `stop`: not any more in this one. */
export type Look = 'done' | 'later' | 'stop'

export interface OfferQueue {
  /** Looks at entries in the order of the outbox. */
  walk(look: (entry: OutboxEntry) => Look): void
  /** All of it is to be looked at anew. */
  restart(): void
  /** What had to wait at the last look. */
  readonly waiting: readonly TransactionId[]
  /** How often all of it was to be looked at anew; else nothing that is done is looked at again. */
  readonly restarts: number
}

export function createOfferQueue(outbox: Outbox): OfferQueue {
  let { epoch } = outbox.line
  let place = 0

  function restart(): void {
    ;({ epoch } = outbox.line)
    place = 0
    queue.waiting = []
    queue.restarts += 1
  }

  const queue = {
    waiting: [] as readonly TransactionId[],
    restarts: 0,
    walk(look: (entry: OutboxEntry) => Look) {
      if (epoch !== outbox.line.epoch) restart()
      const before = queue.waiting
      const still: TransactionId[] = []
      queue.waiting = still
      for (const [i, id] of before.entries()) {
        const entry = outbox.get(id)
        const told = entry === undefined ? 'done' : look(entry)
        if (told === 'later') still.push(id)
        if (told !== 'stop') continue
        queue.waiting = still.concat(before.slice(i))
        return
      }
      const { line } = outbox
      for (; place < line.end; place++) {
        const id = line.at(place)
        const entry = id === null ? undefined : outbox.get(id)
        const told = entry === undefined ? 'done' : look(entry)
        if (told === 'stop') return
        if (told === 'later' && id !== null) still.push(id)
      }
    },
    restart,
  }
  return queue
}
