/**
 * A long body that is given back comes ahead of its row, in as many frames as it takes. It is held until the row comes,
 * so that both are taken or neither: a relay's body never holds more than its row says (SPEC X3).
 */
import type { Failure, Outcome } from '../errors.ts'
import type { GiveFrame } from '../frames.ts'
import { exceeded } from '../judge/growth.ts'
import { limits } from '../limits.ts'
import type { DocumentKey, PartName } from '../row.ts'
import { sizeOfTexts } from '../size.ts'

type Given = GiveFrame['rows'][number]

/** What came so far. */
export interface BodyAhead {
  readonly key: DocumentKey
  readonly texts: Map<PartName, Uint8Array[]>
  bytes: number
  /** Of what is longer than a text may be nothing is held. */
  error: Failure | null
}

/** Holds one more frame's part. What was held of another document is dropped: its row never came. */
export function holdBody(before: BodyAhead | null, { key, texts }: Given): BodyAhead {
  const held = before?.key === key ? before : { key, texts: new Map(), bytes: 0, error: null }
  held.bytes += sizeOfTexts(texts)
  if (held.bytes > limits.textBytesMax) {
    held.error = exceeded('bytes of a text', limits.textBytesMax, held.bytes)
    held.texts.clear()
    return held
  }
  for (const [part, updates] of texts) {
    const list = held.texts.get(part)
    if (list === undefined) held.texts.set(part, [...updates])
    else for (const update of updates) list.push(update)
  }
  return held
}

/** The row with the body that came ahead of it. */
export function withBody(held: BodyAhead | null, given: Given): Outcome<Given> {
  if (held?.key !== given.key) return { ok: true, value: given }
  if (held.error !== null) return { ok: false, error: held.error }
  const { texts } = holdBody(held, given)
  return held.error === null ? { ok: true, value: { ...given, texts } } : { ok: false, error: held.error }
}
