/** What `text()` fields bring along for bodies (SPEC X1-X9). Updates are Yjs's, version 1, of one root text. */
import type { TextSupport } from '@rejoin/core'
import { differenceOfBody, headOfBody, mergeBody } from '../screen/body.ts'
import { openDocument, type LiveDocument } from './document.ts'
import { wellFormed } from './guard.ts'
import { captureEdit, createLiveText } from './live.ts'
import { remakeUpdates } from './remake.ts'

/** `TextSupport` with Yjs's types where the core has none. */
export interface YjsText extends TextSupport {
  /** As the core has it; with `initial`, also puts that in the place of what was there. */
  clear(body: readonly Uint8Array[], client: number, initial?: string): Uint8Array | null
  open(body: readonly Uint8Array[], client: number): LiveDocument
}

export const yjsText: YjsText = {
  create: (initial, client) =>
    captureEdit(createLiveText([], { gc: true }), client, text => text.insert(0, wellFormed(initial))),
  clear: (body, client, initial = '') =>
    captureEdit(createLiveText(body, { gc: true }), client, text => {
      text.delete(0, text.length)
      text.insert(0, wellFormed(initial))
    }),
  open: openDocument,
  merge: mergeBody,
  head: headOfBody,
  difference: differenceOfBody,
  read: body => createLiveText(body, { gc: true }).text.toString(),
  remake: remakeUpdates,
}
