// What the oracle excuses of writes that did not see each other: only what was made anew behind the other.
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

test('[W6] what one pass made anew of a document is known by its tokens, in the order of the outbox', () => {
  const remakes = createRemakes()
  const [early, late, refused] = [logged('w2', 20, 1), logged('w1', 10, 2), logged('w3', 30, 3)]
  remakes.stored('space', { kind: 'own', transactions: [early, late, refused] }, 40)
  expect(remakes.passesOf('space', key)).toEqual([])
  expect(remakes.wasRefused('w3')).toBe(false)
  const transactions = [early, late].map(to => ({ from: to.id, to }))
  const quarantined = [{ id: refused.id, error: failure('refused-by-rule', { reason: 'no' }) }]
  remakes.stored('space', { kind: 'remade', seen: 1, writers: [], transactions, quarantined }, 50)
  expect(remakes.passesOf('space', key)).toEqual([{ at: 50, names: ['w2', 'w1'] }])
  expect(remakes.passesOf('another', key)).toEqual([])
  expect(['w1', 'w2', 'w3'].map(remakes.wasRefused)).toEqual([false, false, true])
})
