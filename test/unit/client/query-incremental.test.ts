// A query that is kept up gives what a query that is computed anew gives, after any history.
import { collection, createSurface, type QueryOptions } from '@rejoin/client'
import { lww } from '@rejoin/resolve'
import fc from 'fast-check'
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { createReplicaCoreDouble } from './replica-core-double.ts'

const rowsOf = collection('rows', { rank: lww(v.optional(v.number())), group: lww(v.string()) })

interface Row {
  readonly id: string
  readonly rank: number | undefined
  readonly group: string
}

type Step =
  | { readonly kind: 'put'; readonly id: string; readonly rank: number | undefined; readonly group: string }
  | { readonly kind: 'delete' | 'undelete'; readonly id: string }
  | { readonly kind: 'fill'; readonly count: number; readonly group: string }
  | { readonly kind: 'turn'; readonly by: number }
  | { readonly kind: 'tick' | 'acknowledge' | 'refuse' | 'resubscribe' }

const id = fc.constantFrom(...'abcdefghij')
const group = fc.constantFrom('x', 'y', 'z')
const rank = fc.option(fc.integer({ min: -2, max: 3 }), { nil: undefined })

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('put' as const), id, rank, group }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('delete' as const, 'undelete' as const), id }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('fill' as const),
      count: fc.integer({ min: 5, max: 20 }),
      group,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('turn' as const), by: fc.integer({ min: 0, max: 2 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'tick' as const,
        'acknowledge' as const,
        'refuse' as const,
        'resubscribe' as const,
      ),
    }),
  },
)

const options: fc.Arbitrary<QueryOptions<Row>> = fc.record(
  {
    where: fc.oneof(
      fc.record({ group }),
      fc.record({ rank: fc.record({ gte: fc.integer({ min: -2, max: 3 }) }) }),
      fc.record({ group: fc.record({ in: fc.array(group) }), rank: fc.record({ not: fc.constant(0) }) }),
    ),
    orderBy: fc.constantFrom<NonNullable<QueryOptions<Row>['orderBy']>>(
      'rank',
      'id',
      ['group', ['rank', 'desc']],
      [['group', 'desc'], 'rank'],
    ),
    descending: fc.boolean(),
    limit: fc.integer({ min: 0, max: 6 }),
  },
  { requiredKeys: [] },
)

/** Of the plainest kind, on purpose. */
function compute(
  rows: readonly Row[],
  { where, orderBy, descending, limit }: QueryOptions<Row>,
): readonly Row[] {
  const conditions = (where ?? {}) as {
    readonly group?: string | { readonly in: readonly string[] }
    readonly rank?: { readonly gte?: number; readonly not?: number }
  }
  const matching = rows.filter(row => {
    const { group: wanted, rank: bounds } = conditions
    if (typeof wanted === 'string' && row.group !== wanted) return false
    if (typeof wanted === 'object' && !wanted.in.includes(row.group)) return false
    if (bounds?.gte !== undefined && !(row.rank !== undefined && row.rank >= bounds.gte)) return false
    return !(bounds?.not !== undefined && row.rank === bounds.not)
  })
  const orders = typeof orderBy === 'string' ? [orderBy] : (orderBy ?? [])
  const keyed = [...matching].sort((a, b) => {
    for (const order of orders) {
      const [field, direction] = typeof order === 'string' ? [order, 'asc'] : order
      const [x, y] = [a[field] ?? -Infinity, b[field] ?? -Infinity]
      if (x !== y) return (x < y ? -1 : 1) * (direction === 'desc' ? -1 : 1)
    }
    return a.id < b.id ? -1 : 1
  })
  if (descending === true) keyed.reverse()
  return keyed.slice(0, limit ?? keyed.length)
}

const tickers: ReadonlySet<string> = new Set(['tick', 'acknowledge', 'refuse', 'resubscribe'])

test('a query that is kept up equals one that is computed anew', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 60 }),
      fc.array(options, { minLength: 1, maxLength: 4 }),
      (steps, asked) => {
        const core = createReplicaCoreDouble()
        const { collections, transact } = createSurface(core, { rows: rowsOf })
        const { rows } = collections
        const subscribe = (all: QueryOptions<Row>) => {
          const live = rows.query(all)
          const watch = { live, all, told: [] as readonly Row[], stop: () => undefined as void }
          watch.stop = live.subscribe(value => {
            watch.told = value
          })
          return watch
        }
        let watches = asked.map(subscribe)
        let filled = 0
        for (const one of steps) {
          switch (one.kind) {
            case 'put':
              if (rows.get(one.id) === undefined)
                rows.insert({ rank: one.rank, group: one.group }, { id: one.id })
              else rows.update(one.id, { rank: one.rank, group: one.group })
              break
            case 'delete':
              if (rows.get(one.id) !== undefined) rows.delete(one.id)
              break
            case 'undelete':
              if (core.state.visible(`rows/${one.id}` as never) !== undefined) rows.undelete(one.id)
              break
            case 'fill':
              transact(tx => {
                for (let i = 0; i < one.count; i++)
                  tx.rows.insert({ rank: i, group: one.group }, { id: `f${filled++}` })
              })
              break
            case 'turn':
              transact(tx => {
                for (const row of rows.query().get())
                  tx.rows.update(row.id, { rank: one.by - (row.rank ?? 0) })
              })
              break
            case 'acknowledge':
              core.acknowledge()
              break
            case 'refuse': {
              const first = [...core.state.outbox.entries()].find(({ acks }) => acks.size === 0)?.transaction
                .id
              if (first !== undefined)
                core.refuse(first, { code: 'refused-by-rule', details: { reason: 'no' } })
              break
            }
            case 'resubscribe':
              for (const { stop } of watches) stop()
              watches = asked.map(subscribe)
              break
            case 'tick':
              break
          }
          if (!tickers.has(one.kind)) {
            expectEqual()
          } else {
            core.tick()
            expectEqual()
            for (const { live, told } of watches) expect(told).toBe(live.get())
          }
        }
        for (const { stop } of watches) stop()
        core.tick()
        expectEqual()

        function expectEqual(): void {
          const existing = [...core.state.keys()]
            .map(key => rows.get(key.slice('rows/'.length)))
            .filter(row => row !== undefined)
          for (const { live, all } of watches) expect(live.get()).toEqual(compute(existing, all))
          // Nobody keeps these up; they look up what equals.
          for (const wanted of ['x', 'y']) {
            const all = { where: { group: wanted } }
            expect(rows.query(all).get()).toEqual(compute(existing, all))
          }
        }
      },
    ),
    { numRuns: 150 },
  )
})
