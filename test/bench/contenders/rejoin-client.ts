/** Rejoin's client by the verbs of the workloads: the replica that an application opens, with its store in memory. */
import { collection, openReplica } from '@rejoin/client'
import { lww } from '@rejoin/resolve'
import { entryFields } from '../records.ts'
import type { ContenderClient } from './contender.ts'
import { anything } from './anything.ts'

export const recs = collection('recs', {
  title: lww(anything<string>()),
  status: lww(anything<string>()),
  owner: lww(anything<string>()),
  note: lww(anything<string>()),
  n: lww(anything<number>()),
})

let opened = 0

export async function connectRejoin(url: string, space: string): Promise<ContenderClient> {
  opened += 1
  const replica = await openReplica({
    space,
    name: `bench ${opened}`,
    collections: { recs },
    relays: [url],
    token: () => `user ${opened}`,
  })
  const all = replica.recs.query()
  await settled()

  async function settled(): Promise<void> {
    if (replica.status.get().synced) return
    await new Promise<void>(resolve => {
      const stop = replica.status.subscribe(status => {
        if (!status.synced) return
        stop()
        resolve()
      })
    })
  }

  return {
    set: (id, field, value) => void replica.recs.update(id, { [field]: value }),
    get: (id, field) => replica.recs.get(id)?.[field],
    bulk(list) {
      for (const [id, entry] of list) replica.recs.insert(entry, { id })
    },
    count: () => all.get().length,
    onNumber(hear) {
      let before = all.get()
      all.subscribe(documents => {
        // In the order of ids, a document that did not change is the same object in the same place. By number, since
        // to iterate makes an object for each of them, at each change.
        for (let i = 0; i < documents.length; i++) {
          const document = documents[i]
          if (document !== undefined && document !== before[i] && document.n !== before[i]?.n)
            hear(document.n)
        }
        before = documents
      })
    },
    async offline() {
      replica.pause()
    },
    async online() {
      replica.resume()
    },
    snapshot: () =>
      JSON.stringify(
        all
          .get()
          .toSorted((a, b) => (a.id < b.id ? -1 : 1))
          .map(document => entryFields.map(field => document[field])),
      ),
    close: () => replica.close(),
  }
}
