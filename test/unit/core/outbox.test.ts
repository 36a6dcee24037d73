// The outbox: own transactions in their order, found by document, against a list that is searched.
import {
  createOutbox,
  documentKey,
  emptyRow,
  madeAt,
  noTexts,
  nothingCounted,
  nothingReplaced,
  transactionId,
} from '@rejoin/core'
import type { DocumentKey, GenerationId, Outbox, OutboxEntry, StoreId, TransactionId } from '@rejoin/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { markOf, writerOf } from './edits.ts'

const keys: readonly DocumentKey[] = ['a', 'b', 'c'].map(id => documentKey('notes', id))

function idOf(serial: number): TransactionId {
  return transactionId(writerOf('alice'), serial)
}

function entryOf(serial: number, touches: readonly number[], position = 1): OutboxEntry {
  const writes = touches.map(at => ({
    mark: markOf('alice', serial, at),
    key: keys[at % keys.length] as DocumentKey,
    delta: emptyRow,
    texts: noTexts,
    replaced: nothingReplaced,
    whole: false,
  }))
  const seen = writes.map(() => ({ exists: true, last: null, counted: nothingCounted }))
  return {
    transaction: { id: idOf(serial), writes, seen, correction: 0, heard: 0 },
    position,
    acks: new Map(),
    refusedBy: new Set(),
  }
}

const acknowledgedBy: OutboxEntry['acks'] = new Map([
  ['relay' as StoreId, { generation: 'one' as GenerationId, position: 1 }],
])

/** What comes to the disk stands behind what is there, but before what its writer made later. */
function arrive(list: readonly OutboxEntry[], entry: OutboxEntry): OutboxEntry[] {
  const others = inOrder(list.filter(({ transaction }) => transaction.id !== entry.transaction.id))
  const serialOf = ({ transaction: { id } }: OutboxEntry): number => Number(id.split('.')[1])
  const at = others.findIndex(other => other.position === 0 || serialOf(other) > serialOf(entry))
  return at < 0 ? [...others, entry] : others.toSpliced(at, 0, entry)
}

/** What is not on disk yet stands last. */
function inOrder(list: readonly OutboxEntry[]): OutboxEntry[] {
  return [...list.filter(({ position }) => position > 0), ...list.filter(({ position }) => position === 0)]
}

/**
 * Goes on where it was after each step: what came to the disk since, and after places were given anew all, is met in its
 * order.
 */
function createWalk(outbox: Outbox): (list: readonly OutboxEntry[]) => void {
  let { epoch } = outbox.line
  let place = 0
  let met: TransactionId[] = []
  return list => {
    if (epoch !== outbox.line.epoch) {
      ;({ epoch } = outbox.line)
      place = 0
      met = []
    }
    for (; place < outbox.line.end; place++) {
      const id = outbox.line.at(place)
      if (id !== null) met.push(id)
    }
    const onDisk = list.filter(({ position }) => position > 0).map(({ transaction }) => transaction.id)
    const here = new Set(onDisk)
    expect(met.filter(id => here.has(id))).toEqual(onDisk)
  }
}

const touches = fc.array(fc.nat({ max: 2 }), { minLength: 1, maxLength: 3 })
const step = fc.oneof(
  fc.record({ kind: fc.constant('put' as const), touches }),
  fc.record({ kind: fc.constant('acknowledge' as const), at: fc.nat({ max: 9 }) }),
  fc.record({ kind: fc.constant('store' as const), at: fc.nat({ max: 9 }) }),
  fc.record({ kind: fc.constant('remove' as const), at: fc.nat({ max: 9 }) }),
  fc.record({
    kind: fc.constant('substitute' as const),
    by: fc.array(fc.tuple(fc.nat({ max: 9 }), fc.option(touches)), { maxLength: 3 }),
  }),
)

test('[L1] entries keep their order and are found by document, whatever was put, replaced and taken out', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25, size: 'max' }), steps => {
      const outbox = createOutbox()
      let list: OutboxEntry[] = []
      let serial = 0
      const walk = createWalk(outbox)
      for (const one of steps) {
        if (one.kind === 'put') {
          const entry = entryOf(++serial, one.touches, serial % 2)
          outbox.put(entry)
          list.push(entry)
        } else if (one.kind === 'substitute') {
          const changes = new Map<TransactionId, OutboxEntry | null>()
          for (const [at, by] of one.by) {
            const old = list[at % (list.length || 1)]
            if (old !== undefined) changes.set(old.transaction.id, by === null ? null : entryOf(++serial, by))
          }
          outbox.substitute(changes)
          list = list.flatMap(entry => {
            const change = changes.get(entry.transaction.id)
            return change === undefined ? [entry] : change === null ? [] : [change]
          })
        } else {
          const old = list[one.at % (list.length || 1)]
          if (old === undefined) continue
          if (one.kind === 'store') {
            if (old.position > 0) continue
            outbox.move(old.transaction.id, 7)
            list = arrive(list, { ...old, position: 7 })
          } else if (one.kind === 'remove') {
            outbox.remove(old.transaction.id)
            list = list.filter(entry => entry !== old)
          } else {
            const acks = old.acks.size > 0 ? new Map() : acknowledgedBy
            const again = { ...old, position: old.position + 1, acks }
            outbox.put(again)
            list =
              old.position === 0 ? arrive(list, again) : list.map(entry => (entry === old ? again : entry))
          }
        }
        list = inOrder(list)
        expect([...outbox.entries()]).toEqual(list)
        expect(outbox.size).toBe(list.length)
        walk(list)
        for (const asked of [list, list.toReversed()]) {
          const entryFor = outbox.inOrder()
          expect(entryFor(idOf(0))).toBeUndefined()
          expect(asked.map(({ transaction }) => entryFor(transaction.id))).toEqual(asked)
        }
        const { unstored, acknowledged } = outbox.counts
        const waiting = list.filter(({ acks }) => acks.size === 0)
        expect(unstored).toBe(list.filter(({ position }) => position === 0).length)
        expect(new Set(acknowledged.values())).toEqual(new Set(list.filter(({ acks }) => acks.size > 0)))
        expect(outbox.counts.oldestUnacknowledgedAt()).toBe(Math.min(Infinity, ...waiting.map(madeAt)))
        for (const key of keys) {
          const touching = list.filter(({ transaction }) =>
            transaction.writes.some(write => write.key === key),
          )
          expect(outbox.touches(key)).toBe(touching.length > 0)
          expect([...outbox.idsOf(key)].sort()).toEqual(
            touching.map(({ transaction }) => transaction.id).sort(),
          )
          expect(outbox.writesOf(key).length).toBe(
            touching.flatMap(({ transaction }) => transaction.writes.filter(write => write.key === key))
              .length,
          )
        }
      }
    }),
    { numRuns: 200 },
  )
})

test('[L1] what leaves all at once leaves nothing behind, neither of documents nor in what is counted', () => {
  const outbox = createOutbox()
  const entries = [entryOf(1, [0, 1]), { ...entryOf(2, [1]), acks: acknowledgedBy }, entryOf(3, [0], 0)]
  for (const entry of entries) outbox.put(entry)
  const { counts } = outbox
  expect(counts.acknowledgedBy('relay' as StoreId)).toBe(1)
  const untouched: DocumentKey[] = []
  outbox.removeAll(entries, key => untouched.push(key))
  expect(untouched.sort()).toEqual(keys.slice(0, 2))
  expect([...outbox.entries()]).toEqual([])
  expect([counts.unstored, counts.acknowledged.size, counts.short().size]).toEqual([0, 0, 0])
  expect(counts.acknowledgedBy('relay' as StoreId)).toBe(0)
  expect(counts.oldestUnacknowledgedAt()).toBe(Infinity)
})

test('[L1] what is stored later than what its writer made after it is offered before that', () => {
  const outbox = createOutbox()
  for (const serial of [2, 3]) outbox.put(entryOf(serial, [0]))
  const walk = createWalk(outbox)
  walk([...outbox.entries()])
  outbox.put(entryOf(1, [0], 0))
  outbox.move(idOf(1), 9)
  expect([...outbox.entries()].map(({ transaction }) => transaction.id)).toEqual([1, 2, 3].map(idOf))
  expect(outbox.isFirstOf(keys[0] as DocumentKey, idOf(1))).toBe(true)
  walk([...outbox.entries()])
})

test('[L3] taking out what is not there changes nothing', () => {
  const outbox = createOutbox()
  const entry = entryOf(1, [0])
  outbox.put(entry)
  outbox.remove(idOf(2))
  outbox.substitute(new Map([[idOf(3), null]]))
  expect([...outbox.entries()]).toEqual([entry])
  expect(outbox.get(idOf(1))).toBe(entry)
})

test('[L1] who walks the outbox goes on where it was, also when most of it has left', () => {
  const outbox = createOutbox()
  for (let serial = 1; serial <= 3000; serial++) outbox.put(entryOf(serial, [0]))
  const { epoch } = outbox.line
  const { end } = outbox.line
  outbox.put(entryOf(3001, [1]))
  expect(idsFrom(outbox, end)).toEqual([idOf(3001)])
  for (let serial = 1; serial <= 2900; serial++) outbox.remove(idOf(serial))
  expect(outbox.line.epoch).toBeGreaterThan(epoch)
  expect(idsFrom(outbox, 0)).toEqual([...outbox.entries()].map(({ transaction }) => transaction.id))
  expect(outbox.line.end).toBeLessThan(1200)
})

/** Those at a place of the line and behind it. */
function idsFrom({ line }: Outbox, place: number): readonly TransactionId[] {
  const ids: TransactionId[] = []
  for (let at = place; at < line.end; at++) {
    const id = line.at(at)
    if (id !== null) ids.push(id)
  }
  return ids
}
