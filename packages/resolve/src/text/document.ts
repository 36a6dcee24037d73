/**
 * A live text for editors: the real Y.Doc and Y.Text over a body. Updates from elsewhere go in by `apply`; what
 * is typed comes out as one update, or as several if it is too large to be one write.
 */
import type { TextDocument } from '@rejoin/core'
import * as Y from 'yjs'
import { splitUpdate } from '../screen/split.ts'
import { createEdits } from './edits.ts'
import { guardText } from './guard.ts'
import { createLiveText, elsewhere } from './live.ts'

/** A `TextDocument` whose types are known. */
export interface LiveDocument extends TextDocument {
  readonly text: Y.Text
  readonly document: Y.Doc
}

export function openDocument(body: readonly Uint8Array[], client: number): LiveDocument {
  const { document, text } = createLiveText(body, { gc: true })
  const listeners = new Set<() => void>()
  const edits = createEdits()
  let current = client
  document.clientID = current
  guardText(text)
  document.on('afterTransactionCleanup', transaction => {
    if (edits.note(transaction)) for (const listener of listeners) listener()
  })
  return {
    text,
    document,
    apply(updates) {
      Y.transact(document, () => updates.forEach(update => Y.applyUpdate(document, update)), elsewhere, false)
      // Yjs takes another client id when it sees its own come from elsewhere; who we are is not for it to say.
      document.clientID = current
    },
    setClient(next) {
      current = next
      document.clientID = next
    },
    takeEdits: () => edits.take().flatMap(splitUpdate),
    onEdit(listener) {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
    close() {
      listeners.clear()
      document.destroy()
    },
  }
}
