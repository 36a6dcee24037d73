/**
 * Writing bytes, and the few forms that everything of Rejoin is made of. Numbers are written by arithmetic, seven bits a
 * byte, the lowest first: 32-bit shifts would cut milliseconds.
 */
import { assert } from '../errors.ts'

export interface Writer {
  /** What stands before the buffer: earlier ones, which were full, and bytes that stay where they lie. */
  pieces: Uint8Array[]
  buffer: Uint8Array
  /** How much of the buffer is written. */
  at: number
}

// A fresh buffer costs more than a short message does, so buffers go around.
const idle: Writer[] = []
const idleMax = 8
const idleBytesMax = 64 * 1024
const firstBytes = 128

export function createWriter(): Writer {
  return idle.pop() ?? { pieces: [], buffer: new Uint8Array(firstBytes), at: 0 }
}

/** A copy of what was written. The writer is done with: another caller may get it. */
export function finishWriting(writer: Writer): Uint8Array {
  const bytes = writer.pieces.length === 0 ? writer.buffer.slice(0, writer.at) : joinPieces([writer])
  giveBack(writer)
  return bytes
}

/** The same of two, one behind the other: what is long is copied once. */
export function finishTogether(writer: Writer, rest: Writer): Uint8Array {
  if (rest.pieces.length === 0) {
    writeWritten(writer, rest)
    return finishWriting(writer)
  }
  const bytes = joinPieces([writer, rest])
  giveBack(writer)
  giveBack(rest)
  return bytes
}

/** What was written is the first `length` bytes, for as long as the call takes: they are not copied, and must not be kept. */
export function lendWritten<T>(writer: Writer, use: (bytes: Uint8Array, length: number) => T): T {
  const bytes = writer.pieces.length === 0 ? writer.buffer : joinPieces([writer])
  const result = use(bytes, lengthWritten(writer))
  giveBack(writer)
  return result
}

/** How many bytes it has so far. */
export function lengthWritten({ pieces, at }: Writer): number {
  let length = at
  for (const piece of pieces) length += piece.length
  return length
}

/** Writes what another writer has, which is done with. */
export function writeWritten(writer: Writer, other: Writer): void {
  // Of what another caller may get next a copy.
  if (other.pieces.length === 0) copyRange(writer, other.buffer, 0, other.at)
  else writeRaw(writer, joinPieces([other]))
  giveBack(other)
}

function joinPieces(writers: readonly Writer[]): Uint8Array {
  const bytes = new Uint8Array(writers.reduce((length, writer) => length + lengthWritten(writer), 0))
  let to = 0
  for (const { pieces, buffer, at } of writers)
    for (const piece of [...pieces, buffer.subarray(0, at)]) {
      bytes.set(piece, to)
      to += piece.length
    }
  return bytes
}

/** Sees to it that the buffer has room for so many bytes. */
function makeRoom(writer: Writer, count: number): void {
  const { pieces, buffer, at } = writer
  if (buffer.length - at >= count) return
  if (at > 0) pieces.push(buffer.subarray(0, at))
  writer.buffer = new Uint8Array(Math.max(buffer.length, count) * 2)
  writer.at = 0
}

function giveBack(writer: Writer): void {
  writer.at = 0
  writer.pieces = []
  if (idle.length < idleMax && writer.buffer.length <= idleBytesMax) idle.push(writer)
}

export function writeByte(writer: Writer, byte: number): void {
  makeRoom(writer, 1)
  writer.buffer[writer.at++] = byte
}

/** A whole number from 0 to 2^53 - 1. */
export function writeUint(writer: Writer, value: number): void {
  if (value >= 0 && value < 128 && Number.isInteger(value)) return writeByte(writer, value)
  assert(Number.isSafeInteger(value) && value >= 0, 'a number on the wire is whole, not negative and exact')
  makeRoom(writer, uintBytesMax)
  const { buffer } = writer
  let rest = value
  for (; rest > 127; rest = Math.floor(rest / 128)) buffer[writer.at++] = 128 | (rest & 127)
  buffer[writer.at++] = rest
}

/** What 2^53 - 1 takes. */
const uintBytesMax = 8

/** A whole number between -2^52 and 2^52, small ones in few bytes whatever their sign. */
export function writeInt(writer: Writer, value: number): void {
  writeUint(writer, zigzag(value))
}

/** 0, -1, 1, -2, 2 … as 0, 1, 2, 3, 4 … */
export function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value
}

/** Bytes without their length. */
export function writeRaw(writer: Writer, bytes: Uint8Array): void {
  writeRange(writer, bytes, 0, bytes.length)
}

/** Some of these bytes, which must stay as they are until all is written. */
export function writeRange(writer: Writer, bytes: Uint8Array, from: number, to: number): void {
  if (to - from > manyBytes) writeView(writer, bytes.subarray(from, to))
  else copyRange(writer, bytes, from, to)
}

function copyRange(writer: Writer, bytes: Uint8Array, from: number, to: number): void {
  const count = to - from
  makeRoom(writer, count)
  const { buffer, at } = writer
  if (count > fewBytes) buffer.set(bytes.subarray(from, to), at)
  else for (let i = 0; i < count; i++) buffer[at + i] = bytes[from + i] ?? 0
  writer.at = at + count
}

/** Up to here a loop is faster than the call that copies. */
const fewBytes = 64
/** From here on what is written stays where it lies until all is put together. */
const manyBytes = 16 * 1024

function writeView(writer: Writer, bytes: Uint8Array): void {
  const { pieces, buffer, at } = writer
  if (at > 0) pieces.push(buffer.slice(0, at))
  pieces.push(bytes)
  writer.at = 0
}

/** Bytes after their length. */
export function writeBytes(writer: Writer, bytes: Uint8Array): void {
  writeUint(writer, bytes.length)
  writeRaw(writer, bytes)
}

/** Bytes, or null. */
export function writeOptionalBytes(writer: Writer, bytes: Uint8Array | null): void {
  writeUint(writer, bytes === null ? 0 : bytes.length + 1)
  if (bytes !== null) writeRaw(writer, bytes)
}

/** UTF-8 after its length. Lone surrogates become U+FFFD. */
export function writeString(writer: Writer, text: string): void {
  if (text.length < 128 && writeShortAscii(writer, 0, text)) return
  writeBytes(writer, utf8.encode(text))
}

/** Writes `base` plus the length in one byte and then the text, or nothing if a character of it is not ASCII. */
export function writeShortAscii(writer: Writer, base: number, text: string): boolean {
  const count = text.length
  makeRoom(writer, count + 1)
  const { buffer, at } = writer
  for (let i = 0; i < count; i++) {
    const code = text.charCodeAt(i)
    if (code > 127) return false
    buffer[at + 1 + i] = code
  }
  buffer[at] = base + count
  writer.at = at + 1 + count
  return true
}

/** Writes a text at once, without its length, if all of it is ASCII. Whether it is. */
export function writeAscii(writer: Writer, text: string): boolean {
  const { length } = text
  makeRoom(writer, length)
  const { buffer, at } = writer
  // What takes more than a byte a character does not find room.
  if (utf8.encodeInto(text, buffer.subarray(at, at + length)).read !== length) return false
  writer.at = at + length
  return true
}

/** UTF-8 of a text from a place on, without its length. */
export function writeUtf8(writer: Writer, text: string, from: number): void {
  const count = text.length - from
  makeRoom(writer, count)
  const { buffer, at } = writer
  for (let i = 0; i < count; i++) {
    const code = text.charCodeAt(from + i)
    if (code > 127) return writeRaw(writer, utf8.encode(text.slice(from)))
    buffer[at + i] = code
  }
  writer.at = at + count
}

/** How many bytes that takes. */
export function lengthOfUtf8(text: string, from: number): number {
  for (let i = from; i < text.length; i++)
    if (text.charCodeAt(i) > 127) return utf8.encode(text.slice(from)).length
  return text.length - from
}

export function encodeUtf8(text: string): Uint8Array {
  return utf8.encode(text)
}

/** The eight bytes of an IEEE 754 double, the highest first. NaN has one form. */
export function writeDouble(writer: Writer, value: number): void {
  scratch.setFloat64(0, value)
  if (Number.isNaN(value)) scratch.setBigUint64(0, 0x7ff8_0000_0000_0000n)
  for (let i = 0; i < 8; i++) writeByte(writer, scratch.getUint8(i))
}

const utf8: TextEncoder = new TextEncoder()
const scratch: DataView = new DataView(new ArrayBuffer(8))
