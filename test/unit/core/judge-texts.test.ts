// Judging what is typed (SPEC X3, X5, X7).
import { limits, partName, writerFromBytes, yjsClientOf } from '@rejoin/core'
import { expect, test } from 'vitest'
import { body, markOf, writerOf } from './edits.ts'
import {
  now,
  note,
  insert,
  relayWith,
  rowOf,
  submits,
  judges,
  codeOf,
  typistOf,
  typing,
} from './judge-scene.ts'

test('[X5] what a writer types is taken, and the state of the body moves with it', () => {
  const relay = relayWith([insert, markOf('bob', now - 9)])
  const judgement = judges(relay, typing(typistOf(writerOf('alice')).types('hello'), markOf('alice', now)))
  const taken = judgement.kind === 'taken' ? new Map(judgement.rows).get(note) : undefined
  expect(taken?.texts.get(body)?.stateVector).toEqual(new Map([[yjsClientOf(writerOf('alice')), 5]]))
  expect(taken?.updates.length).toBe(1)
})

test('[X5] what was typed behind something that never came is text-gap', () => {
  const alice = typistOf(writerOf('alice'))
  alice.types('lost')
  const relay = relayWith([insert, markOf('bob', now - 9)])
  expect(judges(relay, typing(alice.types('!'), markOf('alice', now)))).toMatchObject({
    error: { code: 'text-gap', details: { have: 0, from: 4 } },
  })
})

test('[F4] the texts of a row take so many clients together', () => {
  const relay = relayWith([insert, markOf('bob', now - 9)])
  const typed = typing(typistOf(writerOf('alice')).types('hello'), markOf('alice', now))
  const many = new Map(Array.from({ length: limits.textClientsMax }, (_, client) => [client, 1]))
  const others = new Map([[partName('text', 'other'), { stateVector: many, bytes: 9 }]])
  relay.rows.set(note, { row: rowOf(relay), texts: others })
  expect(judges(relay, typed)).toMatchObject({ error: { details: { limit: limits.textClientsMax } } })
  many.delete(0)
  expect(codeOf(judges(relay, typed))).toBe('taken')
})

test('[X5] text under the client of another writer is text-not-owned', () => {
  const relay = relayWith([insert, markOf('bob', now - 9)])
  const update = typistOf(writerOf('bob')).types('as bob')
  expect(codeOf(judges(relay, typing(update, markOf('alice', now))))).toBe('text-not-owned')
})

test('[X5] bytes that are no update are text-invalid, and so are updates without a cell', () => {
  const relay = relayWith([insert, markOf('bob', now - 9)])
  expect(codeOf(judges(relay, typing(new Uint8Array([1, 2, 3]), markOf('alice', now))))).toBe('text-invalid')
  const update = typistOf(writerOf('alice')).types('hello')
  const stray = typing(update, markOf('alice', now), partName('text', 'other'))
  expect(codeOf(judges(relay, stray))).toBe('text-invalid')
})

test('[X7] a writer whose client another writer of that text has is client-id-taken', () => {
  const twin = writerFromBytes(new Uint8Array([1, 2, 3, 4, ...writerBytesLow()]))
  const relay = relayWith(
    [insert, markOf('bob', now - 9)],
    [{ kind: 'type' }, { ms: now - 5, tick: 0, writer: twin }],
  )
  const update = typistOf(writerOf('alice')).types('hello')
  expect(codeOf(judges(relay, typing(update, markOf('alice', now))))).toBe('client-id-taken')
})

function writerBytesLow(): Uint8Array {
  const low = new Uint8Array(4)
  new DataView(low.buffer).setUint32(0, yjsClientOf(writerOf('alice')))
  return low
}

// ---------------------------------------------------------------- T2

test('[X3] the cell of a text is not taken without what was typed', () => {
  const relay = relayWith([insert, markOf('bob', now - 9)])
  expect(codeOf(submits(relay, { kind: 'type' }, markOf('alice', now)))).toBe('text-invalid')
})
