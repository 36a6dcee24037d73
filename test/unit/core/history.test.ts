// Random histories of one document by three people, joined in any order and more than once, against an oracle that
// knows only who wrote what and had seen what.
import {
  contextOfCell,
  deletePolicies,
  formatMark,
  isDeletionDisputed,
  isInSet,
  joinRows,
  rowExists,
  sumOfCounter,
} from '@rejoin/core'
import type { Row } from '@rejoin/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { body, color, deltaOf, markOf, tags, textOf, title, viewed, votes, type Person } from './edits.ts'
import {
  arbitraryLog,
  expectedElements,
  expectedSiblings,
  expectedStanding,
  expectedSum,
  expectedValue,
  greatest,
  joinAll,
  runHistory,
  writesTo,
  type Log,
  type Step,
} from './history.ts'

/** Joins the deltas of a log in an order drawn at random, some of them twice, in groups drawn at random. */
function scatter(log: Log, order: readonly number[]): Row {
  const deltas = log.map(({ delta }) => delta)
  const again = order.filter((_, i) => i % 3 === 0).flatMap(at => deltas.slice(at % (log.length || 1)))
  const drawn = [...deltas, ...again]
    .map((delta, i) => ({ delta, at: order[i % (order.length || 1)] ?? 0 }))
    .sort((a, b) => a.at - b.at)
    .map(({ delta }) => delta)
  const middle = drawn.length >> 1
  return joinRows(joinAll(drawn.slice(middle)), joinAll(drawn.slice(0, middle)))
}

function checkHistories(
  policies: Parameters<typeof arbitraryLog>[0],
  check: (row: Row, log: Log) => void,
): void {
  fc.assert(
    fc.property(arbitraryLog(policies), fc.array(fc.nat({ max: 50 }), { maxLength: 30 }), (log, order) => {
      check(scatter(log, order), log)
    }),
    { numRuns: 500 },
  )
}

test.each([color, viewed])('[Data] %s shows the write with the greatest mark', part => {
  checkHistories(deletePolicies, (row, log) => {
    const cell = row.cells.get(part)
    expect(cell?.strategy === 'lww' ? textOf(cell.value) : undefined).toBe(expectedValue(log, part))
  })
})

test('[K1] siblings are the writes that no other write had seen, each with the greatest that it replaced', () => {
  checkHistories(deletePolicies, (row, log) => {
    const cell = row.cells.get(title)
    const siblings = cell?.strategy === 'ask' ? cell.siblings : []
    const expected = expectedSiblings(log)
    expect(siblings.map(({ mark }) => formatMark(mark))).toEqual(expected.map(({ mark }) => formatMark(mark)))
    siblings.forEach(({ base }, i) => {
      const replaced = expectedSiblings([...(expected[i]?.saw ?? [])]).at(-1)
      expect(base?.mark).toEqual(replaced?.mark)
    })
  })
})

test('[K2] the last sibling is the greatest write to the field', () => {
  checkHistories(deletePolicies, (row, log) => {
    const cell = row.cells.get(title)
    const winner = cell?.strategy === 'ask' ? cell.siblings.at(-1) : undefined
    expect(winner?.mark).toEqual(greatest(writesTo(log, title))?.mark)
  })
})

test('[Data] an element is in while no remover had seen its greatest add', () => {
  checkHistories(deletePolicies, (row, log) => {
    const cell = row.cells.get(tags)
    const held = cell?.strategy === 'set' ? [...cell.elements.values()].filter(isInSet) : []
    expect(held.map(({ value }) => textOf(value)).sort()).toEqual(expectedElements(log))
  })
})

test('[Data] a counter is the sum of everything that was added', () => {
  checkHistories(deletePolicies, (row, log) => {
    const cell = row.cells.get(votes)
    expect(cell?.strategy === 'counter' ? sumOfCounter(cell) : 0).toBe(expectedSum(log))
  })
})

test('[W3] a context has one mark for each writer: the greatest of its writes to that cell', () => {
  checkHistories(deletePolicies, (row, log) => {
    for (const part of [title, tags, votes, body]) {
      const cell = row.cells.get(part)
      const writes = writesTo(log, part)
      const writers = new Set(writes.map(({ mark }) => mark.writer))
      const context = cell === undefined ? new Map() : contextOfCell(cell)
      expect(context.size).toBe(writers.size)
      for (const writer of writers) {
        const own = writes.filter(({ mark }) => mark.writer === writer)
        expect(context.get(writer)).toEqual(greatest(own)?.mark)
      }
    }
  })
})

test.each(deletePolicies)('[Data] a deletion that %s hides exactly what its log says', policy => {
  checkHistories([policy], (row, log) => {
    const expected = expectedStanding(log)
    expect(rowExists(row)).toBe(expected !== 'gone')
    expect(isDeletionDisputed(row)).toBe(expected === 'disputed')
  })
})

test('[Data] deletions under several policies hide exactly what their log says', () => {
  checkHistories(deletePolicies, (row, log) => {
    const expected = expectedStanding(log)
    expect(rowExists(row)).toBe(expected !== 'gone')
    expect(isDeletionDisputed(row)).toBe(expected === 'disputed')
  })
})

test('[Data] histories meet every standing of a document, so that the oracle is asked about all of them', () => {
  const met = new Map<string, number>()
  for (const log of fc.sample(arbitraryLog(deletePolicies), { numRuns: 300, seed: 7 })) {
    const standing = expectedStanding(log)
    met.set(standing, (met.get(standing) ?? 0) + 1)
  }
  for (const standing of ['exists', 'disputed', 'gone']) expect(met.get(standing)).toBeGreaterThan(20)
})

// ---------------------------------------------------------------- the cases that people ask about

const noDrift = { alice: 0, bob: 0, carol: 0 }

function edits(person: Person, edit: Extract<Step, { kind: 'edit' }>['edit']): Step {
  return { kind: 'edit', person, edit, wait: 1 }
}

const insert = { kind: 'insert', value: 'red', element: 'x' } as const

function afterDeletion(policy: (typeof deletePolicies)[number], edit: Parameters<typeof edits>[1]): Row {
  const steps: Step[] = [
    edits('alice', insert),
    { kind: 'hear', person: 'bob', from: 'alice' },
    edits('bob', { kind: 'delete', policy }),
    edits('alice', edit),
  ]
  return joinAll(runHistory(steps, noDrift).map(({ delta }) => delta))
}

test('[Data] an edit that was made without knowing of the deletion keeps a document under edit-wins', () => {
  expect(rowExists(afterDeletion('edit-wins', { kind: 'color', value: 'teal' }))).toBe(true)
  expect(rowExists(afterDeletion('edit-wins', { kind: 'type' }))).toBe(true)
  expect(rowExists(afterDeletion('edit-wins', { kind: 'remove', element: 'x' }))).toBe(true)
})

test('[Data] under delete-wins nothing but a revival brings a document back', () => {
  expect(rowExists(afterDeletion('delete-wins', { kind: 'color', value: 'teal' }))).toBe(false)
  expect(rowExists(afterDeletion('delete-wins', { kind: 'revive' }))).toBe(true)
})

test('[Data] a passive field keeps no document alive, even one that the deletion had never seen', () => {
  expect(rowExists(afterDeletion('edit-wins', { kind: 'view', value: 'today' }))).toBe(false)
  expect(isDeletionDisputed(afterDeletion('ask', { kind: 'view', value: 'today' }))).toBe(false)
})

test('[Data] a disputed deletion stands open until a revival or a new deletion', () => {
  const disputed = afterDeletion('ask', { kind: 'color', value: 'teal' })
  expect(isDeletionDisputed(disputed)).toBe(true)
  expect(rowExists(disputed)).toBe(true)
  const kept = joinRows(disputed, deltaOf({ kind: 'revive' }, disputed, markOf('carol', 2000)))
  expect([rowExists(kept), isDeletionDisputed(kept)]).toEqual([true, false])
  const gone = joinRows(disputed, deltaOf({ kind: 'delete', policy: 'ask' }, disputed, markOf('carol', 2000)))
  expect([rowExists(gone), isDeletionDisputed(gone)]).toEqual([false, false])
})

test('[D1] a deletion hides cells and removes none, so a revived document has no holes', () => {
  const deleted = afterDeletion('delete-wins', { kind: 'color', value: 'teal' })
  const revived = joinRows(deleted, deltaOf({ kind: 'revive' }, deleted, markOf('carol', 2000)))
  expect([...revived.cells.keys()].sort()).toEqual([color, tags, title].sort())
})

test('[W5] an insert over a deletion that it sees takes nothing from before but the count', () => {
  const steps: Step[] = [
    edits('alice', insert),
    edits('alice', { kind: 'add', element: 'y' }),
    edits('alice', { kind: 'vote', by: 3 }),
    edits('alice', { kind: 'delete', policy: 'edit-wins' }),
    edits('alice', { kind: 'insert', value: 'blue', element: 'x' }),
  ]
  const row = joinAll(runHistory(steps, noDrift).map(({ delta }) => delta))
  const [shownTags, shownVotes] = [row.cells.get(tags), row.cells.get(votes)]
  expect(rowExists(row)).toBe(true)
  expect(
    shownTags?.strategy === 'set' &&
      [...shownTags.elements.values()].filter(isInSet).map(({ value }) => textOf(value)),
  ).toEqual(['x'])
  expect(shownVotes?.strategy === 'counter' && sumOfCounter(shownVotes)).toBe(3)
})
