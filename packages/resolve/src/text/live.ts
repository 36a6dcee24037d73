/**
 * Yjs documents as we use them: one root text, an id that is no chance, and nothing written that nobody typed.
 *
 * Yjs tidies formats up after a remote change, by deletes of its own. Then opening a text would be a write to it, by
 * everybody who opens it, so we leave that out; what it would tidy up shows nowhere.
 */
import * as Y from 'yjs'
import { rootName } from '../screen/wire.ts'

/** No Yjs client can have this id (they have 32 bits), so bodies can be read under it. */
export const nobody: number = 2 ** 32

/** The origin of transactions that bring updates from elsewhere. */
export const elsewhere: unique symbol = Symbol('elsewhere')

export interface LiveText {
  readonly document: Y.Doc
  readonly text: Y.Text
}

/** A document over a body, as nobody. */
export function createLiveText(body: readonly Uint8Array[], options: { readonly gc: boolean }): LiveText {
  const document = new Y.Doc({ gc: options.gc, guid: '' })
  document.clientID = nobody
  document.on('afterTransaction', transaction => {
    transaction._needFormattingCleanup = false
  })
  const text = document.getText(rootName)
  document.transact(() => {
    for (const update of body) Y.applyUpdate(document, update, elsewhere)
  }, elsewhere)
  return { document, text }
}

/** The one update that an edit makes, or null if it changes nothing. */
export function captureEdit(
  { document, text }: LiveText,
  client: number,
  edit: (text: Y.Text) => void,
): Uint8Array | null {
  let made: Uint8Array | null = null
  const note = (update: Uint8Array): void => {
    made = update
  }
  document.clientID = client
  document.on('update', note)
  document.transact(() => edit(text))
  document.off('update', note)
  return made
}
