/** What a page's origin holds in all of its databases, as sizes of keys and values, measured beside the running app. */
import type { Page } from 'playwright'

export interface OriginSize {
  readonly bytes: number
  /** By database and store: how many records, and how many bytes they are. */
  readonly stores: Readonly<Record<string, { readonly records: number; readonly bytes: number }>>
}

export function measureOrigin(page: Page): Promise<OriginSize> {
  return page.evaluate(async () => {
    const ask = <T>(request: IDBRequest<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result)
        request.onerror = () => reject(request.error ?? new Error('no answer'))
      })
    const sizeOf = (value: unknown): number => {
      if (typeof value === 'string') return value.length
      if (ArrayBuffer.isView(value)) return value.byteLength
      if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + sizeOf(item), 0)
      if (typeof value !== 'object' || value === null) return 8
      return Object.entries(value).reduce((sum, [key, item]) => sum + key.length + sizeOf(item), 0)
    }
    const stores: Record<string, { records: number; bytes: number }> = {}
    let bytes = 0
    for (const { name = '' } of await indexedDB.databases()) {
      const database = await ask(indexedDB.open(name))
      for (const store of database.objectStoreNames) {
        const transaction = database.transaction(store)
        const keys = await ask(transaction.objectStore(store).getAllKeys())
        const values = await ask(transaction.objectStore(store).getAll())
        const size = sizeOf(keys) + sizeOf(values)
        stores[`${name} ${store}`] = { records: keys.length, bytes: size }
        bytes += size
      }
      database.close()
    }
    return { bytes, stores }
  })
}
