/**
 * Writing bytes: lib0's encoder, and the few forms that everything of Rejoin is made of. Numbers are written by
 * arithmetic, seven bits a byte, the lowest first: 32-bit shifts would cut milliseconds.
 */
import {
  createEncoder,
  length,
  toUint8Array,
  verifyLen,
  write,
  writeVarUint,
  type Encoder,
} from 'lib0/encoding'
import { assert } from '../errors.ts'

export type Writer = Encoder

// A fresh buffer costs more than a short message does, so buffers go around.
const idle: Writer[] = []
const idleMax = 8
const idleBytesMax = 64 * 1024

export function createWriter(): Writer {
  return idle.pop() ?? createEncoder()
}

/** A copy of what was written. The writer is done with: another caller may get it. */
export function finishWriting(writer: Writer): Uint8Array {
  const bytes = writer.bufs.length === 0 ? writer.cbuf.slice(0, writer.cpos) : toUint8Array(writer)
  giveBack(writer)
  return bytes
}

/** The same of two, one behind the other: what is long is copied once. */
export function finishTogether(writer: Writer, rest: Writer): Uint8Array {
  if (rest.bufs.length === 0) {
    writeWritten(writer, rest)
    return finishWriting(writer)
  }
  const bytes = new Uint8Array(length(writer) + length(rest))
  let at = 0
  for (const { bufs, cbuf, cpos } of [writer, rest])
    for (const piece of [...bufs, cbuf.subarray(0, cpos)]) {
      bytes.set(piece, at)
      at += piece.length
    }
  giveBack(writer)
  giveBack(rest)
  return bytes
}

/** What was written is the first `length` bytes, for as long as the call takes: they are not copied, and must not be kept. */
export function lendWritten<T>(writer: Writer, use: (bytes: Uint8Array, length: number) => T): T {
  const { bufs, cbuf, cpos } = writer
  const bytes = bufs.length === 0 ? cbuf : toUint8Array(writer)
  const result = use(bytes, bufs.length === 0 ? cpos : bytes.length)
  giveBack(writer)
  return result
}

/** How many bytes it has so far. */
export function lengthWritten(writer: Writer): number {
  return writer.bufs.length === 0 ? writer.cpos : length(writer)
}

/** Writes what another writer has, which is done with. */
export function writeWritten(writer: Writer, other: Writer): void {
  const { bufs, cbuf, cpos } = other
  // Of what another caller may get next a copy.
  if (bufs.length === 0) copyRange(writer, cbuf, 0, cpos)
  else writeRaw(writer, toUint8Array(other))
  giveBack(other)
}

function giveBack(writer: Writer): void {
  writer.cpos = 0
  writer.bufs = []
  if (idle.length < idleMax && writer.cbuf.length <= idleBytesMax) idle.push(writer)
}

export function writeByte(writer: Writer, byte: number): void {
  write(writer, byte)
}

/** A whole number from 0 to 2^53 - 1. */
export function writeUint(writer: Writer, value: number): void {
  if (value >= 0 && value < 128 && Number.isInteger(value)) return write(writer, value)
  assert(Number.isSafeInteger(value) && value >= 0, 'a number on the wire is whole, not negative and exact')
  writeVarUint(writer, value)
}

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
  verifyLen(writer, count)
  const { cbuf, cpos } = writer
  if (count > fewBytes) cbuf.set(bytes.subarray(from, to), cpos)
  else for (let i = 0; i < count; i++) cbuf[cpos + i] = bytes[from + i] ?? 0
  writer.cpos = cpos + count
}

/** Up to here a loop is faster than the call that copies. */
const fewBytes = 64
/** From here on what is written stays where it lies until all is put together. */
const manyBytes = 16 * 1024

function writeView(writer: Writer, bytes: Uint8Array): void {
  const { bufs, cbuf, cpos } = writer
  if (cpos > 0) bufs.push(cbuf.slice(0, cpos))
  bufs.push(bytes)
  writer.cpos = 0
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
  verifyLen(writer, count + 1)
  const { cbuf, cpos } = writer
  for (let i = 0; i < count; i++) {
    const code = text.charCodeAt(i)
    if (code > 127) return false
    cbuf[cpos + 1 + i] = code
  }
  cbuf[cpos] = base + count
  writer.cpos = cpos + 1 + count
  return true
}

/** Writes a text at once, without its length, if all of it is ASCII. Whether it is. */
export function writeAscii(writer: Writer, text: string): boolean {
  const { length } = text
  verifyLen(writer, length)
  const { cbuf, cpos } = writer
  // What takes more than a byte a character does not find room.
  if (utf8.encodeInto(text, cbuf.subarray(cpos, cpos + length)).read !== length) return false
  writer.cpos = cpos + length
  return true
}

/** UTF-8 of a text without its length. */
export function writeUtf8(writer: Writer, text: string): void {
  const count = text.length
  verifyLen(writer, count)
  const { cbuf, cpos } = writer
  for (let i = 0; i < count; i++) {
    const code = text.charCodeAt(i)
    if (code > 127) return writeRaw(writer, utf8.encode(text))
    cbuf[cpos + i] = code
  }
  writer.cpos = cpos + count
}

/** How many bytes that of a text takes from a place on. */
export function lengthOfUtf8(text: string, from: number): number {
  for (let i = from; i < text.length; i++)
    if (text.charCodeAt(i) > 127) return utf8.encode(text.slice(from)).length
  return text.length - from
}

export function encodeUtf8(text: string): Uint8Array {
  return utf8.encode(text)
}

/** Thirty-two bits in four bytes, the lowest first. */
export function writeWord(writer: Writer, word: number): void {
  for (let shift = 0; shift < 32; shift += 8) write(writer, (word >>> shift) & 255)
}

/** The eight bytes of an IEEE 754 double, the highest first. NaN has one form. */
export function writeDouble(writer: Writer, value: number): void {
  scratch.setFloat64(0, value)
  if (Number.isNaN(value)) scratch.setBigUint64(0, 0x7ff8_0000_0000_0000n)
  for (let i = 0; i < 8; i++) write(writer, scratch.getUint8(i))
}

const utf8: TextEncoder = new TextEncoder()
const scratch: DataView = new DataView(new ArrayBuffer(8))
