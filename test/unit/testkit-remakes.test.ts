// What journals tell of own writes: the oracle excuses what copies of a disk made anew each for itself.
import {
  encodeValue,
  failure,
  keyOfBytes,
  nothingReplaced,
  noTexts,
  partName,
  transactionId,
  type DocumentKey,
  type Mark,
  type Transaction,
} from '@rejoin/core'
import { createRemakes } from '@rejoin/testkit'
import { expect, test } from 'vitest'
import { writerOf } from './core/edits.ts'

const key = 'notes/a' as DocumentKey

/** A write that leaves its token in the log of its document, as all that people write in simulations. */
function logged(token: string, ms: number, serial: number): Transaction {
  const mark: Mark = { ms, tick: 0, writer: writerOf('alice') }
  const value = encodeValue(token)
  const elements = new Map([[keyOfBytes(value), { value, added: mark, removed: null }]])
  const context = new Map([[mark.writer, mark]])
  const cells = new Map([[partName('set', 'log'), { strategy: 'set', elements, context } as const]])
  const delta = { cells, deletion: null, revival: null }
  return {
    id: transactionId(mark.writer, serial),
    writes: [{ mark, key, delta, texts: noTexts, replaced: nothingReplaced, whole: false }],
    seen: [],
    correction: 0,
    heard: 0,
  }
}

test('[W6] what was made anew of a document is known by its tokens, and what was in a quarantine', () => {
  const remakes = createRemakes()
  const own = [logged('w2', 20, 1), logged('w1', 10, 2), logged('w3', 30, 3)]
  const [again, once, refused] = own as [Transaction, Transaction, Transaction]
  remakes.stored('space', { kind: 'own', transactions: own })
  const timesOf = (space: string) => ['w1', 'w2', 'w3'].map(name => remakes.timesMadeAnew(space, key, name))
  expect(timesOf('space')).toEqual([0, 0, 0])
  expect(remakes.wasRefused('w3')).toBe(false)
  const quarantined = [{ id: refused.id, error: failure('refused-by-rule', { reason: 'no' }) }]
  for (const made of [[once, again], [again]]) {
    const transactions = made.map(to => ({ from: to.id, to }))
    remakes.stored('space', { kind: 'remade', seen: 1, writers: [], transactions, quarantined })
  }
  expect(timesOf('space')).toEqual([1, 2, 0])
  expect(timesOf('another')).toEqual([0, 0, 0])
  expect(['w1', 'w2', 'w3'].map(remakes.wasRefused)).toEqual([false, false, true])
})
