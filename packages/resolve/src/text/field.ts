/**
 * `text`: a text that several people type in at once, merged by Yjs. The row holds only who typed when; the body is
 * beside it, and editors get it as a real Y.Text.
 */
import { limits, type Field, type TextCell } from '@rejoin/core'
import { tooLarge, unsupported } from '../field-value.ts'
import { yjsText, type YjsText } from './support.ts'

/** A field with a body. */
export interface TextField extends Field<never, string | undefined, never> {
  readonly strategy: 'text'
  readonly text: YjsText
}

/** Room for what an update needs beside its one string. */
const frameBytes = 64

/**
 * A field for a text. An insert may give it a beginning, which is one author's text like any other: if three devices
 * insert one document with the same beginning, it stands there three times (docs/strategies.md says how to seed).
 *
 * It reads as `never`, since bodies are not in rows: a row's type leaves such fields out. It patches with `never`, so
 * that `update` cannot name it: a text is edited through `collection.text(id, field)`, where edits have places.
 */
export function text(): TextField {
  return {
    strategy: 'text',
    passive: false,
    insert(input, { mark, seen }): TextCell | null {
      if (input !== undefined && typeof input !== 'string')
        throw unsupported('', 'a text begins with a string')
      const bytes = new TextEncoder().encode(input ?? '').length
      const limit = limits.textUpdateBytesMax - frameBytes
      if (bytes > limit) throw tooLarge('bytes that a text begins with', limit, bytes)
      if (bytes === 0 && seen === undefined) return null
      return { strategy: 'text', context: new Map([[mark.writer, mark]]) }
    },
    update() {
      throw unsupported('', 'a text is edited through `collection.text(id, field)`, not by an update')
    },
    read: () => undefined as never,
    text: yjsText,
  }
}
