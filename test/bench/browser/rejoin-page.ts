/** Rejoin in a page: the replica that an application opens, in IndexedDB. */
import { collection, openReplica, type WriteHandle } from '@rejoin/client'
import { lww } from '@rejoin/resolve'
import { openDB } from 'idb'
import { anything } from '../contenders/anything.ts'
import type { PageContender, PageRelay, PageStore } from './page-store.ts'
import { exposeSteps } from './steps.ts'

const recs = collection('recs', {
  title: lww(anything<string>()),
  status: lww(anything<string>()),
  owner: lww(anything<string>()),
  note: lww(anything<string>()),
  n: lww(anything<number>()),
})

/** About as many entries as one transaction takes. */
const transactionEntries = 2500

async function open(name: string, relay?: PageRelay): Promise<PageStore> {
  const replica = await openReplica({
    space: relay?.space ?? name,
    name,
    collections: { recs },
    relays: relay === undefined ? [] : [relay.url],
    token: () => 'page',
  })
  const all = replica.recs.query()
  let last: Pick<WriteHandle, 'reached'> | null = null
  return {
    insert(id, entry) {
      last = replica.recs.insert(entry, { id })
    },
    insertDurably: (id, entry) => replica.recs.insert(entry, { id }).reached('local'),
    bulk(list) {
      for (let i = 0; i < list.length; i += transactionEntries)
        last = replica.transact(tx => {
          for (const [id, entry] of list.slice(i, i + transactionEntries)) tx.recs.insert(entry, { id })
        })
    },
    get: id => replica.recs.get(id),
    countOf: owner => replica.recs.query({ where: { owner } }).get().length,
    count: () => all.get().length,
    async persisted() {
      await last?.reached('local')
    },
    synced: () =>
      new Promise<void>(resolve => {
        const stop = replica.status.subscribe(({ synced }) => {
          if (!synced) return
          queueMicrotask(() => stop())
          resolve()
        })
      }),
    settled: () => untilPaged(name),
    close: () => replica.close(),
  }
}

/** Twice as long as a tab waits after the last change before it writes pages. */
const restMs = 6000

/** The store is in order: all of it is in pages, or what is not is too little for a tab to move it there. */
async function untilPaged(name: string): Promise<void> {
  const database = await openDB(name)
  let before = ''
  let since = performance.now()
  for (;;) {
    const [pages, chunks, base] = await Promise.all([
      database.count('pages'),
      database.count('journal'),
      database.get('meta', 'base') as Promise<{ readonly floor: number } | undefined>,
    ])
    if (pages > 0 && chunks === 0) break
    const now = [pages, chunks, base?.floor].join()
    if (now !== before) since = performance.now()
    before = now
    if (performance.now() - since > restMs) break
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  database.close()
}

const rejoin: PageContender = { open }
exposeSteps(rejoin)
