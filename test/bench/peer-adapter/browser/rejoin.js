// Rejoin in a page, by the verbs with which a comparison of products drives each of them.
import { collection, openReplica } from '@rejoin/client'
import { lww } from '@rejoin/resolve'

const anything = { '~standard': { version: 1, vendor: 'bench', validate: value => ({ value }) } }
const recs = collection('recs', {
  title: lww(anything),
  status: lww(anything),
  owner: lww(anything),
  note: lww(anything),
  n: lww(anything),
})
// About as many entries as one transaction takes.
const transactionEntries = 2500

export const name = 'rejoin'

export const local = database => open(database, [], database)

async function open(database, relays, space) {
  const replica = await openReplica({
    space,
    name: database,
    collections: { recs },
    relays,
    token: () => 'page',
  })
  const all = replica.recs.query()
  let last
  return {
    replica,
    insertOne(id, entry) {
      last = replica.recs.insert(entry, { id })
    },
    bulk(list) {
      for (let i = 0; i < list.length; i += transactionEntries)
        last = replica.transact(tx => {
          for (const [id, entry] of list.slice(i, i + transactionEntries)) tx.recs.insert(entry, { id })
        })
    },
    get: id => replica.recs.get(id),
    query: owner => replica.recs.query({ where: { owner } }).get(),
    all: () => all.get().length,
    flush: () => last?.reached('local'),
    close: () => replica.close(),
  }
}

function synced({ status }) {
  return new Promise(resolve => {
    const stop = status.subscribe(now => {
      if (!now.synced) return
      queueMicrotask(() => stop())
      resolve()
    })
  })
}

/** What is here before the clock runs is an empty replica, as it is an empty database for the others. */
export async function sync({ url, room, dbName }) {
  const opened = await open(dbName, [url], room)
  opened.replica.pause()
  return {
    start: () => opened.replica.resume(),
    count: opened.all,
    persisted: () => synced(opened.replica),
  }
}

export async function warm({ url, room, dbName }) {
  const opened = await open(dbName, [url], room)
  return { count: opened.all, synced: () => synced(opened.replica) }
}
