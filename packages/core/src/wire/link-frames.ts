/**
 * Frames of a link. Names are defined once and are numbers from then on, and times are counted from one that was told
 * with the first of them. What goes to many is encoded once: all of them are told the same names in the same order, and
 * a frame goes to each with the definitions that it still lacks, which are none as a rule.
 *
 *   frame --encode--> body, in numbers --bytesFor(encoded, known)--> head [definitions] body
 *
 * Who was not sent a frame has missed no more than definitions, which come with the next one: nothing but names is
 * carried from frame to frame, so whatever is left out or answered otherwise puts nobody out of step.
 */
import type { Frame, RequestFrame } from '../frames.ts'
import { writeRequest } from './client-bodies.ts'
import {
  createDictionary,
  fitDictionary,
  restoreDictionary,
  stateOfDictionary,
  writeLinkDefinitions,
  type Dictionary,
} from './dictionary.ts'
import { defines, encodeAlone, headOf, linked, type WriteBody } from './frames.ts'
import { writeBody } from './relay-bodies.ts'
import { createWriter, finishWriting, writeByte, writeRaw } from './writer.ts'

export interface FrameEncoder<F extends Frame = Frame> {
  encode(frame: F): EncodedFrame
}

/** A frame in numbers; or by itself, where it has more names than are worth to be told. */
export type EncodedFrame =
  | { readonly kind: 'alone'; readonly bytes: Uint8Array }
  | {
      readonly kind: 'linked'
      readonly dictionary: Dictionary
      /** How many names it takes to read it. */
      readonly writers: number
      readonly fields: number
      readonly head: number
      readonly body: Uint8Array
      /** As it goes to those who know all names that it takes, once it went to one of them. */
      plain: Uint8Array | null
      /** As it goes to those who know so many. */
      readonly variants: Variant[]
    }

interface Variant {
  readonly bytes: Uint8Array
  readonly knowing: { readonly writers: number; readonly fields: number }
  /** How many names are known to who got it. */
  readonly writers: number
  readonly fields: number
}

/** How much of a dictionary the other end of a link was told. */
export interface KnownNames {
  dictionary: Dictionary | null
  writers: number
  fields: number
}

/** Beyond so many, writers and fields each, a dictionary is begun anew, so that nobody keeps what nobody speaks of. */
const namesMax = 1024

/** Of so many rows that changed names are the least, and who gets them in names of their own stores them as they came. */
const aloneFrom = 64

/** A hello is read before there is a link. */
function isAlone(frame: Frame): boolean {
  return frame.type === 'hello' || (frame.type === 'changes' && frame.rows.length >= aloneFrom)
}

interface LinkEncoder<F extends Frame> extends FrameEncoder<F> {
  readonly now: () => number
  readonly write: WriteBody<F>
  dictionary: Dictionary
}

/** `now`: about when what is sent was written, in milliseconds; times near it take less. */
export function createFrameEncoder(now: () => number): FrameEncoder {
  return createEncoder(now, writeBody)
}

/** The same, but of what a client says. */
export function createRequestEncoder(now: () => number): FrameEncoder<RequestFrame> {
  return createEncoder(now, writeRequest)
}

function createEncoder<F extends Frame>(now: () => number, write: WriteBody<F>): FrameEncoder<F> {
  // A plain field that all share: relays have one of these for each space.
  const encoder: LinkEncoder<F> = { now, write, dictionary: beginDictionary(now), encode: encodeLinked }
  return encoder
}

function beginDictionary(now: () => number): Dictionary {
  return { ...createDictionary(), ms: Math.max(0, Math.floor(now())) }
}

function encodeLinked<F extends Frame>(this: LinkEncoder<F>, frame: F): EncodedFrame {
  if (isAlone(frame)) return { kind: 'alone', bytes: encodeAlone(frame, this.write) }
  for (;;) {
    const { dictionary } = this
    const before = stateOfDictionary(dictionary)
    const writer = createWriter()
    this.write(writer, dictionary, frame)
    const body = finishWriting(writer)
    // A batch counts on from its last time; the next frame does not.
    dictionary.ms = before.ms
    const { writers, fields } = stateOfDictionary(dictionary)
    if (writers <= namesMax && fields <= namesMax) {
      if (writers + fields > before.writers + before.fields) fitDictionary(dictionary)
      const head = headOf(frame.type)
      return { kind: 'linked', dictionary, writers, fields, head, body, plain: null, variants: [] }
    }
    restoreDictionary(dictionary, before)
    if (before.writers + before.fields === 0) return { kind: 'alone', bytes: encodeAlone(frame, this.write) }
    this.dictionary = beginDictionary(this.now)
  }
}

export function createKnownNames(): KnownNames {
  return { dictionary: null, writers: 0, fields: 0 }
}

/** The bytes for who knows so much, which must be sent in this order: it knows the rest by them. */
export function bytesFor(encoded: EncodedFrame, known: KnownNames): Uint8Array {
  if (encoded.kind === 'alone') return encoded.bytes
  const { dictionary } = encoded
  if (known.dictionary !== dictionary) Object.assign(known, { dictionary, writers: 0, fields: 0 })
  const isBeginning = known.writers + known.fields === 0
  const lacks = isBeginning || known.writers < encoded.writers || known.fields < encoded.fields
  if (!lacks) return (encoded.plain ??= join(encoded, null))
  const { writers, fields } = known
  let variant = encoded.variants.find(
    ({ knowing }) => knowing.writers === writers && knowing.fields === fields,
  )
  if (variant === undefined) {
    const knowing = { writers, fields }
    variant = { ...stateOfDictionary(dictionary), bytes: join(encoded, knowing), knowing }
    encoded.variants.push(variant)
  }
  known.writers = variant.writers
  known.fields = variant.fields
  return variant.bytes
}

function join(
  encoded: EncodedFrame & { readonly kind: 'linked' },
  known: Variant['knowing'] | null,
): Uint8Array {
  const writer = createWriter()
  writeByte(writer, encoded.head + linked + (known === null ? 0 : defines))
  if (known !== null) writeLinkDefinitions(writer, encoded.dictionary, known)
  writeRaw(writer, encoded.body)
  return finishWriting(writer)
}
