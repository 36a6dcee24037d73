/** A client of Rejoin by the verbs with which a comparison of products drives each of them. */
import { collection, openReplica } from '@rejoin/client'
import { text } from '@rejoin/resolve'
import { recs } from '../contenders/rejoin-client.ts'
import { entryFields, type Entry, type EntryField } from '../records.ts'

const pages = collection('pages', { body: text() })
const page = 'page'
/** About as many entries as one transaction takes. */
const transactionEntries = 2500
let opened = 0

type SeenNumber = (n: number, isOwn: boolean) => void

export async function connect(url: string, space: string): Promise<unknown> {
  opened += 1
  const name = `client ${opened}`
  const replica = await openReplica({
    space,
    name,
    collections: { recs, pages },
    relays: [url],
    token: () => name,
  })
  await new Promise<void>(resolve => {
    const stop = replica.status.subscribe(({ synced }) => {
      if (!synced) return
      queueMicrotask(() => stop())
      resolve()
    })
  })
  // Whoever is the first makes the document; several that do make the same.
  if (replica.pages.get(page) === undefined) replica.pages.insert({}, { id: page })
  const handle = replica.pages.text(page, 'body')
  await handle.whenReady
  const all = replica.recs.query()
  return {
    set: (id: string, field: EntryField, value: never) => void replica.recs.update(id, { [field]: value }),
    get: (id: string, field: EntryField) => replica.recs.get(id)?.[field],
    bulk(list: readonly (readonly [string, Entry])[]) {
      for (let i = 0; i < list.length; i += transactionEntries)
        replica.transact(tx => {
          for (const [id, entry] of list.slice(i, i + transactionEntries)) tx.recs.insert(entry, { id })
        })
    },
    count: () => all.get().length,
    onSeq(hear: SeenNumber) {
      let before = all.get()
      all.subscribe(documents => {
        // In the order of ids, a document that did not change is the same object in the same place.
        for (let i = 0; i < documents.length; i++) {
          const document = documents[i]
          if (document !== undefined && document !== before[i] && document.n !== before[i]?.n)
            hear(document.n, false)
        }
        before = documents
      })
    },
    snapshot: () =>
      JSON.stringify(all.get().map(entry => [entry.id, entryFields.map(field => entry[field])])),
    insert: (at: number, content: string) => handle.text.insert(at, content),
    del: (at: number, length: number) => handle.text.delete(at, length),
    text: () => handle.text.toString(),
    textLen: () => handle.text.length,
    onText: (hear: (isOwn: boolean) => void) =>
      handle.text.observe((_: unknown, { local }: { readonly local: boolean }) => hear(local)),
    batch: (run: () => void) => void replica.transact(() => run()),
    offline: () => replica.pause(),
    online: () => replica.resume(),
    async close() {
      handle.close()
      await replica.close()
    },
  }
}
