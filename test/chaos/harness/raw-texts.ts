/** Updates of texts, made without a client. */
import { text } from '@rejoin/resolve'

const yjs = text().text

export function textUpdate(content: string, client: number): Uint8Array {
  const update = yjs.create(content, client)
  if (update === null) throw new Error('an empty text has no update')
  return update
}

/** What typing at the beginning of a body makes. */
export function editOf(body: readonly Uint8Array[], client: number, content: string): Uint8Array {
  const live = yjs.open(body, client)
  const made: Uint8Array[] = []
  live.onEdit(() => made.push(...live.takeEdits()))
  live.text.insert(0, content)
  live.close()
  const [update] = made
  if (update === undefined) throw new Error('typing made no update')
  return update
}
