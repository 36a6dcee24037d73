/** The steps of the workloads inside a page: each opens its own, does one thing, and says how many milliseconds it took. */
import { entries, entryId } from '../records.ts'
import type { PageContender, PageRelay } from './page-store.ts'

export interface Steps {
  /** One insert after the other, each in a turn of its own, until all are stored. */
  single(name: string, count: number): Promise<number>
  /** Each awaited until it is on disk, before the next. */
  awaited(name: string, count: number): Promise<number>
  bulk(name: string, count: number): Promise<number>
  /** Everything that is stored, read by id in an order of its own; and by owner. */
  reads(name: string, count: number): Promise<{ readonly byId: number; readonly byOwner: number }>
  /** Until all that is stored is here and read. */
  load(name: string, count: number): Promise<number>
  /** Everything that the relay has, until it is stored. */
  cold(name: string, count: number, relay: PageRelay): Promise<number>
  /** Everything that the relay has, until it is stored and what is done with it at leisure is done. */
  fill(name: string, relay: PageRelay): Promise<number>
  /** Until it is open and one entry is read: and the longest that the page was busy without a break. */
  opening(name: string, count: number): Promise<{ readonly ms: number; readonly longestMs: number }>
  /** As `load`, but with the relay; the time is that of the load alone. Resolves when it is level. */
  again(name: string, count: number, relay: PageRelay): Promise<number>
}

const queries = 100
/** What a page does after it has opened is done by then. */
const afterwardsMs = 500

/** Tasks of 50 ms and more are told by the browser, a moment after they ended. */
function watchTasks(): () => Promise<number> {
  let longest = 0
  const observer = new PerformanceObserver(list => {
    for (const { duration } of list.getEntries()) longest = Math.max(longest, duration)
  })
  observer.observe({ type: 'longtask' })
  return async () => {
    await new Promise(resolve => setTimeout(resolve, afterwardsMs))
    observer.disconnect()
    return longest
  }
}

export function exposeSteps(contender: PageContender): void {
  async function timed(run: () => unknown): Promise<number> {
    const start = performance.now()
    await run()
    return performance.now() - start
  }

  function check(found: number, expected: number): void {
    if (found !== expected) throw new Error(`${found} entries are here, not ${expected}`)
  }

  const steps: Steps = {
    async single(name, count) {
      const list = entries(count)
      const store = await contender.open(name)
      const ms = await timed(async () => {
        for (const [id, entry] of list) {
          store.insert(id, entry)
          await Promise.resolve()
        }
        await store.persisted()
      })
      await store.close()
      return ms
    },
    async awaited(name, count) {
      const list = entries(count)
      const store = await contender.open(name)
      const ms = await timed(async () => {
        for (const [id, entry] of list) await store.insertDurably(id, entry)
      })
      await store.close()
      return ms
    },
    async bulk(name, count) {
      const list = entries(count)
      const store = await contender.open(name)
      const ms = await timed(async () => {
        store.bulk(list)
        await store.persisted()
      })
      check(store.count(), count)
      await store.close()
      return ms
    },
    async reads(name, count) {
      const store = await contender.open(name)
      check(store.count(), count)
      const byId = await timed(() => {
        for (let i = 0; i < count; i++)
          if (store.get(entryId((i * 7919) % count)) === undefined) throw new Error('an entry is missing')
      })
      let found = 0
      const byOwner = await timed(() => {
        for (let i = 0; i < queries; i++) found += store.countOf(`user${i}`)
      })
      check(found, count)
      await store.close()
      return { byId, byOwner }
    },
    async load(name, count) {
      const start = performance.now()
      const store = await contender.open(name)
      check(store.count(), count)
      const ms = performance.now() - start
      await store.close()
      return ms
    },
    async cold(name, count, relay) {
      const start = performance.now()
      const store = await contender.open(name, relay)
      await store.synced()
      const ms = performance.now() - start
      check(store.count(), count)
      return ms
    },
    async fill(name, relay) {
      const longest = watchTasks()
      const store = await contender.open(name, relay)
      await store.synced()
      await store.settled()
      await store.close()
      return longest()
    },
    async opening(name, count) {
      const longest = watchTasks()
      const start = performance.now()
      const store = await contender.open(name)
      if (store.get(entryId(count - 1)) === undefined) throw new Error('the last entry is missing')
      const ms = performance.now() - start
      const longestMs = await longest()
      await store.close()
      return { ms, longestMs }
    },
    async again(name, count, relay) {
      const start = performance.now()
      const store = await contender.open(name, relay)
      check(store.count(), count)
      const ms = performance.now() - start
      await store.synced()
      return ms
    },
  }
  Object.assign(globalThis, { steps })
}
