/**
 * Frames as bytes: a head of type and flags, definitions of the names that are new, and a body.
 *
 *   head  := type, or from 16 on type - 15, + 16 × flags:  1 deflated (deflated.ts)   2 speaks the link's dictionary
 *            4 defines   8 the type is 16 or greater
 *   frame := head [version, of a hello alone] [definitions] body
 *
 * A frame that does not speak a link's names stands by itself (those that do: link-frames.ts). A decoder takes both.
 */
import { failure, type Outcome } from '../errors.ts'
import { protocolVersion, type AnswerFrame, type Frame } from '../frames.ts'
import { limits } from '../limits.ts'
import { readAnswer } from './client-bodies.ts'
import { isDeflated } from './deflated.ts'
import {
  borrowDictionary,
  commitLinkNames,
  createDictionary,
  createNames,
  linkNamesMax,
  readDefinitions,
  readLinkDefinitions,
  readOwnNames,
  returnDictionary,
  writeDefinitions,
  type Dictionary,
  type Names,
} from './dictionary.ts'
import { createReader, expectEnd, readByte, readUint, type Reader } from './reader.ts'
import { attempt, checkLimit, refuse, refuseMalformed } from './refusal.ts'
import { readBody, writeBody } from './relay-bodies.ts'
import { createWriter, finishTogether, writeByte, writeUint, type Writer } from './writer.ts'

/** In the order of their numbers on the wire. */
const frameTypes: readonly Frame['type'][] = [
  'hello',
  'welcome',
  'refuse',
  'bye',
  'credit',
  'changes',
  'want',
  'text',
  'submit',
  'go-on',
  'verdict',
  'range',
  'give',
  'given',
  'heartbeat',
  'presence',
  'passed',
  'quorum',
]

export const linked = 0x20
export const defines = 0x40
const further = 0x80
/** The first type of those with the flag. Their numbers begin at 1, so that 0 is the hello of any version. */
const furtherFrom = 16

/** The head of a frame without its flags. */
export function headOf(type: Frame['type']): number {
  const number = frameTypes.indexOf(type)
  return number < furtherFrom ? number : number - furtherFrom + 1 + further
}

/** Writes the bodies of all frames, or of those that a client says. */
export type WriteBody<F extends Frame> = (writer: Writer, dictionary: Dictionary, frame: F) => void
/** Likewise of those that it hears; what it does not know it refuses. */
type ReadBody<F extends Frame> = (reader: Reader, names: Names, type: Frame['type']) => F

/** A frame that stands by itself: whoever gets it can read it. */
export function encodeFrame(frame: Frame): Uint8Array {
  return encodeAlone(frame, writeBody)
}

export function encodeAlone<F extends Frame>(frame: F, write: WriteBody<F>): Uint8Array {
  const dictionary = borrowDictionary()
  const body = createWriter()
  write(body, dictionary, frame)
  const hasDefinitions = dictionary.writers.length + dictionary.fields.length > 0
  const writer = createWriter()
  writeByte(writer, headOf(frame.type) + (hasDefinitions ? defines : 0))
  if (frame.type === 'hello') writeUint(writer, frame.protocol)
  if (hasDefinitions) writeDefinitions(writer, dictionary, { writers: 0, fields: 0 })
  returnDictionary(dictionary)
  return finishTogether(writer, body)
}

/** Whether it takes the names of its link to read it. */
export function isLinked(bytes: Uint8Array): boolean {
  return ((bytes[0] ?? 0) & linked) !== 0
}

/** By its head alone; null if there is no such type. */
export function typeOfFrame(bytes: Uint8Array): Frame['type'] | null {
  const head = bytes[0] ?? 0
  const number = head & 15
  const isFurther = (head & further) !== 0 && number > 0
  return frameTypes[isFurther ? number - 1 + furtherFrom : number] ?? null
}

/**
 * `link`: the names that came over the link; a frame adds to it once all of it was read. `encoded`: of a frame that stands
 * by itself and brings many rows, their cells are decoded when they are asked for (packed-cells.ts).
 */
export function decodeFrame(
  bytes: Uint8Array,
  link?: Dictionary,
  rows: 'decoded' | 'encoded' = 'decoded',
): Outcome<Frame> {
  return decode(bytes, link, rows, readBody)
}

/** The same, but of what a client hears. */
export function decodeAnswer(
  bytes: Uint8Array,
  link: Dictionary,
  rows: 'decoded' | 'encoded',
): Outcome<AnswerFrame> {
  return decode(bytes, link, rows, readAnswer)
}

function decode<F extends Frame>(
  bytes: Uint8Array,
  link: Dictionary | undefined,
  rows: 'decoded' | 'encoded',
  read: ReadBody<F>,
): Outcome<F> {
  return attempt(() => {
    checkSize(bytes, limits.frameBytesMax)
    const reader = createReader(bytes)
    const head = readByte(reader)
    const type = typeOfFrame(bytes) ?? refuseMalformed('a frame is of an unknown type')
    if (type === 'hello') {
      checkSize(bytes, limits.helloBytesMax)
      // Before anything else, so that a hello of any version can be answered.
      if (readUint(reader) !== protocolVersion)
        refuse(failure('protocol-version', { supported: [protocolVersion] }))
    }
    if (isDeflated(bytes)) refuseMalformed('a frame is still deflated')
    if ((head & further) !== 0 && (head & 15) === 0) refuseMalformed('a reserved flag is set')
    if (!isLinked(bytes)) {
      return readWhole(reader, readNames(reader, head, rows), type, read)
    }
    if (link === undefined) return refuseMalformed('a frame speaks the names of a link that has none')
    if ((head & defines) === 0) return readWhole(reader, createNames(link), type, read)
    const names = readLinkDefinitions(reader, link)
    checkLinkNames(names)
    const frame = readWhole(reader, names, type, read)
    commitLinkNames(names, link)
    return frame
  })
}

/** Of a frame that stands by itself. */
function readNames(reader: Reader, head: number, rows: 'decoded' | 'encoded'): Names {
  if ((head & defines) !== 0 && rows === 'encoded') return readOwnNames(reader)
  const names = createNames(createDictionary())
  if ((head & defines) !== 0) readDefinitions(reader, names)
  return names
}

function readWhole<F extends Frame>(reader: Reader, names: Names, type: Frame['type'], read: ReadBody<F>): F {
  const frame = read(reader, names, type)
  expectEnd(reader)
  return frame
}

function checkSize(bytes: Uint8Array, limit: number): void {
  if (bytes.length > limit) refuse(failure('frame-too-large', { bytes: bytes.length, limit }))
}

function checkLinkNames({ dictionary, writers, fields }: Names): void {
  checkLimit('names of a link', linkNamesMax, dictionary.writers.length + writers.length)
  checkLimit('names of a link', linkNamesMax, dictionary.fields.length + fields.length)
}
