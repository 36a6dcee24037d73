/**
 * The limit in a page: everything in memory, IndexedDB behind it. A thousand entries are one value; single ones gather
 * while a transaction is in flight, and go as one put. No rows, no marks, no other tabs.
 */
import { openDB } from 'idb'
import type { Entry } from '../records.ts'
import type { PageContender, PageRelay, PageStore } from './page-store.ts'
import { exposeSteps } from './steps.ts'

type Pair = readonly [string, Entry]

const chunkEntries = 1000

async function open(name: string, relay?: PageRelay): Promise<PageStore> {
  const database = await openDB(name, 1, {
    upgrade: upgraded => void upgraded.createObjectStore('chunks', { autoIncrement: true }),
  })
  const entries = new Map<string, Entry>()
  const byOwner = new Map<string, Set<string>>()
  const gathered: Pair[] = []
  let flying: Promise<void> | null = null
  let last: Promise<unknown> = Promise.resolve()

  function show([id, entry]: Pair): void {
    entries.set(id, entry)
    const owned = byOwner.get(entry.owner)
    if (owned === undefined) byOwner.set(entry.owner, new Set([id]))
    else owned.add(id)
  }

  function put(chunks: readonly (readonly Pair[])[], durability: 'strict' | 'relaxed'): Promise<void> {
    const transaction = database.transaction('chunks', 'readwrite', { durability })
    for (const chunk of chunks) void transaction.store.add(JSON.stringify(chunk))
    transaction.commit()
    return transaction.done
  }

  async function flush(): Promise<void> {
    await Promise.resolve()
    while (gathered.length > 0) await put([gathered.splice(0)], 'relaxed')
    flying = null
  }

  function bulk(list: readonly Pair[]): void {
    const chunks = Array.from({ length: Math.ceil(list.length / chunkEntries) }, (_, i) =>
      list.slice(i * chunkEntries, (i + 1) * chunkEntries),
    )
    last = put(chunks, 'relaxed')
    for (const pair of list) show(pair)
  }

  async function persisted(): Promise<void> {
    await last
    await flying
  }

  for (const chunk of await database.getAll('chunks'))
    for (const pair of JSON.parse(chunk) as Pair[]) show(pair)
  const synced =
    relay === undefined || entries.size > 0
      ? Promise.resolve()
      : new Promise<void>(resolve => {
          const socket = new WebSocket(`${relay.url}/${relay.space}`)
          socket.onmessage = ({ data }: MessageEvent<string>) => {
            if (!data.startsWith('S')) return
            bulk(JSON.parse(data.slice(1)) as Pair[])
            resolve()
          }
        })
  return {
    insert(id, entry) {
      show([id, entry])
      gathered.push([id, entry])
      flying ??= flush()
    },
    insertDurably(id, entry) {
      show([id, entry])
      return put([[[id, entry]]], 'strict')
    },
    bulk,
    get: id => entries.get(id),
    countOf: owner => Array.from(byOwner.get(owner) ?? [], id => entries.get(id)).length,
    count: () => entries.size,
    persisted,
    synced: () => synced.then(persisted),
    settled: persisted,
    async close() {
      database.close()
    },
  }
}

const limit: PageContender = { open }
exposeSteps(limit)
