// What is typed comes out once for all that was typed since, and nothing comes out with it.
import { text } from '@rejoin/resolve'
import { screenUpdate } from '@rejoin/resolve/screen'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import {
  contentOf,
  createAuthor,
  createRandom,
  documentOf,
  editCharacters,
  stateOf,
  writeHistory,
} from './yjs-history.ts'

const support = text().text

test('[X5] edits of a tick are one update', () => {
  const live = support.open([], 77)
  let calls = 0
  live.onEdit(() => (calls += 1))
  live.text.insert(0, 'Hello')
  live.text.insert(5, ' world')
  live.text.delete(0, 6)
  expect(calls).toBe(1)
  const taken = live.takeEdits()
  expect(taken.length).toBe(1)
  expect(support.read(taken)).toBe('world')
  expect(live.takeEdits()).toEqual([])
  live.text.insert(0, 'a ')
  expect(calls).toBe(2)
})

test('[X5] a transaction that changes nothing is none', () => {
  const live = support.open([], 77)
  live.onEdit(() => expect.fail('called back'))
  live.document.transact(() => undefined)
  live.text.toDelta()
  expect(live.takeEdits()).toEqual([])
})

test('[X5] what is taken is what Yjs tells of each transaction, whatever came from elsewhere meanwhile', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = createRandom(seed)
    const { log } = writeHistory(random, { authors: 2, steps: 30 })
    const [body, arriving] = [log.slice(0, 10), log.slice(10)].map(half => half.map(({ update }) => update))
    const live = support.open(body ?? [], 77)
    const told: Uint8Array[] = []
    let isArriving = false
    live.document.on('update', (update: Uint8Array) => {
      if (!isArriving) told.push(update)
    })
    const taken: Uint8Array[] = []
    for (const update of arriving ?? []) {
      for (let edits = Math.floor(random() * 4); edits > 0; edits--) editCharacters(live.text, random)
      if (random() < 0.5) taken.push(...live.takeEdits())
      isArriving = true
      live.apply([update])
      isArriving = false
    }
    taken.push(...live.takeEdits())
    const known = new Map(stateOf(documentOf(log.map(({ update }) => update))))
    for (const update of taken) {
      const screened = screenUpdate(update, { client: 77, known, ownership: true })
      if (!screened.ok) expect.fail(`seed ${seed}: ${JSON.stringify(screened.error)}`)
      for (const [client, clock] of screened.value.stateVector) known.set(client, clock)
    }
    const others = log.map(({ update }) => update)
    expect(contentOf(documentOf([...others, ...taken])), `seed ${seed}`).toEqual(contentOf(live.document))
    expect(support.head([...others, ...taken]).digest).toBe(support.head([...others, ...told]).digest)
  }
})

test('[X5] what is undone and done again is taken as it is shown, several edits of one transaction too', () => {
  for (let seed = 1; seed <= 100; seed++) {
    const random = createRandom(seed)
    const { log } = writeHistory(random, { authors: 2, steps: 20 })
    const arriving = log.map(({ update }) => update)
    const live = support.open(arriving.splice(0, 10), 77)
    const undo = new Y.UndoManager(live.text, { captureTimeout: 0 })
    const taken: Uint8Array[] = []
    for (let step = 0; step < 40; step++) {
      const chosen = random()
      if (chosen < 0.25) undo.undo()
      else if (chosen < 0.4) undo.redo()
      else if (chosen < 0.6)
        live.document.transact(() => {
          for (let i = 0; i < 4; i++) editCharacters(live.text, random)
        })
      else if (chosen < 0.7) live.apply(arriving.splice(0, 1 + Math.floor(random() * 3)))
      else if (chosen < 0.8) taken.push(...live.takeEdits())
      else editCharacters(live.text, random)
    }
    live.apply(arriving)
    taken.push(...live.takeEdits())
    const others = log.map(({ update }) => update)
    expect(contentOf(documentOf([...others, ...taken])), `seed ${seed}`).toEqual(contentOf(live.document))
    expect(contentOf(documentOf([...taken.toReversed(), ...others.toReversed()])), `seed ${seed}`).toEqual(
      contentOf(live.document),
    )
  }
})

test('[X5] what an observer takes in while it is told of an edit does not go along with it', () => {
  const bob = createAuthor(88)
  bob.text.insert(0, 'bob')
  const live = support.open([], 77)
  live.text.observe(() => live.apply(bob.updates.splice(0)))
  live.text.insert(0, 'alice')
  const [taken = new Uint8Array(), ...more] = live.takeEdits()
  expect(more).toEqual([])
  expect(live.text.length).toBe(8)
  expect([...Y.parseUpdateMeta(taken).to]).toEqual([[77, 5]])
})
