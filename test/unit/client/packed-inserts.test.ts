// New documents whose values lie beside those of others: they hold, show and store what documents with cells of their own do.
import { collection, createSurface, type AnyField } from '@rejoin/client'
import {
  createReplicaState,
  decodeChunk,
  decodeRow,
  digestOfRow,
  encodeChunk,
  encodeRow,
  failure,
  joinRows,
  lastOfRow,
  showsDelta,
  sizeOfWrite,
  sizeOfWrites,
  type Cell,
  type Chunk,
  type FieldWrite,
  type PartName,
  type ReplicaState,
  type Row,
  type Transaction,
  type Write,
} from '@rejoin/core'
import { lww, text } from '@rejoin/resolve'
import fc from 'fast-check'
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { createReplicaCoreDouble } from './replica-core-double.ts'

const places = collection('places', {
  name: lww(v.string()),
  size: lww(v.number()),
  tags: lww(v.array(v.string())),
})

interface Place {
  readonly name: string
  readonly size: number
  readonly tags: string[]
}

/** Most are small. What is larger than a row that is packed has cells of its own. */
const arbitraryPlace: fc.Arbitrary<Place> = fc.record({
  name: fc.oneof(fc.string(), fc.string({ unit: 'grapheme', maxLength: 8 }), fc.constant('x'.repeat(2000))),
  size: fc.oneof(fc.integer(), fc.double({ noNaN: true })),
  tags: fc.array(fc.string({ maxLength: 5 }), { maxLength: 3 }),
})

function openPlaces() {
  const core = createReplicaCoreDouble()
  const { collections, transact } = createSurface(core, { places })
  return { core, places: collections.places, transact }
}

/** The same write with a cell for each field, as the field makes it. */
function withOwnCells(write: Write, place: Place): Write {
  const cells = new Map<PartName, Cell>()
  for (const { name, part, field } of places.partsInOrder) {
    const insert = field.insert as (input: unknown, write: FieldWrite) => Cell | null
    const cell = insert(place[name as keyof Place], { mark: write.mark, seen: undefined })
    if (cell !== null) cells.set(part, cell)
  }
  return { ...write, delta: { ...write.delta, cells } }
}

function ownChunk(transactions: readonly Transaction[]): Chunk {
  return { kind: 'own', transactions }
}

test('[W1] what is packed is what cells of its own would hold, in memory and on disk', () => {
  const models = fc.array(arbitraryPlace, { minLength: 1, maxLength: 12 })
  fc.assert(
    fc.property(models, fc.integer({ min: 1, max: 60 }), (few, times) => {
      const list = Array.from({ length: few.length * times }, (_, i) => few[i % few.length] as Place)
      const alice = openPlaces()
      const ids = list.map(place => alice.places.insert(place).id)
      const shown = list.map((place, i) => ({ id: ids[i], ...place }))
      // As they were given, and once more when they are bytes.
      expect(ids.map(id => alice.places.get(id))).toEqual(shown)
      const apart = alice.core.transactions.map((transaction, i): Transaction => {
        const [write] = transaction.writes as readonly [Write]
        const other = withOwnCells(write, list[i] as Place)
        expect(digestOfRow(write.delta)).toEqual(digestOfRow(other.delta))
        expect(lastOfRow(write.delta)).toEqual(lastOfRow(other.delta))
        expect(sizeOfWrite(write)).toBe(sizeOfWrite(other))
        expect(joinRows(write.delta, other.delta)).toBe(write.delta)
        expect(showsDelta(other.delta, write.delta)).toBe(true)
        return { ...transaction, writes: [other] }
      })
      const writes = apart.flatMap(transaction => transaction.writes)
      const sum = writes.reduce((bytes, write) => bytes + sizeOfWrite(write), 0)
      expect(sizeOfWrites(writes, 0)).toBe(sum)
      const packed = alice.core.transactions.flatMap(transaction => transaction.writes)
      // Those of a run, and single ones among others.
      expect(sizeOfWrites(packed, 0)).toBe(sum)
      const mixed = packed.map((write, i) => (i % 3 === 1 ? (writes[i] as Write) : write))
      expect(sizeOfWrites(mixed, 0)).toBe(sum)
      expect(alice.core.transactions).toEqual(apart)
      const bytes = encodeChunk(ownChunk(alice.core.transactions))
      expect(bytes).toEqual(encodeChunk(ownChunk(apart)))
      const anew = createSurface(alice.core, { places }).collections.places
      expect(ids.map(id => anew.get(id))).toEqual(shown)
      expect(decodeChunk(bytes)).toEqual({ ok: true, value: ownChunk(apart) })
    }),
    { numRuns: 12 },
  )
})

test('[W1] small documents that have all fields are packed, and others have cells of their own', () => {
  const core = createReplicaCoreDouble()
  const loose = collection('loose', { a: lww(v.string()), b: lww(v.optional(v.string())) })
  const notes = collection('notes', { title: lww(v.string()), body: text() })
  const { collections } = createSurface(core, { loose, notes })
  collections.loose.insert({ a: 'a', b: 'b' })
  collections.loose.insert({ a: 'a' })
  collections.loose.insert({ a: 'a', b: 'b'.repeat(2000) })
  collections.notes.insert({ title: 'a' })
  const isPacked = core.transactions.map(({ writes }) => !(writes[0]?.delta.cells instanceof Map))
  expect(isPacked).toEqual([true, false, false, false])
  expect(core.transactions.map(({ writes }) => [...(writes[0]?.delta.cells.keys() ?? [])])).toEqual([
    ['lww:a', 'lww:b'],
    ['lww:a'],
    ['lww:a', 'lww:b'],
    ['lww:title'],
  ])
})

test('[W1] what is amiss in one document leaves nothing in those that come after it', () => {
  const alice = openPlaces()
  const wrong = { name: 'A', size: 'none', tags: [] } as unknown as Place
  expect(() => alice.places.insert(wrong)).toThrow(/size/)
  const { id } = alice.places.insert({ name: 'B', size: 2, tags: ['b'] })
  expect(alice.places.get(id)).toEqual({ id, name: 'B', size: 2, tags: ['b'] })
})

test('[W1] a document that is inserted while another one is checked is another one', () => {
  const core = createReplicaCoreDouble()
  let inner = ''
  const name: AnyField = lww(
    v.pipe(
      v.string(),
      v.check(title => {
        if (title === 'outer')
          inner = surface.collections.nested.insert({ name: 'inner', other: 'b' } as never).id
        return true
      }),
    ),
  )
  const nested = collection('nested', { name, other: lww(v.string()) })
  const surface = createSurface(core, { nested })
  const outer = surface.collections.nested.insert({ name: 'outer', other: 'a' } as never).id
  expect(surface.collections.nested.get(inner)).toMatchObject({ name: 'inner', other: 'b' })
  expect(surface.collections.nested.get(outer)).toMatchObject({ name: 'outer', other: 'a' })
})

test('[W1] what an encoding does not keep of a text is not shown before it is encoded either', () => {
  const { places } = openPlaces()
  const { id } = places.insert({ name: 'half \ud83d', size: 1, tags: [] })
  expect(places.get(id)?.name).toBe('half \ufffd')
})

test('[F4] texts of a transaction count as what they take encoded, and no more', () => {
  const { places, transact } = openPlaces()
  const fill = (count: number) => () =>
    transact(() => {
      for (let i = 0; i < count; i++) places.insert({ name: 'x'.repeat(800), size: i, tags: [] })
    })
  expect(fill(1000)).not.toThrow()
  expect(fill(1200)).toThrow(/bytes, at most/)
})

test('[F4] a document of values that are each within bounds is refused where it is beyond that of a row', () => {
  const wide = collection('wide', {
    a: lww(v.string()),
    b: lww(v.string()),
    c: lww(v.string()),
    d: lww(v.string()),
  })
  const { collections } = createSurface(createReplicaCoreDouble(), { wide })
  const large = 'x'.repeat(220 * 1024)
  expect(() => collections.wide.insert({ a: large, b: large, c: large, d: large })).toThrow(/of wide/)
})

type Step = { readonly pick: number; readonly place: Place } & (
  | { readonly kind: 'insert' | 'insert-together' | 'insert-by-name' | 'throw' }
  | { readonly kind: 'update' | 'delete' | 'undelete' }
  | { readonly kind: 'store' | 'acknowledge' | 'acknowledge-some' | 'refuse' }
)

const kinds = [
  'insert',
  'insert',
  'insert-together',
  'insert-by-name',
  'throw',
  'update',
  'delete',
  'undelete',
  'store',
  'acknowledge',
  'acknowledge-some',
  'refuse',
] as const

const arbitrarySteps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({ kind: fc.constantFrom(...kinds), pick: fc.nat(1000), place: arbitraryPlace }),
  { minLength: 5, maxLength: 60 },
)

/** Everything that a state tells of its documents, with cells of their own. */
function contentOf(state: ReplicaState): unknown {
  const apart = (row: Row | undefined): unknown => row && { ...row, cells: new Map(row.cells) }
  return {
    rows: new Map([...state.keys()].sort().map(key => [key, apart(state.visible(key))])),
    confirmed: new Map([...state.keys()].sort().map(key => [key, apart(state.confirmed(key))])),
    fingerprint: state.fingerprint,
    outbox: [...state.outbox.entries()].map(({ transaction, position }) => [transaction, position]),
    quarantine: [...state.quarantine.values()],
  }
}

function fromDisk(chunk: Chunk): Chunk {
  const decoded = decodeChunk(encodeChunk(chunk))
  if (!decoded.ok) throw new Error(JSON.stringify(decoded.error))
  return decoded.value
}

test('[P1] what is packed goes through refusals, edits and reloads as what has cells of its own', () => {
  fc.assert(
    fc.property(arbitrarySteps, steps => {
      const alice = openPlaces()
      const { state } = alice.core
      const stored: (readonly [number, Chunk])[] = []
      const { apply } = state
      Object.assign(state, {
        apply(position: number, chunk: Chunk) {
          stored.push([position, chunk.kind === 'verdicts' ? chunk : fromDisk(chunk)])
          return apply(position, chunk)
        },
      })
      const ids: string[] = []
      const one = (pick: number): string => ids[pick % ids.length] ?? ''
      const isHere = (id: string): boolean => alice.places.get(id) !== undefined
      for (const { kind, pick, place } of steps) {
        const id = one(pick)
        if (kind === 'insert') ids.push(alice.places.insert(place).id)
        if (kind === 'insert-together')
          alice.transact(() => {
            for (let i = 0; i <= pick % 5; i++) ids.push(alice.places.insert(place).id)
          })
        if (kind === 'insert-by-name' && !isHere(`n${pick % 3}`))
          ids.push(alice.places.insert(place, { id: `n${pick % 3}` }).id)
        if (kind === 'throw') {
          const run = (): void => {
            alice.places.insert(place)
            throw new Error('amiss')
          }
          expect(() => alice.transact(run)).toThrow('amiss')
        }
        if (kind === 'update' && isHere(id)) alice.places.update(id, { name: place.name })
        if (kind === 'delete' && isHere(id)) alice.places.delete(id)
        if (kind === 'undelete' && id !== '' && state.visible(`places/${id}` as never) !== undefined)
          alice.places.undelete(id)
        const waiting = [...state.outbox.entries()].map(({ transaction }) => transaction.id)
        const some = waiting.slice(0, pick % 4)
        if (kind === 'store') alice.core.store()
        if (kind === 'acknowledge') alice.core.acknowledge()
        if (kind === 'acknowledge-some' && some.length > 0) alice.core.acknowledge(...some)
        const refused = waiting[pick % waiting.length]
        if (kind === 'refuse' && refused !== undefined)
          alice.core.refuse(refused, failure('refused-by-rule', { reason: 'no' }))
        alice.core.tick()
      }
      alice.core.store()
      const again = createReplicaState()
      for (const [position, chunk] of stored) again.apply(position, chunk)
      expect(contentOf(again)).toEqual(contentOf(state))
      for (const key of state.keys()) {
        const row = state.visible(key) as Row
        expect(decodeRow(encodeRow(row))).toEqual({ ok: true, value: { ...row, cells: new Map(row.cells) } })
        expect(digestOfRow(row)).toEqual(digestOfRow({ ...row, cells: new Map(row.cells) }))
      }
    }),
    { numRuns: 60 },
  )
})
