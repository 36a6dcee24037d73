import { differenceOfBody, headOfBody, mergeBody } from '@rejoin/resolve/screen'
import { text } from '@rejoin/resolve'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import {
  byNumber,
  contentOf,
  createAuthor,
  createRandom,
  documentOf,
  pick,
  stateOf,
  writeHistory,
} from './yjs-history.ts'

function shuffled<Value>(values: readonly Value[], random: () => number): Value[] {
  return values
    .map(value => ({ value, order: random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ value }) => value)
}

test('[X3] a head has the state vector of a real Y.Doc, and a digest that equal texts share', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = createRandom(seed)
    const updates = writeHistory(random, { authors: 3, steps: 40 }).log.map(entry => entry.update)
    const document = documentOf(updates)
    const head = headOfBody(updates)
    expect(byNumber(head.stateVector)).toEqual(byNumber(stateOf(document)))
    expect(head.bytes).toBe(updates.reduce((sum, update) => sum + update.length, 0))
    const forms = [
      [mergeBody(updates)],
      [Y.mergeUpdates(updates)],
      [Y.encodeStateAsUpdate(document)],
      shuffled(updates, random),
      [...updates, ...updates.slice(3)],
    ]
    for (const form of forms) expect(headOfBody(form).digest, `seed ${seed}`).toBe(head.digest)
    expect(text().text.head(updates)).toEqual(head)
  }
})

test('[X3] deletes alone change the digest', () => {
  const author = createAuthor(4)
  author.text.insert(0, 'abc')
  const before = headOfBody(author.updates)
  author.text.delete(1, 1)
  const after = headOfBody(author.updates)
  expect(after.stateVector).toEqual(before.stateVector)
  expect(after.digest).not.toBe(before.digest)
})

test('[X1] merging on the wire form makes what a real Y.Doc makes of the updates', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = createRandom(seed)
    const { log } = writeHistory(random, { authors: 3, steps: 40 })
    const updates = log.map(entry => entry.update)
    const document = documentOf(updates)
    const merged = documentOf([mergeBody(shuffled([...updates, ...updates.slice(5)], random))])
    expect(contentOf(merged), `seed ${seed}`).toEqual(contentOf(document))
    expect(byNumber(stateOf(merged))).toEqual(byNumber(stateOf(document)))
    expect(merged.store.pendingStructs).toBeNull()
    const sameDeletes = Y.equalDeleteSets(
      Y.createDeleteSetFromStructStore(merged.store),
      Y.createDeleteSetFromStructStore(document.store),
    )
    expect(sameDeletes).toBe(true)
  }
})

test('[X6] a difference brings a text that has its state vector to the whole', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = createRandom(seed)
    const updates = writeHistory(random, { authors: 3, steps: 40 }).log.map(entry => entry.update)
    const held = updates.slice(0, Math.floor(random() * updates.length))
    const document = documentOf(held)
    const body = pick(random, [updates, [mergeBody(updates)], [Y.encodeStateAsUpdate(documentOf(updates))]])
    const difference = differenceOfBody(body, stateOf(document))
    Y.applyUpdate(document, difference)
    expect(document.store.pendingStructs).toBeNull()
    expect(headOfBody([...held, difference]).digest, `seed ${seed}`).toBe(headOfBody(updates).digest)
    expect(contentOf(document), `seed ${seed}`).toEqual(contentOf(documentOf(updates)))
    expect(difference.length).toBeLessThanOrEqual(
      Y.encodeStateAsUpdate(documentOf(updates), Y.encodeStateVector(documentOf(held))).length,
    )
  }
})

test('[X6] a difference of nothing and a body of nothing are the empty update', () => {
  expect([...mergeBody([])]).toEqual([0, 0])
  expect([...differenceOfBody([], new Map())]).toEqual([0, 0])
  expect(headOfBody([]).stateVector.size).toBe(0)
})

test('[X6] updates with a gap between them are not merged into one', () => {
  const author = createAuthor(4)
  for (const word of ['a', 'b', 'c']) author.text.insert(0, word)
  const [first = new Uint8Array(), , third = new Uint8Array()] = author.updates
  expect(() => mergeBody([first, third])).toThrow(expect.objectContaining({ code: 'text-gap' }))
})

test('[X1] a stored text that cannot be read is an error with a code', () => {
  expect(() => headOfBody([Uint8Array.of(9, 9, 9)])).toThrow(
    expect.objectContaining({ code: 'text-invalid' }),
  )
})
