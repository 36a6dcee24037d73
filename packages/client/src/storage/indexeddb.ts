/**
 * Storage in IndexedDB. Each transaction issues all its requests in one go and has no callback between them, so that
 * a frozen or busy tab never holds a lock that others wait for.
 */
import { openDB, unwrap } from 'idb'
import {
  RejoinError,
  StorageCollision,
  type OpenStorage,
  type Runtime,
  type Storage,
  type StorageLoss,
  type StoreSchema,
} from '@rejoin/core'
import { settleRequests } from './indexeddb-requests.ts'

/** How long an opening may wait for other tabs to let go of an older version, or for a browser that does not answer. */
const openMs = 5000
/** An engine may abort a transaction and say nothing of why: nobody's wish, and most often over at once. */
const attemptsMax = 3

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
): Promise<IDBDatabase> {
  let database: IDBDatabase
  try {
    const opened = await openDB(name, version, {
      upgrade(upgraded, _from, _to, transaction) {
        for (const schema of stores) addStore(unwrap(upgraded), unwrap(transaction), schema)
      },
      blocking: () => connection.lose('taken', 'another tab deletes it, or opened a newer version'),
      terminated: () => connection.lose('closed', 'the browser closed the connection'),
    })
    // A layer that makes a promise of each request would cost a small write a seventh of its time.
    database = unwrap(opened)
  } catch (error) {
    throw closed(name, `the browser did not open it: ${reasonOf(error)}`, error)
  }
  const missing = stores.find(store => !database.objectStoreNames.contains(store.name))
  if (missing === undefined) return database
  database.close()
  throw closed(name, `the browser delivered it without its store ${missing.name}`)
}

function addStore(
  database: IDBDatabase,
  transaction: IDBTransaction,
  { name, autoIncrement, index }: StoreSchema,
): void {
  const store = database.objectStoreNames.contains(name)
    ? transaction.objectStore(name)
    : database.createObjectStore(name, { autoIncrement })
  if (index !== undefined && !store.indexNames.contains(index)) store.createIndex(index, index)
}

function withinTime(runtime: Runtime, name: string, opening: Promise<IDBDatabase>): Promise<IDBDatabase> {
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
  lose(loss: StorageLoss, reason: string): void
  hold(database: IDBDatabase): Storage
}

function createConnection(name: string): Connection {
  const listeners = new Set<(loss: StorageLoss) => void>()
  let held: IDBDatabase | null = null
  let lost: string | null = null

  function lose(loss: StorageLoss, reason: string): void {
    if (lost !== null) return
    lost = reason
    held?.close()
    for (const listener of [...listeners]) listener(loss)
    listeners.clear()
  }

  function begin(database: IDBDatabase, options: Parameters<Storage['transact']>[0]): IDBTransaction {
    if (lost !== null) throw closed(name, lost)
    const { stores, mode, durability } = options
    try {
      return database.transaction(stores, mode, durability === undefined ? undefined : { durability })
    } catch (error) {
      if (!isClosing(error)) throw error
      lose('closed', 'the connection is closed')
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
            const { answers, failures, isAborted } = await settleRequests(begin(database, options), options)
            if (failures.length === 0) return answers
            const error = translate(name, failures)
            if (isAborted && !isExplained(error) && lost === null && attempt < attemptsMax) continue
            if (isAborted && failures.some(isUnknown))
              lose('closed', 'the browser says that it does not answer')
            throw error
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

/** What an engine says whose storage process is gone, in the place of closing the connection. */
function isUnknown(failure: unknown): boolean {
  return nameOf(failure) === 'UnknownError'
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
