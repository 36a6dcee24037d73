// What only a database of a browser can do to a program: be full, be taken away, not open.
import 'fake-indexeddb/auto'
import { createIndexedDbStorage } from '@rejoin/client'
import { StorageCollision, type Runtime, type Storage, type StoreSchema } from '@rejoin/core'
import { deleteDB, openDB } from 'idb'
import { afterEach, expect, test, vi } from 'vitest'

const stores: readonly StoreSchema[] = [{ name: 'journal', autoIncrement: true }]
let timers: (() => void)[] = []
const runtime: Runtime = {
  now: () => 0,
  monotonic: () => 0,
  randomBytes: length => new Uint8Array(length),
  after: (_delayMs, run) => {
    timers.push(run)
    return () => {
      timers = timers.filter(timer => timer !== run)
    }
  },
}
const open = createIndexedDbStorage(runtime)

afterEach(() => {
  vi.restoreAllMocks()
  timers = []
})

test('a full disk is storage-full, also where no request but only the transaction says so', async () => {
  const storage = await open('full', 1, stores)
  const full = new DOMException('no room', 'QuotaExceededError')
  vi.spyOn(IDBTransaction.prototype, 'commit').mockImplementationOnce(function (this: IDBTransaction) {
    Object.defineProperty(this, 'error', { get: () => full, set: () => {} })
    this.abort()
  })
  await expect(add(storage)).rejects.toMatchObject({ code: 'storage-full' })
  vi.restoreAllMocks()
  expect(await add(storage)).toEqual([1])
})

test('a transaction that is aborted for no reason is tried again, and stored once', async () => {
  const storage = await open('aborted', 1, stores)
  abort(2)
  expect(await add(storage)).toEqual([1])
  expect(await storage.transact(all)).toEqual([['x']])
})

test('a transaction that is aborted again and again is storage-closed, and the next one is tried', async () => {
  const storage = await open('aborted always', 1, stores)
  abort(3)
  await expect(add(storage)).rejects.toMatchObject({ code: 'storage-closed' })
  expect(await storage.transact(all)).toEqual([[]])
  expect(await add(storage)).toEqual([1])
})

test('a collision is told at once, and not tried again', async () => {
  const storage = await open('collision', 1, stores)
  const begun = vi.spyOn(IDBDatabase.prototype, 'transaction')
  const request = { op: 'add', store: 'journal', key: 7, value: 'x' } as const
  const twice = { stores: ['journal'], mode: 'readwrite', requests: [request, request] } as const
  await expect(storage.transact(twice)).rejects.toBeInstanceOf(StorageCollision)
  expect(begun).toHaveBeenCalledTimes(1)
})

// As Chromium does it with records that it keeps in files of their own, where the commit came before the answer.
test('an answer that is still on its way when the transaction is complete is waited for', async () => {
  const storage = await open('late', 1, stores)
  await add(storage)
  const late: IDBRequest[] = []
  const getAll = IDBObjectStore.prototype.getAll
  vi.spyOn(IDBObjectStore.prototype, 'getAll').mockImplementationOnce(function (this: IDBObjectStore) {
    const request = getAll.call(this) as IDBRequest<unknown[]>
    const unfinished = (): never => {
      throw new DOMException('it has not finished', 'InvalidStateError')
    }
    for (const property of ['error', 'result'])
      Object.defineProperty(request, property, { get: unfinished, set: () => {}, configurable: true })
    Object.defineProperty(request, 'readyState', { get: () => 'pending', set: () => {}, configurable: true })
    this.transaction.addEventListener('complete', () => setTimeout(() => arrive(request, ['x'])))
    late.push(request)
    return request
  })
  expect(await storage.transact(all)).toEqual([['x']])
  expect(late[0]?.readyState).toBe('done')
})

function arrive(request: IDBRequest, result: unknown): void {
  const now = { readyState: 'done', error: null, result }
  for (const [property, value] of Object.entries(now)) Object.defineProperty(request, property, { value })
  request.onsuccess?.(new Event('success'))
}

test('a database that another tab upgrades is let go, and its loss is told once', async () => {
  const storage = await open('upgraded', 1, stores)
  const lost: string[] = []
  storage.onLost(loss => lost.push(loss))
  const newer = await openDB('upgraded', 2)
  expect(lost).toEqual(['taken'])
  await expect(add(storage)).rejects.toMatchObject({ code: 'storage-closed' })
  newer.close()
  expect(lost).toEqual(['taken'])
})

test('a database that is deleted is let go', async () => {
  const storage = await open('deleted', 1, stores)
  const lost: string[] = []
  storage.onLost(loss => lost.push(loss))
  await deleteDB('deleted')
  expect(lost).toEqual(['taken'])
})

test('a connection that the browser closed is found by the next transaction and told', async () => {
  const storage = await open('terminated', 1, stores)
  const lost: string[] = []
  storage.onLost(loss => lost.push(loss))
  vi.spyOn(IDBDatabase.prototype, 'transaction').mockImplementationOnce(() => {
    throw new DOMException('closing', 'InvalidStateError')
  })
  await expect(add(storage)).rejects.toMatchObject({ code: 'storage-closed' })
  expect(lost).toEqual(['closed'])
})

test('a connection behind which nothing answers any more is closed and told, though the browser says no such thing', async () => {
  const storage = await open('silent', 1, stores)
  const lost: string[] = []
  storage.onLost(loss => lost.push(loss))
  abort(3, new DOMException('the connection to the server is lost', 'UnknownError'))
  await expect(add(storage)).rejects.toMatchObject({ code: 'storage-closed' })
  expect(lost).toEqual(['closed'])
})

test('an opening that others hold up is storage-blocked after a while, and closed if it comes late', async () => {
  const holder = await openDB('held', 1)
  const opening = open('held', 2, stores)
  const blocked = expect(opening).rejects.toMatchObject({ code: 'storage-blocked' })
  await vi.waitFor(() => expect(timers.length).toBe(1))
  timers[0]?.()
  await blocked
  holder.close()
  const again = await open('held', 2, stores)
  expect(await add(again)).toEqual([1])
})

test('a newer database is storage-closed and left as it is', async () => {
  ;(await openDB('newer', 3)).close()
  await expect(open('newer', 1, stores)).rejects.toMatchObject({ code: 'storage-closed' })
})

test('a database that is delivered without its stores is storage-closed', async () => {
  ;(await openDB('bare', 1)).close()
  await expect(open('bare', 1, stores)).rejects.toMatchObject({ code: 'storage-closed' })
})

test('an opening that fails once is tried again', async () => {
  vi.spyOn(indexedDB, 'open').mockImplementationOnce(() => {
    throw new DOMException('Internal error opening backing store', 'UnknownError')
  })
  expect(await add(await open('flaky', 1, stores))).toEqual([1])
})

test('a value that cannot be stored is an error of the program, and nothing of the transaction remains', async () => {
  const storage = await open('wrong', 1, stores)
  await expect(add(storage, () => {})).rejects.toMatchObject({ name: 'DataCloneError' })
  expect(await add(storage)).toEqual([1])
})

test.each(['strict', 'relaxed'] as const)(
  'a transaction is as durable as it was asked to be: %s',
  async durability => {
    const storage = await open(`durability ${durability}`, 1, stores)
    const begun = vi.spyOn(IDBDatabase.prototype, 'transaction')
    await storage.transact({ stores: ['journal'], mode: 'readwrite', durability, requests: [] })
    expect(begun).toHaveBeenCalledWith(['journal'], 'readwrite', { durability })
  },
)

const all = {
  stores: ['journal'],
  mode: 'readonly',
  requests: [{ op: 'getAll', store: 'journal' }],
} as const

/** The next transactions that write end by an abort of which nobody says why. */
function abort(times: number, error?: DOMException): void {
  const commit = vi.spyOn(IDBTransaction.prototype, 'commit')
  for (let i = 0; i < times; i++) {
    commit.mockImplementationOnce(function (this: IDBTransaction) {
      if (error !== undefined) Object.defineProperty(this, 'error', { get: () => error, set: () => {} })
      this.abort()
    })
  }
}

function add(storage: Storage, value: unknown = 'x'): Promise<readonly unknown[]> {
  return storage.transact({
    stores: ['journal'],
    mode: 'readwrite',
    durability: 'strict',
    early: true,
    requests: [{ op: 'add', store: 'journal', value }],
  })
}
