/**
 * Values as bytes: what cells hold, opaque to the rest of the core. One value has one encoding (keys sorted, the
 * shortest form of every number and length), so values are equal if their bytes are; the decoder refuses others.
 *
 * Each value is a tag and its content. Small numbers, short texts, small lists and objects are within the tag.
 */
import type { Outcome } from './errors.ts'
import { limits } from './limits.ts'
import { expectEnd, type Reader } from './wire/reader.ts'
import { attempt, checkLimit } from './wire/refusal.ts'
import { readPlain, readValue } from './wire/value-reader.ts'
import { throwTooLarge, writeValue } from './wire/value-writer.ts'
import { createWriter, finishWriting, lengthWritten } from './wire/writer.ts'

/** Throws `value-unsupported`, `key-forbidden` or `limit-exceeded`, saying where in the value. */
export function encodeValue(value: unknown): Uint8Array {
  const writer = createWriter()
  writeValue(writer, value)
  const length = lengthWritten(writer)
  if (length > limits.valueBytesMax) throwTooLarge('bytes of a value', limits.valueBytesMax, length)
  return finishWriting(writer)
}

/** Of bytes, or of some of them; `text` and `at` as of `ReadEncoded`. */
export function decodeValue(
  bytes: Uint8Array,
  from = 0,
  to: number = bytes.length,
  text: string | null = null,
  at = 0,
): Outcome<unknown> {
  const plain = readPlain(bytes, from, to, text, at)
  if (plain !== null) return { ok: true, value: plain }
  return attempt(() => {
    checkLimit('bytes of a value', limits.valueBytesMax, to - from)
    const reader: Reader = { bytes, at: from, end: to }
    const value = readValue(reader)
    expectEnd(reader)
    return value
  })
}
