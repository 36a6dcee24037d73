// Compaction against real documents: what it makes of updates must be what a Y.Doc makes of them, and no longer.
import { limits } from '@rejoin/core'
import { headOfBody, mergeBody, mergingBody, screenUpdate, splitUpdate } from '@rejoin/resolve/screen'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { readEditingTrace, readPatches, type Patch } from '../../chaos/harness/editing-trace.ts'
import {
  byNumber,
  contentOf,
  createAuthor,
  createRandom,
  documentOf,
  stateOf,
  writeHistory,
  type Author,
} from './yjs-history.ts'

const arbitraryHistory = fc.record({
  seed: fc.integer({ min: 1, max: 2 ** 31 }),
  authors: fc.integer({ min: 1, max: 5 }),
  steps: fc.integer({ min: 1, max: 80 }),
})

function updatesOf({ seed, authors, steps }: { seed: number; authors: number; steps: number }): Uint8Array[] {
  return writeHistory(createRandom(seed), { authors, steps }).log.map(({ update }) => update)
}

function deletesOf(document: Y.Doc): unknown {
  return byNumber(Y.createDeleteSetFromStructStore(document.store).clients)
}

/** Another body that makes the same document, whatever comes after. */
function expectSame(body: readonly Uint8Array[], document: Y.Doc): void {
  const made = documentOf(body)
  expect(made.store.pendingStructs).toBeNull()
  expect(made.store.pendingDs).toBeNull()
  expect(byNumber(stateOf(made))).toEqual(byNumber(stateOf(document)))
  expect(deletesOf(made)).toEqual(deletesOf(document))
  expect(contentOf(made)).toEqual(contentOf(document))
}

/** Nothing of what was deleted can be read in it any more. */
function expectErased(update: Uint8Array): void {
  const { structs, ds } = Y.decodeUpdate(update)
  for (const { id, length, content } of structs as Y.Item[]) {
    if (content instanceof Y.ContentDeleted) continue
    for (const { clock, len } of ds.clients.get(id.client) ?? [])
      expect(clock >= id.clock + length || clock + len <= id.clock).toBe(true)
  }
}

test('[X2] compacted updates are what a real Y.Doc makes of them, and no longer than it writes them', () => {
  fc.assert(
    fc.property(arbitraryHistory, fc.nat(), (history, order) => {
      const updates = updatesOf(history)
      const document = documentOf(updates)
      const random = createRandom(order)
      const prefix = updates.slice(0, order % (updates.length + 1))
      // Also what others have put together already, which overlaps the rest.
      const together = [mergeBody(prefix), Y.encodeStateAsUpdate(documentOf(prefix))]
      const arrived = [...updates, ...together, ...updates.filter(() => random() < 0.2)]
        .map(update => ({ update, at: random() }))
        .sort((a, b) => a.at - b.at)
        .map(({ update }) => update)
      const compacted = mergeBody([new Uint8Array(2), ...arrived])
      expectSame([compacted], document)
      expectErased(compacted)
      expect(compacted.length).toBeLessThanOrEqual(Y.encodeStateAsUpdate(document).length)
      expect(headOfBody([compacted]).digest).toBe(headOfBody(updates).digest)
    }),
    { numRuns: 200 },
  )
})

test('[X2] a text may go on over a compacted body, and be compacted again and again', () => {
  fc.assert(
    fc.property(arbitraryHistory, fc.array(fc.nat(), { maxLength: 6 }), (history, cuts) => {
      const updates = updatesOf(history)
      const ends = cuts.map(cut => cut % (updates.length + 1)).sort((a, b) => a - b)
      let snapshot = mergeBody([])
      let from = 0
      for (const end of ends) {
        const tail = updates.slice(from, end)
        // What was typed over the text as it was lands in the text as it is stored.
        expectSame([snapshot, ...tail], documentOf(updates.slice(0, end)))
        snapshot = mergeBody([snapshot, ...tail])
        from = end
      }
      const whole = documentOf(updates)
      expectSame([snapshot, ...updates.slice(from)], whole)
      expect(mergeBody([snapshot, ...updates.slice(from)])).toEqual(
        mergeBody([...updates, new Uint8Array(2)]),
      )
    }),
    { numRuns: 100 },
  )
})

test('[X2] a cut between the halves of a character leaves of each what a Y.Doc leaves', () => {
  const author = createAuthor(7)
  for (const word of ['😀', '😀', 'a😀b', '😀😀']) author.text.insert(author.text.length, word)
  for (const [at, length] of [
    [9, 1],
    [5, 1],
    [2, 2],
    [0, 1],
  ] as const)
    author.text.delete(at, length)
  expectSame([mergeBody(author.updates)], documentOf(author.updates))
})

test('[X2] letters of one hand are one struct, also where another hand wrote between them', () => {
  const [one, other] = [createAuthor(5), createAuthor(9)]
  one.text.insert(0, 'a')
  Y.applyUpdate(other.document, Y.encodeStateAsUpdate(one.document), 'remote')
  one.text.insert(1, 'b')
  other.text.insert(1, 'x')
  const updates = [...one.updates, ...other.updates]
  const compacted = mergeBody(updates)
  expect(Y.decodeUpdate(compacted).structs).toHaveLength(2)
  expectSame([compacted], documentOf(updates))
})

/** Folds a body as it grows, as a relay does. */
function fold(updates: readonly Uint8Array[]): Uint8Array {
  let snapshot = mergeBody([])
  for (let at = 0; at < updates.length; at += 997)
    snapshot = mergeBody([snapshot, ...updates.slice(at, at + 997)])
  return snapshot
}

test('[X2] what one person typed is stored no longer than a Y.Doc writes it', () => {
  const author = createAuthor(11)
  type(author, readPatches('sveltecomponent'))
  const snapshot = fold(author.updates)
  expectSame([snapshot], author.document)
  expect(snapshot.length).toBeLessThanOrEqual(Y.encodeStateAsUpdate(author.document).length)
})

test('[X2] what two people typed at once is stored no longer than a Y.Doc writes it', () => {
  const trace = readEditingTrace('friendsforever')
  const authors = Array.from({ length: trace.authors }, (_, i) => createAuthor(40 + i))
  const typed: Uint8Array[][][] = authors.map(() => [])
  const taken = authors.map(() => authors.map(() => 0))
  const log: Uint8Array[] = []
  for (const { author: who, seen, patches } of trace.bursts) {
    const author = authors[who]
    if (author === undefined) throw new Error('an author that the trace does not name')
    for (const [other, until] of seen.entries()) {
      const has = taken[who]?.[other] ?? 0
      if (other === who || has >= until) continue
      for (const update of typed[other]?.slice(has, until).flat() ?? [])
        Y.applyUpdate(author.document, update, 'remote')
      taken[who]?.splice(other, 1, until)
    }
    const before = author.updates.length
    type(author, patches)
    const made = author.updates.slice(before)
    typed[who]?.push(made)
    log.push(...made)
  }
  const document = documentOf(log)
  expect(document.getText('text').toString()).toBe(trace.end)
  const snapshot = fold(log)
  expectSame([snapshot], document)
  expect(snapshot.length).toBeLessThanOrEqual(Y.encodeStateAsUpdate(document).length)
})

function type(author: Author, patches: readonly Patch[]): void {
  for (const [at, deleted, inserted] of patches) {
    if (deleted > 0) author.text.delete(at, deleted)
    if (inserted !== '') author.text.insert(at, inserted)
  }
}

test('[X2] compaction pauses', () => {
  const author = createAuthor(3)
  author.document.transact(() => {
    for (let i = 0; i < 10_000; i++) author.text.insert(0, 'x')
  })
  const body = [...author.updates, new Uint8Array(2)]
  const steps = mergingBody(body)
  let pauses = 0
  for (;;) {
    const step = steps.next()
    if (step.done === true) {
      expect(step.value).toEqual(mergeBody(body))
      break
    }
    pauses++
  }
  expect(pauses).toBeGreaterThanOrEqual(4)
})

test('[F4] a compacted body that is too large for a frame is cut into updates that follow each other', () => {
  const random = createRandom(12)
  const authors = [createAuthor(31), createAuthor(32), createAuthor(33)]
  const updates: Uint8Array[] = []
  authors[0]?.text.insert(0, 'long '.repeat(30_000))
  for (let round = 0; round < 15; round++) {
    for (const author of authors) {
      for (const other of authors) {
        const news = Y.encodeStateAsUpdate(other.document, Y.encodeStateVector(author.document))
        Y.applyUpdate(author.document, news, 'remote')
      }
      author.document.transact(() => {
        for (let edit = 0; edit < 60; edit++) {
          const at = Math.floor(random() * (author.text.length - 9))
          if (edit % 3 > 0) author.text.insert(at, 'a few words more '.repeat(4))
          else if (edit % 2 > 0) author.text.delete(at, 2)
          else author.text.format(at, 9, { bold: true })
        }
      })
    }
  }
  for (const author of authors) updates.push(...author.updates)
  const whole = mergeBody(updates)
  expect(whole.length).toBeGreaterThan(limits.textUpdateBytesMax)
  const parts = splitUpdate(whole)
  expect(parts.length).toBeGreaterThan(3)
  let known: ReadonlyMap<number, number> = new Map()
  for (const part of parts) {
    expect(part.length).toBeLessThanOrEqual(limits.textUpdateBytesMax)
    const screened = screenUpdate(part, { client: 0, known, ownership: false })
    if (!screened.ok) throw new Error(JSON.stringify(screened.error))
    known = new Map([...known, ...screened.value.stateVector])
  }
  expectSame(parts, documentOf([whole]))
  expect(mergeBody(parts)).toEqual(whole)
})
