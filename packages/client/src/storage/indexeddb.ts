/**
 * Storage in IndexedDB. Each transaction issues all its requests in one go and has no callback between them, so that
 * a frozen or busy tab never holds a lock that others wait for.
 *
 * Done means: the transaction is complete *and* every request succeeded. After an explicit commit Firefox completes
 * a transaction of which a request other than the last one failed; and of a collision only the request knows, the
 * transaction just says that it was aborted.
 */
import { openDB, type IDBPDatabase, type IDBPTransaction } from 'idb'
import {
  RejoinError,
  StorageCollision,
  type KeyRange,
  type OpenStorage,
  type Runtime,
  type Storage,
  type StorageRequest,
  type StoreKey,
  type StoreSchema,
} from '@rejoin/core'
import { isRange } from './key-order.ts'

/** How long an opening may wait for other tabs to let go of an older version, or for a browser that does not answer. */
const openMs = 5000
/** An engine may abort a transaction and say nothing of why: nobody's wish, and most often over at once. */
const attemptsMax = 3

type Transaction = IDBPTransaction<unknown, string[], 'readonly' | 'readwrite'>
type Writing = IDBPTransaction<unknown, string[], 'readwrite'>

export function createIndexedDbStorage(runtime: Runtime): OpenStorage {
  return async (name, version, stores) => {
    try {
      return await openOnce(runtime, name, version, stores)
    } catch (error) {
      // An engine that found its files torn fails the first opening and then delivers an empty database.
      if (!(error instanceof RejoinError) || error.code !== 'storage-closed') throw error
      return openOnce(runtime, name, version, stores)
    }
  }
}

async function openOnce(
  runtime: Runtime,
  name: string,
  version: number,
  stores: readonly StoreSchema[],
): Promise<Storage> {
  const connection = createConnection(name)
  const database = await withinTime(runtime, name, openComplete(name, version, stores, connection))
  return connection.hold(database)
}

async function openComplete(
  name: string,
  version: number,
  stores: readonly StoreSchema[],
  connection: Connection,
): Promise<IDBPDatabase> {
  let database: IDBPDatabase
  try {
    database = await openDB(name, version, {
      upgrade(upgraded, _from, _to, transaction) {
        for (const schema of stores) addStore(upgraded, transaction, schema)
      },
      blocking: () => connection.lose('another tab opened a newer version'),
      terminated: () => connection.lose('the browser closed the connection'),
    })
  } catch (error) {
    throw closed(name, `the browser did not open it: ${reasonOf(error)}`, error)
  }
  const missing = stores.find(store => !database.objectStoreNames.contains(store.name))
  if (missing === undefined) return database
  database.close()
  throw closed(name, `the browser delivered it without its store ${missing.name}`)
}

function addStore(
  database: IDBPDatabase,
  transaction: IDBPTransaction<unknown, string[], 'versionchange'>,
  { name, autoIncrement, index }: StoreSchema,
): void {
  const store = database.objectStoreNames.contains(name)
    ? transaction.objectStore(name)
    : database.createObjectStore(name, { autoIncrement })
  if (index !== undefined && !store.indexNames.contains(index)) store.createIndex(index, index)
}

function withinTime(runtime: Runtime, name: string, opening: Promise<IDBPDatabase>): Promise<IDBPDatabase> {
  return new Promise((resolve, reject) => {
    let isLate = false
    const cancel = runtime.after(openMs, () => {
      isLate = true
      const reason = 'the browser or another tab does not let it open'
      reject(
        new RejoinError('storage-blocked', { reason }, `${name}: ${reason}; close other tabs or try again`),
      )
    })
    opening.then(
      database => {
        cancel()
        if (isLate) database.close()
        else resolve(database)
      },
      (error: unknown) => {
        cancel()
        reject(error)
      },
    )
  })
}

interface Connection {
  lose(reason: string): void
  hold(database: IDBPDatabase): Storage
}

function createConnection(name: string): Connection {
  const listeners = new Set<(reason: string) => void>()
  let held: IDBPDatabase | null = null
  let lost: string | null = null

  function lose(reason: string): void {
    if (lost !== null) return
    lost = reason
    held?.close()
    for (const listener of [...listeners]) listener(reason)
    listeners.clear()
  }

  function begin(database: IDBPDatabase, options: Parameters<Storage['transact']>[0]): Transaction {
    if (lost !== null) throw closed(name, lost)
    const { stores, mode, durability } = options
    try {
      return database.transaction([...stores], mode, durability === undefined ? {} : { durability })
    } catch (error) {
      if (!isClosing(error)) throw error
      lose('the connection is closed')
      throw closed(name, 'the connection is closed', error)
    }
  }

  return {
    lose,
    hold(database) {
      held = database
      if (lost !== null) database.close()
      return {
        async transact(options) {
          for (let attempt = 1; ; attempt++) {
            const { answers, failures, isAborted } = await settle(begin(database, options), options)
            if (failures.length === 0) return answers
            const error = translate(name, failures)
            if (!isAborted || isExplained(error) || lost !== null || attempt === attemptsMax) throw error
          }
        },
        onLost(listener) {
          listeners.add(listener)
          return () => void listeners.delete(listener)
        },
        close() {
          lost ??= 'closed'
          listeners.clear()
          database.close()
        },
      }
    },
  }
}

interface Settled {
  readonly answers: readonly unknown[]
  readonly failures: readonly unknown[]
  /** Nothing of it is stored. */
  readonly isAborted: boolean
}

async function settle(
  transaction: Transaction,
  { requests, early }: Parameters<Storage['transact']>[0],
): Promise<Settled> {
  const [done, ...settled] = await Promise.allSettled([
    transaction.done,
    ...issue(transaction, requests, early === true),
  ])
  return {
    answers: settled.map(one => (one.status === 'fulfilled' ? one.value : null)),
    failures: [...settled, done].flatMap(one => (one.status === 'rejected' ? [one.reason as unknown] : [])),
    isAborted: done.status === 'rejected',
  }
}

/** Each answer is a promise of its own, and whoever calls settles all of them, so that none is left unhandled. */
function issue(
  transaction: Transaction,
  requests: readonly StorageRequest[],
  early: boolean,
): Promise<unknown>[] {
  const answers: Promise<unknown>[] = []
  try {
    for (const request of requests) answers.push(answer(transaction, request))
    if (early) transaction.commit()
  } catch (error) {
    answers.push(Promise.reject(error))
    try {
      transaction.abort()
    } catch {
      // It has ended already, which is all that the abort is for.
    }
  }
  return answers
}

function answer(transaction: Transaction, request: StorageRequest): Promise<unknown> {
  const store = transaction.objectStore(request.store)
  switch (request.op) {
    case 'get':
      return store.get(keyOf(request.key))
    case 'getAll': {
      const source = request.index === undefined ? store : store.index(request.index)
      return source.getAll(rangeOf(request.range), request.limit)
    }
    case 'getAllKeys':
      return store.getAllKeys(rangeOf(request.range), request.limit)
    case 'put':
      return writable(transaction, request.store).put(request.value, keyOf(request.key))
    case 'add':
      return writable(transaction, request.store).add(
        request.value,
        request.key === undefined ? undefined : keyOf(request.key),
      )
    case 'delete':
      return writable(transaction, request.store).delete(
        isRange(request.range)
          ? (rangeOf(request.range) ?? IDBKeyRange.lowerBound(-Infinity))
          : keyOf(request.range),
      )
  }
}

function writable(transaction: Transaction, store: string): ReturnType<Writing['objectStore']> {
  return (transaction as Writing).objectStore(store)
}

function keyOf(key: StoreKey): IDBValidKey {
  return typeof key === 'object' ? [...key] : key
}

function rangeOf(range: KeyRange | undefined): IDBKeyRange | undefined {
  if (range === undefined) return undefined
  const { lower, upper, lowerOpen = false, upperOpen = false } = range
  if (lower !== undefined && upper !== undefined) {
    return IDBKeyRange.bound(keyOf(lower), keyOf(upper), lowerOpen, upperOpen)
  }
  if (lower !== undefined) return IDBKeyRange.lowerBound(keyOf(lower), lowerOpen)
  return upper === undefined ? undefined : IDBKeyRange.upperBound(keyOf(upper), upperOpen)
}

function translate(name: string, failures: readonly unknown[]): unknown {
  const collision = failures.find(failure => nameOf(failure) === 'ConstraintError')
  if (collision !== undefined) return new StorageCollision(`${name} has a record with this key already`)
  const full = failures.find(failure => nameOf(failure) === 'QuotaExceededError')
  if (full !== undefined) {
    const reason = 'the browser gives no more room'
    return new RejoinError('storage-full', { reason }, `${name}: ${reason}; free some and try again`, full)
  }
  const wrong = failures.find(failure => programming.has(nameOf(failure)))
  if (wrong !== undefined) return wrong
  return closed(name, reasonOf(failures[0]), failures[0])
}

/** Whether trying again would end alike: a collision, a full disk, a wrong request. */
function isExplained(error: unknown): boolean {
  return !(error instanceof RejoinError) || error.code !== 'storage-closed'
}

/** What a wrong request is answered with: a bug, which no caller is to handle. */
const programming: ReadonlySet<string> = new Set([
  'DataError',
  'DataCloneError',
  'ReadOnlyError',
  'NotFoundError',
  'TypeError',
])

function isClosing(error: unknown): boolean {
  return nameOf(error) === 'InvalidStateError'
}

function nameOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'name' in error ? String(error.name) : ''
}

function reasonOf(error: unknown): string {
  return error instanceof Error || error instanceof DOMException
    ? `${error.name}: ${error.message}`
    : String(error)
}

function closed(name: string, reason: string, cause?: unknown): RejoinError {
  return new RejoinError('storage-closed', { reason }, `${name}: ${reason}; open it again`, cause)
}
