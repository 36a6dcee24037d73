/** How often the tabs of a browser have put their store in order, by what the store itself says. */
import type { Page } from 'playwright'

export interface CompactionCount {
  /** Every compaction takes a term of its own, and terms only rise. */
  readonly ever: number
  /** Up to where the journal was moved into pages. */
  readonly floor: number
}

export function countCompactions(page: Page): Promise<CompactionCount> {
  return page.evaluate(async () => {
    const ask = <T>(request: IDBRequest<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result)
        request.onerror = () => reject(request.error ?? new Error('no answer'))
      })
    const found = await indexedDB.databases()
    const database = await ask(
      indexedDB.open(found.find(({ name }) => name?.startsWith('rejoin/'))?.name ?? ''),
    )
    const transaction = database.transaction(['runs', 'meta'])
    const keys = (await ask(transaction.objectStore('runs').getAllKeys())) as number[][]
    const base = (await ask(transaction.objectStore('meta').get('base'))) as { floor: number } | undefined
    database.close()
    return { ever: keys.at(-1)?.[0] ?? 0, floor: base?.floor ?? 0 }
  })
}
