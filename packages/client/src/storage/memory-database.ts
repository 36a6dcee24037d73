/**
 * An in-memory database with the semantics of the `Storage` port: ordered stores, keys given out from 1, an index on
 * a property, transactions that are all or nothing. It has no time in it, so a simulated disk (crashes, lost tails)
 * can be built on top: `apply` is one transaction, `image` and `restore` are what a disk holds.
 *
 * Invariant: records are clones that nobody else holds and nobody changes, so images share them. A store shares its
 * lists with its image too, until it changes; so to make an image costs next to nothing.
 */
import type { KeyRange, StorageRequest, StoreKey, StoreSchema } from '@rejoin/core'
import { compareKeys, placeInRange } from './key-order.ts'
import { copyRecord } from './record-copy.ts'

export interface MemoryDatabase {
  /** One transaction. On a collision nothing of it remains, not even the keys that it was given. */
  apply(requests: readonly StorageRequest[]): MemoryOutcome
  /** Everything that it holds, as of now. A store that has not changed since the last one is the same in it. */
  image(): MemoryImage
  restore(image: MemoryImage): void
  /** Adds stores that are not there yet. */
  addStores(schemas: readonly StoreSchema[]): void
}

export type MemoryOutcome =
  | { readonly ok: true; readonly answers: readonly unknown[] }
  | { readonly ok: false; readonly collision: StoreKey }

export interface MemoryImage {
  readonly stores: ReadonlyMap<string, MemoryStoreImage>
}

export interface MemoryStoreImage {
  readonly schema: StoreSchema
  readonly keys: readonly StoreKey[]
  readonly values: readonly unknown[]
  /** The next key to be given out. */
  readonly next: number
}

interface Store {
  readonly schema: StoreSchema
  keys: StoreKey[]
  values: unknown[]
  next: number
  /** Shares its lists, which are copied before they change. */
  image: MemoryStoreImage | null
}

type Undo = () => void

/** Where a key stands, or would stand. */
interface Place {
  readonly index: number
  readonly there: boolean
}

export function createMemoryDatabase(schemas: readonly StoreSchema[]): MemoryDatabase {
  const stores = new Map<string, Store>()

  function storeOf(name: string): Store {
    const store = stores.get(name)
    if (store === undefined) throw new Error(`there is no store ${name}`)
    return store
  }

  const database: MemoryDatabase = {
    apply(requests) {
      const answers: unknown[] = []
      const undone: Undo[] = []
      const copyOnce = createCopier()
      for (const request of requests) {
        const outcome = run(storeOf(request.store), request, undone, copyOnce)
        if (!outcome.ok) {
          for (const undo of undone.reverse()) undo()
          return outcome
        }
        answers.push(outcome.answer)
      }
      return { ok: true, answers }
    },
    image: () => ({ stores: new Map([...stores].map(([name, store]) => [name, imageOf(store)])) }),
    restore(image) {
      stores.clear()
      for (const [name, held] of image.stores) {
        const { schema, keys, values, next } = held
        // Not written to before they are copied.
        stores.set(name, { schema, keys: keys as StoreKey[], values: values as unknown[], next, image: held })
      }
    },
    addStores(added) {
      for (const schema of added) {
        if (!stores.has(schema.name))
          stores.set(schema.name, { schema, keys: [], values: [], next: 1, image: null })
      }
    },
  }
  database.addStores(schemas)
  return database
}

function imageOf(store: Store): MemoryStoreImage {
  const { schema, keys, values, next } = store
  store.image ??= { schema, keys, values, next }
  return store.image
}

/** Before it changes: its image keeps the lists. */
function part(store: Store): void {
  if (store.image === null) return
  store.image = null
  store.keys = [...store.keys]
  store.values = [...store.values]
}

type Answer =
  | { readonly ok: true; readonly answer: unknown }
  | { readonly ok: false; readonly collision: StoreKey }

/** Copies what is stored; what stands several times in one transaction is copied once. */
function createCopier(): (value: unknown) => unknown {
  const copies = new Map<unknown, unknown>()
  return value => {
    if (!copies.has(value)) copies.set(value, copyRecord(value))
    return copies.get(value)
  }
}

function run(
  store: Store,
  request: StorageRequest,
  undone: Undo[],
  copyOnce: (value: unknown) => unknown,
): Answer {
  switch (request.op) {
    case 'get': {
      const at = find(store, request.key)
      return answered(at.there ? copyRecord(store.values[at.index]) : undefined)
    }
    case 'getAll':
      return answered(copyRecord(selectValues(store, request.range, request.index, request.limit)))
    case 'getAllKeys': {
      const [from, to] = span(store, request.range)
      return answered(copyRecord(store.keys.slice(from, Math.min(to, from + (request.limit ?? Infinity)))))
    }
    case 'put':
      insert(store, request.key, find(store, request.key), copyOnce(request.value), undone)
      return answered(request.key)
    case 'add': {
      if (request.key === undefined && !store.schema.autoIncrement) {
        throw new Error(`a record of ${store.schema.name} needs a key`)
      }
      const key = request.key ?? store.next
      const place = find(store, key)
      if (place.there) return { ok: false, collision: key }
      insert(store, key, place, copyOnce(request.value), undone)
      return answered(key)
    }
    case 'delete': {
      const [from, to] = span(store, request.range)
      if (from === to) return answered(undefined)
      part(store)
      const keys = store.keys.splice(from, to - from)
      const values = store.values.splice(from, to - from)
      undone.push(() => {
        store.keys.splice(from, 0, ...keys)
        store.values.splice(from, 0, ...values)
      })
      return answered(undefined)
    }
  }
}

function answered(answer: unknown): Answer {
  return { ok: true, answer }
}

function insert(store: Store, key: StoreKey, { index, there }: Place, value: unknown, undone: Undo[]): void {
  part(store)
  const { next } = store
  if (there) {
    const before = store.values[index]
    store.values[index] = value
    undone.push(() => void (store.values[index] = before))
    return
  }
  store.keys.splice(index, 0, copyRecord(key))
  store.values.splice(index, 0, value)
  // As in IndexedDB: a greater key that was brought along moves what is given out next.
  if (store.schema.autoIncrement && typeof key === 'number' && key >= next) store.next = Math.floor(key) + 1
  undone.push(() => {
    store.keys.splice(index, 1)
    store.values.splice(index, 1)
    store.next = next
  })
}

function find(store: Store, key: StoreKey): Place {
  const last = store.keys.at(-1)
  // Most of what is added comes behind all that is there.
  if (last === undefined || compareKeys(last, key) < 0) return { index: store.keys.length, there: false }
  const index = firstIndex(store, other => compareKeys(other, key) >= 0)
  const found = store.keys[index]
  return { index, there: found !== undefined && compareKeys(found, key) === 0 }
}

function span(store: Store, range: KeyRange | StoreKey | undefined): [from: number, to: number] {
  const from = firstIndex(store, key => placeInRange(key, range) >= 0)
  return [
    from,
    Math.max(
      from,
      firstIndex(store, key => placeInRange(key, range) > 0),
    ),
  ]
}

/** The first index whose key is at or behind a place; keys are in order, so it is found by halves. */
function firstIndex(store: Store, isBehind: (key: StoreKey) => boolean): number {
  let low = 0
  let high = store.keys.length
  while (low < high) {
    const middle = (low + high) >> 1
    const key = store.keys[middle]
    if (key !== undefined && isBehind(key)) high = middle
    else low = middle + 1
  }
  return low
}

function selectValues(
  store: Store,
  range: KeyRange | undefined,
  index: string | undefined,
  limit = Infinity,
): readonly unknown[] {
  if (index === undefined) {
    const [from, to] = span(store, range)
    return store.values.slice(from, Math.min(to, from + limit))
  }
  const found: { readonly at: StoreKey; readonly value: unknown }[] = []
  for (const value of store.values) {
    const at = propertyOf(value, index)
    if (at !== undefined && placeInRange(at, range) === 0) found.push({ at, value })
  }
  // The sort is stable, so records with the same value stay in the order of their keys.
  found.sort((a, b) => compareKeys(a.at, b.at))
  return found.slice(0, limit).map(({ value }) => value)
}

function propertyOf(value: unknown, name: string): StoreKey | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const property: unknown = Reflect.get(value, name)
  return typeof property === 'number' || typeof property === 'string' ? property : undefined
}
