// Documents as readers see them are what reading them anew gives, however many were asked for, and how, before.
import { collection, createSurface } from '@rejoin/client'
import { lww } from '@rejoin/resolve'
import fc from 'fast-check'
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { createReplicaCoreDouble } from './replica-core-double.ts'

const places = collection('places', {
  name: lww(v.string()),
  kind: lww(v.string()),
  tags: lww(v.array(v.string())),
})
const others = collection('others', { name: lww(v.string()) })

type Step = { readonly pick: number } & (
  | { readonly kind: 'fill' | 'fill-elsewhere' | 'pull'; readonly count: number }
  | { readonly kind: 'look-up'; readonly count: number }
  | {
      readonly kind:
        | 'update'
        | 'touch'
        | 'delete'
        | 'undelete'
        | 'list'
        | 'equal'
        | 'subscribe'
        | 'unsubscribe'
        | 'tick'
    }
)

const few = fc.integer({ min: 1, max: 9 })
const many = fc.integer({ min: 100, max: 400 })
const pick = fc.nat(10_000)
const counted = fc.record({
  kind: fc.constantFrom('fill' as const, 'fill-elsewhere' as const, 'pull' as const, 'look-up' as const),
  count: fc.oneof(few, many),
  pick,
})
const plain = fc.record({
  kind: fc.constantFrom(
    ...([
      'update',
      'touch',
      'delete',
      'undelete',
      'list',
      'equal',
      'subscribe',
      'unsubscribe',
      'tick',
    ] as const),
  ),
  pick,
})

const changing: ReadonlySet<Step['kind']> = new Set(['update', 'delete', 'undelete'])

const kindOf = (i: number): string => ['café', 'bar', 'park'][i % 3] ?? ''

test('documents are what reading them anew gives, whatever was read before', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(counted, plain), { maxLength: 30, size: 'max' }),
      (steps: readonly Step[]) => {
        const core = createReplicaCoreDouble()
        const bob = createReplicaCoreDouble()
        const open = (of: typeof core) => createSurface(of, { places, others })
        const { collections, transact } = open(core)
        const elsewhere = open(bob)
        const ids: string[] = []
        const stops: (() => void)[] = []
        let told: readonly { readonly id: string }[] | null = null
        const fill = ({ transact }: Pick<ReturnType<typeof open>, 'transact'>, count: number): void => {
          transact(tx => {
            for (let i = 0; i < count; i++)
              ids.push(
                tx.places.insert({ name: `place ${ids.length}`, kind: kindOf(ids.length), tags: [] }).id,
              )
          })
        }
        /** As they were shown last, and did not change since. */
        const shown = new Map<string, unknown>()
        const expectSame = (id: string, document: unknown): void => {
          if (shown.has(id)) expect(document).toBe(shown.get(id))
          shown.set(id, document)
        }
        const lookUp = (id: string): void => {
          const document = collections.places.get(id)
          expect(document).toEqual(open(core).collections.places.get(id))
          if (document !== undefined) expectSame(id, document)
        }
        for (const step of steps) {
          const id = ids[step.pick % Math.max(1, ids.length)] ?? 'none'
          const isThere = open(core).collections.places.get(id) !== undefined
          if (changing.has(step.kind)) shown.delete(id)
          switch (step.kind) {
            case 'fill':
              fill({ transact }, step.count)
              break
            case 'fill-elsewhere':
              fill(elsewhere, step.count)
              break
            case 'pull':
              bob.store()
              core.pullFrom(bob)
              core.tick()
              break
            case 'look-up':
              for (let i = 0; i < step.count; i++)
                lookUp(ids[(step.pick + i) % Math.max(1, ids.length)] ?? 'none')
              break
            case 'update':
              if (isThere) collections.places.update(id, { name: `another ${step.pick}` })
              break
            case 'touch':
              if (isThere)
                collections.places.update(id, { tags: [...(collections.places.get(id)?.tags ?? [])] })
              break
            case 'delete':
              if (isThere) collections.places.delete(id)
              break
            case 'undelete':
              if (core.state.visible(`places/${id}` as never) !== undefined) collections.places.undelete(id)
              break
            case 'list': {
              const list = collections.places.query().get()
              expect(list).toEqual(open(core).collections.places.query().get())
              for (const document of list) expectSame(document.id, document)
              break
            }
            case 'equal': {
              const where = { kind: kindOf(step.pick) }
              expect(collections.places.query({ where }).get()).toEqual(
                open(core).collections.places.query({ where }).get(),
              )
              break
            }
            case 'subscribe':
              stops.push(collections.places.query().subscribe(value => (told = value)))
              break
            case 'unsubscribe':
              stops.pop()?.()
              break
            case 'tick':
              core.tick()
              if (stops.length > 0) expect(told).toEqual(open(core).collections.places.query().get())
              break
          }
        }
      },
    ),
    { numRuns: 40 },
  )
})
