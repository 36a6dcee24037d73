// What of an outbox is looked at before it is offered: what came, and what had to wait; and nothing else again.
import { createOfferQueue, createOutbox, transactionId, type Look, type OutboxEntry } from '@rejoin/core'
import { expect, test } from 'vitest'
import { writerOf } from './edits.ts'

function entryOf(serial: number): OutboxEntry {
  return {
    transaction: { id: idOf(serial), writes: [], seen: [], correction: 0, heard: 0 },
    position: 1,
    acks: new Map(),
    refusedBy: new Set(),
  }
}

const idOf = (serial: number) => transactionId(writerOf('alice'), serial)

function opened(count: number) {
  const outbox = createOutbox()
  for (let serial = 1; serial <= count; serial++) outbox.put(entryOf(serial))
  const queue = createOfferQueue(outbox)
  /** The serials that are looked at, with what is said of each. */
  const walk = (look: (serial: number) => Look): readonly number[] => {
    const seen: number[] = []
    queue.walk(({ transaction: { id } }) => {
      const serial = Number(id.split('.').at(-1))
      seen.push(serial)
      return look(serial)
    })
    return seen
  }
  return { outbox, queue, walk }
}

test('[L2] what was looked at is not looked at again, what came is, and what waits each time, in order', () => {
  const { outbox, walk } = opened(4)
  expect(walk(serial => (serial % 2 === 0 ? 'later' : 'done'))).toEqual([1, 2, 3, 4])
  outbox.put(entryOf(5))
  expect(walk(serial => (serial === 2 ? 'done' : 'later'))).toEqual([2, 4, 5])
  outbox.remove(idOf(4))
  expect(walk(() => 'done')).toEqual([5])
  expect(walk(() => 'done')).toEqual([])
})

test('[L2] where one had to stop, the next one goes on, also among what waits', () => {
  const { walk } = opened(5)
  expect(walk(serial => (serial === 4 ? 'stop' : serial === 2 ? 'done' : 'later'))).toEqual([1, 2, 3, 4])
  expect(walk(serial => (serial === 1 ? 'later' : 'stop'))).toEqual([1, 3])
  expect(walk(() => 'done')).toEqual([1, 3, 4, 5])
})

test('[W6] what is made anew is looked at under its new name, and all behind it', () => {
  const { outbox, queue, walk } = opened(3)
  walk(() => 'done')
  outbox.substitute(new Map([[idOf(2), entryOf(9)]]))
  expect(walk(() => 'done')).toEqual([1, 9, 3])
  queue.restart()
  expect(walk(() => 'done')).toEqual([1, 9, 3])
})
