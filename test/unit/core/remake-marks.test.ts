// The marks of what is made anew: it keeps its time, and beats nobody that it did not beat (SPEC W6, W3).
import { compareMarks, emptyRow, failure, formatMark, joinRows, makeAnew } from '@rejoin/core'
import type { Mark, Transaction } from '@rejoin/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { arbitraryActions, createTab, play, relay } from './chunk-history.ts'
import { color, deltaOf, markOf, textOf, title, writerOf } from './edits.ts'
import { pulledChunk } from './chunks.ts'
import { note, other, insert, recolor, vote, createScene, inOrder, marksOf } from './remake-scene.ts'
import { drawing, fresh, remakeContext } from './remake-context.ts'

test('[W6] a write keeps its time, less what the clock was corrected by since', () => {
  const alice = createScene()
  const [write] = alice.edits(insert).writes
  const [mark] = marksOf(alice.remakes({}, { correction: -300 }))
  expect(mark).toEqual({ ms: (write?.mark.ms ?? 0) - 300, tick: 0, writer: fresh })
})

test('[W6] no write is moved beyond now, unless it must come after what its writer saw', () => {
  const alice = createScene()
  alice.edits(insert)
  expect(marksOf(alice.remakes({}, { correction: 700, now: 1200 }))).toMatchObject([{ ms: 1200 }])
  const bob = createScene()
  bob.pulls('carol', insert, 9000)
  bob.edits(recolor)
  expect(marksOf(bob.remakes({}, { now: 1200 }))).toMatchObject([{ ms: 9000, tick: 1 }])
})

test('[W6] a mark that one row forces ahead does not carry a write to another row along', () => {
  const alice = createScene()
  alice.pulls('bob', insert, 100_000)
  alice.edits(recolor)
  alice.edits([1, insert])
  const marks = marksOf(alice.remakes())
  expect(marks[0]).toMatchObject({ ms: 100_000, tick: 1 })
  expect(marks[1]?.ms).toBeLessThan(1100)
})

test('[W3] marks of a pass are of one new writer for each old one, rise in each row, come after what was seen, and never meet', () => {
  fc.assert(
    fc.property(arbitraryActions, fc.integer({ min: -900, max: 900 }), (actions, correction) => {
      const { state } = play(actions)
      const before = [...state.outbox.entries()]
      const [first] = before
      if (first === undefined) return
      const plan = { from: first.transaction.id, keys: null, refused: null }
      const context = { ...remakeContext(), now: 1500, correction }
      const chunk = makeAnew(state, plan, context)
      if (chunk === null) return
      const lastBy = new Map<string, Mark>()
      const met = new Set<string>()
      const newByOld = new Map<string, string>()
      for (const { from, to } of chunk.transactions) {
        const old = before.find(({ transaction }) => transaction.id === from)?.transaction
        to.writes.forEach((write, i) => {
          const { writer } = write.mark
          const oldWriter = old?.writes[i]?.mark.writer ?? ''
          expect(newByOld.get(oldWriter) ?? writer).toBe(writer)
          newByOld.set(oldWriter, writer)
          const seen = to.seen[i]?.last ?? null
          for (const floor of [lastBy.get(`${writer} ${write.key}`) ?? null, seen])
            if (floor !== null) expect(compareMarks(write.mark, floor)).toBeGreaterThan(0)
          expect(met.has(formatMark(write.mark))).toBe(false)
          met.add(formatMark(write.mark))
          lastBy.set(`${writer} ${write.key}`, write.mark)
        })
      }
      const writers = new Set(newByOld.values())
      expect(writers.size).toBe(newByOld.size)
      for (const writer of newByOld.keys()) expect(writers.has(writer)).toBe(false)
    }),
    { numRuns: 200 },
  )
})

test('[W6] no mark that stands for one that is gone is that of a write of another document', () => {
  const alice = createScene()
  alice.pulls('bob', insert, 500)
  const bob = createTab(alice.state, 'bob')
  const refused = alice.edits({ kind: 'title', value: 'a' })
  const apart = bob.write([[1, insert]])
  const over = bob.write([[0, { kind: 'title', value: 'b' }]])
  alice.state.apply(alice.state.seen + 1, { kind: 'own', transactions: [apart, over] })
  const stampOf = ({ writes }: Transaction) => [writes[0]?.mark.ms, writes[0]?.mark.tick]
  expect(stampOf(apart)).toEqual(stampOf(refused))
  const error = failure('refused-by-rule', { reason: 'no' })
  const { transactions } = alice.remakes({ refused: { transaction: refused, error } })
  const [moved, again] = [apart, over].map(({ id }) => transactions.find(({ from }) => from === id)?.to)
  if (moved === undefined || again === undefined) throw new Error('both are made anew')
  const cell = again.writes[0]?.delta.cells.get(title)
  const base = cell?.strategy === 'ask' ? cell.siblings[0]?.base?.mark : undefined
  expect(base?.writer).toBe(again.writes[0]?.mark.writer)
  expect(base).not.toEqual(moved.writes[0]?.mark)
})

test('[W6] what one mark was made in a row says nothing of the same mark in another one', () => {
  const alice = createScene()
  const ahead = [note, other].map(key => {
    const delta = deltaOf(insert, undefined, markOf('bob', 100_000))
    return { key, delta, parts: 0, texts: new Map() }
  })
  alice.state.apply(1, pulledChunk(relay, { rows: ahead }))
  const [here, there] = [0, 1].map(of => alice.edits([of, { kind: 'title', value: 'a' }]))
  expect(here?.writes[0]?.mark).toEqual(there?.writes[0]?.mark)
  const late = createTab(alice.state, 'bob').write([[0, { kind: 'title', value: 'c' }]])
  const over = alice.edits({ kind: 'title', value: 'b' })
  const baseOf = (transaction: Transaction | undefined): Mark | undefined => {
    const cell = transaction?.writes[0]?.delta.cells.get(title)
    return cell?.strategy === 'ask' ? cell.siblings[0]?.base?.mark : undefined
  }
  const { transactions } = alice.remakes()
  const again = new Map(transactions.map(({ from, to }) => [from, to]))
  const now = here && again.get(here.id)?.writes[0]?.mark
  expect(baseOf(again.get(over.id))).toEqual(now)
  // In a later pass too.
  alice.state.apply(alice.state.seen + 1, { kind: 'own', transactions: [late] })
  const orphans = { from: late.id, keys: new Set<typeof note>() }
  expect(
    baseOf(alice.remakes(orphans, { drawWriter: drawing(writerOf('carol')) }).transactions[0]?.to),
  ).toEqual(now)
})

test('[W6] what stays as it is raises nothing whose writer had not seen it', () => {
  const alice = createScene()
  alice.pulls('carol', insert, 500)
  const late = createTab(alice.state, 'bob').write([[0, recolor]])
  alice.edits([1, insert])
  alice.edits(vote)
  alice.state.apply(alice.state.seen + 1, { kind: 'own', transactions: [late] })
  const [mark] = marksOf(alice.remakes({ from: late.id }))
  expect(mark).toEqual({ ...late.writes[0]?.mark, writer: fresh })
})

test('[W6] a write stays above what its writer wrote before it, also when a relay has taken that meanwhile', () => {
  const alice = createScene()
  const earlier = alice.edits(insert)
  alice.edits(recolor)
  alice.takes(earlier)
  alice.remakes({}, { correction: -900 })
  const cell = alice.row().cells.get(color)
  expect(cell?.strategy === 'lww' && textOf(cell.value)).toBe('teal')
})

test('[W6] nothing beats what it did not beat: a write of another in between stands', () => {
  const alice = createScene()
  alice.pulls('bob', insert, 500)
  const [write] = alice.edits(recolor).writes
  const later = deltaOf({ kind: 'color', value: 'blue' }, emptyRow, {
    ...markOf('carol', (write?.mark.ms ?? 0) + 1),
  })
  alice.remakes()
  const cell = joinRows(alice.row(), later).cells.get(color)
  expect(cell?.strategy === 'lww' && textOf(cell.value)).toBe('blue')
})

test('[W6] nothing beats what it did not beat: in a history, only what a mark was raised over is beaten anew', () => {
  fc.assert(
    fc.property(arbitraryActions, actions => {
      const { state } = play(inOrder(actions))
      const old = new Map([...state.outbox.entries()].map(entry => [entry.transaction.id, entry.transaction]))
      const [first] = old.keys()
      if (first === undefined) return
      const plan = { from: first, keys: null, refused: null }
      const context = remakeContext()
      for (const { from, to } of makeAnew(state, plan, context)?.transactions ?? []) {
        const was = old.get(from)
        to.writes.forEach((write, i) => {
          const before = was?.writes[i]?.mark
          if (before === undefined) return
          // One person's marks rise already, so nothing has to be raised.
          expect([write.mark.ms, write.mark.tick]).toEqual([before.ms, before.tick])
        })
      }
    }),
    { numRuns: 200 },
  )
})
