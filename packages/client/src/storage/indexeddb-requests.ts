/**
 * The requests of one transaction in IndexedDB: all issued in one go, and looked at once it has ended. Nobody listens to a
 * request by itself, since to be told of each costs as much as what a small write stores.
 *
 * Done means: the transaction is complete *and* every request succeeded. After an explicit commit Firefox completes a
 * transaction of which a request other than the last one failed; and of a collision only the request knows, the
 * transaction just says that it was aborted.
 */
import type { KeyRange, Storage, StorageRequest, StoreKey } from '@rejoin/core'
import { isRange } from './key-order.ts'

export interface Settled {
  /** One for each request, if nothing failed. */
  readonly answers: readonly unknown[]
  readonly failures: readonly unknown[]
  /** Nothing of it is stored. */
  readonly isAborted: boolean
}

export function settleRequests(
  transaction: IDBTransaction,
  { requests, early }: Pick<Parameters<Storage['transact']>[0], 'requests' | 'early'>,
): Promise<Settled> {
  return new Promise(resolve => {
    const issued: IDBRequest[] = []
    const failures: unknown[] = []
    transaction.oncomplete = () => end(false)
    transaction.onabort = () => end(true)

    function end(isAborted: boolean): void {
      // After an explicit commit Chromium may still be at bringing a large answer when the transaction is complete.
      const late = issued.find(({ readyState }) => readyState === 'pending')
      if (late !== undefined) {
        late.onsuccess = late.onerror = () => end(isAborted)
        return
      }
      for (const { error } of issued) if (error) failures.push(error)
      if (isAborted) failures.push(transaction.error ?? new DOMException('it was aborted', 'AbortError'))
      resolve({ answers: failures.length > 0 ? [] : issued.map(resultOf), failures, isAborted })
    }

    try {
      for (const request of requests) issued.push(issue(transaction, request))
      if (early === true) transaction.commit()
    } catch (error) {
      failures.push(error)
      try {
        transaction.abort()
      } catch {
        // It has ended already, which is all that the abort is for.
      }
    }
  })
}

function resultOf({ result }: IDBRequest): unknown {
  return result
}

function issue(transaction: IDBTransaction, request: StorageRequest): IDBRequest {
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
      return store.put(request.value, keyOf(request.key))
    case 'add':
      return store.add(request.value, request.key === undefined ? undefined : keyOf(request.key))
    case 'delete':
      return store.delete(
        isRange(request.range)
          ? (rangeOf(request.range) ?? IDBKeyRange.lowerBound(-Infinity))
          : keyOf(request.range),
      )
  }
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
