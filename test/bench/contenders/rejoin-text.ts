/** A text of Rejoin by the verbs of the workloads: the handle that an editor is bound to. */
import { collection, openReplica } from '@rejoin/client'
import { text } from '@rejoin/resolve'

export interface TextClient {
  insert(at: number, content: string): void
  remove(at: number, length: number): void
  length(): number
  content(): string
  offline(): void
  online(): void
  close(): Promise<void>
}

const pages = collection('pages', { body: text() })
const id = 'page'
let opened = 0

/** The first that connects makes the document; the others wait until they have it. */
export async function connectText(url: string, space: string, isFirst: boolean): Promise<TextClient> {
  opened += 1
  const replica = await openReplica({
    space,
    name: `text ${opened}`,
    collections: { pages },
    relays: [url],
    token: () => `user ${opened}`,
  })
  if (isFirst) await replica.pages.insert({}, { id }).reached('relay')
  else
    await new Promise<void>(resolve => {
      const pages = replica.pages.query()
      if (pages.get().length > 0) return resolve()
      const stop = pages.subscribe(found => {
        if (found.length === 0) return
        stop()
        resolve()
      })
    })
  const handle = replica.pages.text(id, 'body')
  await handle.whenReady
  return {
    insert: (at, content) => handle.text.insert(at, content),
    remove: (at, length) => handle.text.delete(at, length),
    length: () => handle.text.length,
    content: () => handle.text.toString(),
    offline: () => replica.pause(),
    online: () => replica.resume(),
    async close() {
      handle.close()
      await replica.close()
    },
  }
}
