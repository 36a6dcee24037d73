/**
 * Guards on the Y.Text that editors get: what they write must reach others as they see it themselves. Yjs sends lone
 * surrogates as U+FFFD and values as JSON but keeps both as they were, so the author alone would see something else;
 * and what a relay's screen refuses must not get into the text in the first place.
 */
import { isForbiddenKey, limits, RejoinError } from '@rejoin/core'
import * as Y from 'yjs'
import { tooLarge, unsupported } from '../field-value.ts'
import { faultOfJson } from '../screen/json.ts'

/** A quarter of an update: several values of one transaction fit into it. */
const embedBytesMax: number = limits.textUpdateBytesMax / 4

/** Yjs's own type for them. */
type Attributes = NonNullable<Parameters<Y.Text['insert']>[2]>

/** Makes a text's own operations refuse or repair what others would not see alike. */
export function guardText(text: Y.Text): void {
  const plain = Y.Text.prototype
  text.insert = (index, content, attributes) =>
    plain.insert.call(text, index, wellFormed(content), plainAttributes(attributes))
  text.insertEmbed = (index, embed, attributes) =>
    plain.insertEmbed.call(text, index, plainEmbed(embed), plainAttributes(attributes) ?? {})
  text.format = (index, length, attributes) =>
    plain.format.call(text, index, length, plainAttributes(attributes) ?? {})
  text.applyDelta = (delta: readonly DeltaPart[], options) =>
    plain.applyDelta.call(text, delta.map(plainPart), options)
  text.setAttribute = () => {
    throw unsupported('attribute', 'a text has formats and embeds, no attributes of its own')
  }
}

/** With every half of a surrogate pair that stands alone replaced by U+FFFD. */
export function wellFormed(content: string): string {
  return content.replace(/\p{Surrogate}/gu, '\ufffd')
}

interface DeltaPart {
  readonly insert?: unknown
  readonly attributes?: Attributes | undefined
}

function plainPart(part: DeltaPart): DeltaPart {
  const attributes = plainAttributes(part.attributes)
  const rest = attributes === undefined ? part : { ...part, attributes }
  if (part.insert === undefined) return rest
  return {
    ...rest,
    insert: typeof part.insert === 'string' ? wellFormed(part.insert) : plainEmbed(part.insert),
  }
}

function plainEmbed(embed: unknown): object {
  if (embed instanceof Y.AbstractType || embed instanceof Y.Doc) {
    throw unsupported('embed', 'a text holds strings, formats and plain values, no types of Yjs')
  }
  return plainValue('embed', embed) as object
}

function plainAttributes(attributes: Attributes | undefined): Attributes | undefined {
  if (attributes === undefined) return undefined
  const plain: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(attributes)) {
    if (isForbiddenKey(key))
      throw new RejoinError('key-forbidden', { key }, `a format cannot be called ${key}`)
    plain[key] = plainValue(key, value)
  }
  return plain
}

/** A value as it comes out of JSON, for that is what others will get. */
function plainValue(path: string, value: unknown): unknown {
  const json = JSON.stringify(value) as string | undefined
  if (json === undefined) throw unsupported(path, 'it has no form in JSON')
  const bytes = new TextEncoder().encode(json).length
  if (bytes > embedBytesMax) throw tooLarge('bytes of a value in a text', embedBytesMax, bytes)
  const fault = faultOfJson(json)
  if (fault !== null) throw unsupported(path, `it ${fault}`)
  return JSON.parse(json)
}
