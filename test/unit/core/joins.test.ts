// The algebra of everything that joins: whatever arrives, in whatever order and however often, the result is one.
import {
  compareMarks,
  digestOfRow,
  formatDigest,
  joinCells,
  joinContexts,
  joinDeletions,
  joinRows,
  joinSeen,
  keyOfBytes,
  showsDelta,
  strategies,
} from '@rejoin/core'
import type { Cell, Context, Deletion, Mark, Row, Seen } from '@rejoin/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  arbitraryCell,
  arbitraryContext,
  arbitraryDeletion,
  arbitraryMark,
  arbitraryRowOf,
  arbitrarySeen,
} from './generators.ts'

/** Three copies of one kind, and a form in which alike ones are equal. */
function checkLaws<Copy>(
  arbitrary: fc.Arbitrary<Copy>,
  join: (a: Copy, b: Copy) => Copy,
  form: (copy: Copy) => unknown,
): void {
  fc.assert(
    fc.property(arbitrary, arbitrary, arbitrary, (a, b, c) => {
      expect(form(join(a, b))).toEqual(form(join(b, a)))
      expect(form(join(join(a, b), c))).toEqual(form(join(a, join(b, c))))
      expect(join(a, a)).toBe(a)
      const joined = join(a, b)
      expect(join(joined, b)).toBe(joined)
      expect(join(joined, a)).toBe(joined)
    }),
    { numRuns: 300 },
  )
}

/** A4: the first argument itself comes back if, and only if, the second adds nothing. */
function checkReturnsFirst<Copy>(
  arbitrary: fc.Arbitrary<Copy>,
  join: (a: Copy, b: Copy) => Copy,
  form: (copy: Copy) => unknown,
): void {
  fc.assert(
    fc.property(arbitrary, arbitrary, (a, b) => {
      for (const [into, add] of [
        [a, b],
        [join(a, b), b],
        [b, join(a, b)],
      ] as const) {
        const before = form(into)
        const joined = join(into, add)
        expect(form(into)).toEqual(before)
        expect(joined === into).toBe(same(form(joined), before))
      }
    }),
    { numRuns: 300 },
  )
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

const formOfMark = (mark: Mark | null): string =>
  mark === null ? '' : `${mark.ms}.${mark.tick}.${mark.writer}`

const formOfContext = (context: Context): unknown =>
  [...context].map(([writer, mark]) => [writer, formOfMark(mark)]).sort()

const formOfSeen = (seen: Seen): unknown => [
  seen.kind,
  seen.kind === 'last' ? formOfMark(seen.mark) : seen.kind === 'context' ? formOfContext(seen.context) : '',
]

const formOfDeletion = ({ mark, policy, seen }: Deletion): unknown => [
  formOfMark(mark),
  policy,
  [...seen].map(([name, one]) => [name, formOfSeen(one)]).sort(),
]

function formOfCell(cell: Cell): unknown {
  switch (cell.strategy) {
    case 'lww':
      return [formOfMark(cell.last), keyOfBytes(cell.value)]
    case 'ask':
      return [
        cell.siblings.map(({ mark, value, base, answers }) => [
          formOfMark(mark),
          keyOfBytes(value),
          base === null ? null : [formOfMark(base.mark), keyOfBytes(base.value)],
          answers === null ? null : keyOfBytes(answers),
        ]),
        formOfContext(cell.context),
      ]
    case 'set':
      return [
        [...cell.elements]
          .map(([key, { added, removed }]) => [key, formOfMark(added), formOfMark(removed)])
          .sort(),
        formOfContext(cell.context),
      ]
    case 'counter':
      return [...cell.entries]
        .map(([writer, { mark, total }]) => [writer, formOfMark(mark), total + 0])
        .sort()
    case 'text':
      return formOfContext(cell.context)
  }
}

const formOfRow = (row: Row): unknown => [
  [...row.cells].map(([name, cell]) => [name, formOfCell(cell)]).sort(),
  row.deletion && formOfDeletion(row.deletion),
  formOfMark(row.revival),
]

describe('marks', () => {
  test('[Data] marks have one total order: by milliseconds, tick, writer', () => {
    fc.assert(
      fc.property(arbitraryMark, arbitraryMark, arbitraryMark, (a, b, c) => {
        expect(Math.sign(compareMarks(a, b))).toBe(0 - Math.sign(compareMarks(b, a)))
        expect(compareMarks(a, b) === 0).toBe(same(a, b))
        if (compareMarks(a, b) <= 0 && compareMarks(b, c) <= 0)
          expect(compareMarks(a, c)).toBeLessThanOrEqual(0)
        if (a.ms < b.ms) expect(compareMarks(a, b)).toBeLessThan(0)
        else if (a.ms === b.ms && a.tick < b.tick) expect(compareMarks(a, b)).toBeLessThan(0)
      }),
    )
  })
})

describe.each(['honest', 'forged'] as const)('of %s writes', honesty => {
  test.each(strategies)('[Data] cells of %s join alike in any order, grouping and number', strategy => {
    checkLaws(arbitraryCell(strategy, honesty), joinCells, formOfCell)
  })

  test.each(strategies)('[A4] a cell of %s stays itself exactly when a join adds nothing', strategy => {
    checkReturnsFirst(arbitraryCell(strategy, honesty), joinCells, formOfCell)
  })

  test('[Data] rows join alike in any order, grouping and number', () => {
    checkLaws(arbitraryRowOf(honesty), joinRows, formOfRow)
  })

  test('[A4] a row stays itself exactly when a join adds nothing', () => {
    checkReturnsFirst(arbitraryRowOf(honesty), joinRows, formOfRow)
  })

  test('[A4] a row shows what was joined into it, and goes on showing it', () => {
    const rows = arbitraryRowOf(honesty)
    fc.assert(
      fc.property(rows, rows, rows, (row, delta, later) => {
        expect(showsDelta(joinRows(row, delta), delta)).toBe(true)
        expect(showsDelta(joinRows(joinRows(row, delta), later), delta)).toBe(true)
        expect(showsDelta(undefined, delta)).toBe(false)
      }),
    )
  })

  test('[P5] rows that were joined in different orders have one digest', () => {
    const rows = arbitraryRowOf(honesty)
    fc.assert(
      fc.property(fc.array(rows, { minLength: 1, maxLength: 5 }), copies => {
        const forth = copies.reduce(joinRows)
        const back = [...copies].reverse().reduce(joinRows)
        expect(formatDigest(digestOfRow(back))).toBe(formatDigest(digestOfRow(forth)))
      }),
    )
  })
})

describe('what stands beside cells', () => {
  test('[Data] contexts join alike in any order, grouping and number', () => {
    checkLaws(arbitraryContext, joinContexts, formOfContext)
    checkReturnsFirst(arbitraryContext, joinContexts, formOfContext)
  })

  test('[Data] deletions join alike in any order, grouping and number', () => {
    checkLaws(arbitraryDeletion, joinDeletions, formOfDeletion)
    checkReturnsFirst(arbitraryDeletion, joinDeletions, formOfDeletion)
  })

  test.each(['lww', 'set'] as const)('[Data] what deletions saw of a field of %s joins alike', strategy => {
    checkLaws(arbitrarySeen(strategy), joinSeen, formOfSeen)
    checkReturnsFirst(arbitrarySeen(strategy), joinSeen, formOfSeen)
  })
})
