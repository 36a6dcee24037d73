/**
 * Reading bytes that may come from anybody. Every read checks the end first, every declared length is held against
 * what is left before anything is allocated, and a number has one form only, so a value has one encoding.
 *
 * What is read is copied: a view would keep a whole frame in memory, or show a neighbour in a pooled buffer.
 */
import { checkLimit, refuseMalformed } from './refusal.ts'

export interface Reader {
  readonly bytes: Uint8Array
  at: number
  readonly end: number
}

export function createReader(bytes: Uint8Array): Reader {
  return { bytes, at: 0, end: bytes.length }
}

export function bytesLeft(reader: Reader): number {
  return reader.end - reader.at
}

export function expectEnd(reader: Reader): void {
  if (reader.at !== reader.end) refuseMalformed('there are bytes after the end')
}

export function readByte(reader: Reader): number {
  if (reader.at >= reader.end) refuseMalformed('the bytes end too early')
  return reader.bytes[reader.at++] ?? 0
}

/** A whole number from 0 to 2^53 - 1, in its shortest form. */
export function readUint(reader: Reader): number {
  let value = readByte(reader)
  if (value < 128) return value
  value -= 128
  let unit = 128
  for (let i = 1; i < 8; i++) {
    const byte = readByte(reader)
    value += (byte & 127) * unit
    if (byte < 128) {
      if (byte === 0 || value > Number.MAX_SAFE_INTEGER) break
      return value
    }
    unit *= 128
  }
  return refuseMalformed('a number is longer than it needs to be or beyond 2^53')
}

export function readInt(reader: Reader): number {
  return unzigzag(readUint(reader))
}

export function unzigzag(value: number): number {
  return value % 2 === 1 ? -(value + 1) / 2 : value / 2
}

/** How many of something follow, each of which takes `bytesEach` bytes or more. */
export function readCount(reader: Reader, what: string, limit: number, bytesEach: number): number {
  const count = readUint(reader)
  checkLimit(what, limit, count)
  if (count * bytesEach > bytesLeft(reader)) refuseMalformed(`there are fewer ${what} than declared`)
  return count
}

/** As `readCount`, where the bytes alone say how many there can be. */
export function readAnyCount(reader: Reader, what: string, bytesEach: number): number {
  return readCount(reader, what, Number.MAX_SAFE_INTEGER, bytesEach)
}

/** Bytes whose length is known. */
export function readRaw(reader: Reader, length: number): Uint8Array {
  if (length > bytesLeft(reader)) refuseMalformed('the bytes end too early')
  const { bytes, at } = reader
  const copy = new Uint8Array(length)
  if (length > 24) copy.set(bytes.subarray(at, at + length))
  else for (let i = 0; i < length; i++) copy[i] = bytes[at + i] ?? 0
  reader.at = at + length
  return copy
}

/** Bytes after their length. */
export function readBytes(reader: Reader, what: string, limit: number): Uint8Array {
  return readRaw(reader, readCount(reader, what, limit, 1))
}

/** Bytes, or null. */
export function readOptionalBytes(reader: Reader, what: string, limit: number): Uint8Array | null {
  const head = readUint(reader)
  if (head === 0) return null
  checkLimit(what, limit, head - 1)
  return readRaw(reader, head - 1)
}

/** Well-formed UTF-8 after its length in bytes. */
export function readString(reader: Reader, what: string, limit: number): string {
  return readUtf8(reader, readCount(reader, what, limit, 1))
}

/** Well-formed UTF-8 of a known length in bytes. */
export function readUtf8(reader: Reader, length: number): string {
  if (length > bytesLeft(reader)) refuseMalformed('the bytes end too early')
  const { bytes, at } = reader
  const end = at + length
  reader.at = end
  if (length <= shortBytes) {
    const text = readShortAscii(bytes, at, end)
    if (text !== null) return text
  }
  try {
    return utf8.decode(bytes.subarray(at, end))
  } catch {
    return refuseMalformed('a text is not well-formed UTF-8')
  }
}

/** Up to here a loop is faster than the call that decodes. */
const shortBytes = 64

/**
 * Null if it is not ASCII, or beyond the end. Four characters at a time: each that is put to a text by itself makes a text
 * of its own, and a call with many takes longer than it saves.
 */
export function readShortAscii(bytes: Uint8Array, from: number, end: number): string | null {
  for (let i = from; i < end; i++) if ((bytes[i] ?? 0) > 127) return null
  const { fromCharCode } = String
  let text = ''
  let i = from
  for (; i + 4 <= end; i += 4)
    text += fromCharCode(bytes[i] ?? 0, bytes[i + 1] ?? 0, bytes[i + 2] ?? 0, bytes[i + 3] ?? 0)
  switch (end - i) {
    case 1:
      return text + fromCharCode(bytes[i] ?? 0)
    case 2:
      return text + fromCharCode(bytes[i] ?? 0, bytes[i + 1] ?? 0)
    case 3:
      return text + fromCharCode(bytes[i] ?? 0, bytes[i + 1] ?? 0, bytes[i + 2] ?? 0)
    default:
      return text
  }
}

/** Null if it is not ASCII. */
export function decodeAscii(bytes: Uint8Array): string | null {
  // Thrown and caught, an error takes longer than all the rest: what is no text has a character of its own for each byte.
  const text = lenientUtf8.decode(bytes)
  return text.length === bytes.length && !text.includes('\ufffd') ? text : null
}

/** A part of the bytes as a reader of its own, which its content must fill. */
export function readWithin<T>(reader: Reader, length: number, read: (within: Reader) => T): T {
  if (length > bytesLeft(reader)) refuseMalformed('the bytes end too early')
  const within: Reader = { bytes: reader.bytes, at: reader.at, end: reader.at + length }
  const value = read(within)
  expectEnd(within)
  reader.at = within.end
  return value
}

/** Thirty-two bits in four bytes, the lowest first. */
export function readWord(reader: Reader): number {
  let word = 0
  for (let shift = 0; shift < 32; shift += 8) word |= readByte(reader) << shift
  return word >>> 0
}

export function readDouble(reader: Reader): number {
  if (bytesLeft(reader) < 8) refuseMalformed('the bytes end too early')
  for (let i = 0; i < 8; i++) scratch.setUint8(i, reader.bytes[reader.at++] ?? 0)
  const value = scratch.getFloat64(0)
  if (Number.isNaN(value) && scratch.getBigUint64(0) !== 0x7ff8_0000_0000_0000n)
    refuseMalformed('a number is not in its one form')
  return value
}

const utf8: TextDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const lenientUtf8: TextDecoder = new TextDecoder('utf-8', { ignoreBOM: true })
const scratch: DataView = new DataView(new ArrayBuffer(8))
