/**
 * Values as bytes: what cells hold, opaque to the rest of the core. One value has one encoding (keys sorted, the
 * shortest form of every number and length), so values are equal if their bytes are; the decoder refuses others.
 *
 * Each value is a tag and its content. Small numbers, short texts, small lists and objects are within the tag.
 */
import { failure, RejoinError, type Outcome } from './errors.ts'
import { isForbiddenKey } from './forbidden-key.ts'
import { limits } from './limits.ts'
import { compareNames } from './wire/order.ts'
import {
  bytesLeft,
  createReader,
  expectEnd,
  readByte,
  readBytes,
  readDouble,
  readUint,
  readUtf8,
  type Reader,
} from './wire/reader.ts'
import { attempt, checkLimit, refuse, refuseMalformed } from './wire/refusal.ts'
import {
  createWriter,
  encodeUtf8,
  isShortAscii,
  writeAscii,
  writeByte,
  writeBytes,
  writeDouble,
  writeRaw,
  writeString,
  writeUint,
  writtenBytes,
  type Writer,
} from './wire/writer.ts'

/** Throws `value-unsupported`, `key-forbidden` or `limit-exceeded`, saying where in the value. */
export function encodeValue(value: unknown): Uint8Array {
  const writer = createWriter()
  writeValue({ writer, path: [], bytes: 0 }, value, 0)
  const bytes = writtenBytes(writer)
  if (bytes.length > limits.valueBytesMax)
    throwTooLarge('bytes of a value', limits.valueBytesMax, bytes.length)
  return bytes
}

export function decodeValue(bytes: Uint8Array): Outcome<unknown> {
  return attempt(() => {
    checkLimit('bytes of a value', limits.valueBytesMax, bytes.length)
    const reader = createReader(bytes)
    const value = readValue(reader, 0)
    expectEnd(reader)
    return value
  })
}

/** A value within other bytes: of the wire's own use. */
export function writeValueInto(writer: Writer, value: unknown): void {
  writeValue({ writer, path: [], bytes: 0 }, value, 0)
}

/** A value within other bytes: of the wire's own use. */
export function readValueWithin(reader: Reader): unknown {
  return readValue(reader, 0)
}

/** A number in the form that values have it. */
export function writeNumber(writer: Writer, value: number): void {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
    writeByte(writer, tags.double)
    writeDouble(writer, value)
  } else if (value < 0) {
    writeByte(writer, tags.negative)
    writeUint(writer, -1 - value)
  } else if (value < 64) {
    writeByte(writer, tags.smallNumber + value)
  } else {
    writeByte(writer, tags.number)
    writeUint(writer, value)
  }
}

/** A number in the form that values have it. */
export function readNumber(reader: Reader): number {
  const tag = readByte(reader)
  return readTaggedNumber(reader, tag) ?? refuseMalformed('a number is missing')
}

const tags = {
  undefined: 0,
  null: 1,
  false: 2,
  true: 3,
  /** 64 and more. */
  number: 4,
  /** -1 minus the number that follows. */
  negative: 5,
  double: 6,
  bigint: 7,
  /** -1 minus the number that follows. */
  negativeBigint: 8,
  date: 9,
  text: 10,
  bytes: 11,
  list: 12,
  object: 13,
  /** And 31 more: texts of 0 to 31 bytes. */
  smallText: 0x20,
  /** And 63 more: 0 to 63. */
  smallNumber: 0x40,
  /** And 15 more: lists of 0 to 15 elements. */
  smallList: 0x80,
  /** And 15 more: objects of 0 to 15 keys. */
  smallObject: 0x90,
  end: 0xa0,
} as const

interface Progress {
  readonly writer: Writer
  /** The key of each container above, kept by depth, so that failing can say where. */
  readonly path: (string | number)[]
  /** Bytes of texts and binaries so far: a value that is far too large is not built first. */
  bytes: number
}

function writeValue(progress: Progress, value: unknown, depth: number): void {
  const { writer } = progress
  switch (typeof value) {
    case 'string':
      return writeText(progress, value)
    case 'number':
      return writeNumber(writer, value)
    case 'boolean':
      return writeByte(writer, value ? tags.true : tags.false)
    case 'undefined':
      return writeByte(writer, tags.undefined)
    case 'bigint':
      return writeBigint(progress, value)
    case 'object':
      if (value === null) return writeByte(writer, tags.null)
      return writeObjectOf(progress, value, depth)
    default:
      throwUnsupported(progress, depth, `a ${typeof value} cannot be stored`)
  }
}

function writeObjectOf(progress: Progress, value: object, depth: number): void {
  if (value instanceof Uint8Array) {
    countBytes(progress, value.length)
    writeByte(progress.writer, tags.bytes)
    return writeBytes(progress.writer, value)
  }
  if (Array.isArray(value)) return writeList(progress, value, depth)
  // oxlint-disable-next-line no-restricted-globals -- a date as a value is no clock.
  if (value instanceof Date) {
    const ms = value.getTime()
    if (Number.isNaN(ms)) throwUnsupported(progress, depth, 'an invalid date cannot be stored')
    writeByte(progress.writer, tags.date)
    return writeNumber(progress.writer, ms)
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== null && prototype !== Object.prototype)
    throwUnsupported(progress, depth, 'only plain objects, lists, dates and Uint8Array can be stored')
  writePlainObject(progress, value as Readonly<Record<string, unknown>>, depth)
}

function writeText(progress: Progress, text: string): void {
  countBytes(progress, text.length)
  const { writer } = progress
  if (text.length < 32 && isShortAscii(text)) {
    writeByte(writer, tags.smallText + text.length)
    return writeAscii(writer, text)
  }
  const bytes = encodeUtf8(text)
  if (bytes.length < 32) {
    writeByte(writer, tags.smallText + bytes.length)
    return writeRaw(writer, bytes)
  }
  writeByte(writer, tags.text)
  writeBytes(writer, bytes)
}

function writeBigint(progress: Progress, value: bigint): void {
  const hex = (value < 0n ? -1n - value : value).toString(16)
  const digits = hex.length % 2 === 1 ? `0${hex}` : hex
  countBytes(progress, digits.length / 2)
  const bytes = new Uint8Array(digits.length / 2)
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(digits.slice(i * 2, i * 2 + 2), 16)
  writeByte(progress.writer, value < 0n ? tags.negativeBigint : tags.bigint)
  writeBytes(progress.writer, bytes)
}

function writeList(progress: Progress, list: readonly unknown[], depth: number): void {
  const { writer, path } = progress
  enter(depth, 'elements of a list in a value', list.length)
  if (list.length < 16) writeByte(writer, tags.smallList + list.length)
  else {
    writeByte(writer, tags.list)
    writeUint(writer, list.length)
  }
  for (let i = 0; i < list.length; i++) {
    path[depth] = i
    writeValue(progress, list[i], depth + 1)
  }
}

function writePlainObject(
  progress: Progress,
  object: Readonly<Record<string, unknown>>,
  depth: number,
): void {
  const { writer, path } = progress
  const keys = Object.keys(object)
  enter(depth, 'keys of an object in a value', keys.length)
  if (keys.length > 1) keys.sort(compareNames)
  if (keys.length < 16) writeByte(writer, tags.smallObject + keys.length)
  else {
    writeByte(writer, tags.object)
    writeUint(writer, keys.length)
  }
  for (const key of keys) {
    path[depth] = key
    if (isForbiddenKey(key))
      throw new RejoinError('key-forbidden', { key }, `the key ${key} cannot be stored; rename it`)
    if (hasLoneSurrogate.test(key)) throwUnsupported(progress, depth + 1, 'a key is not well-formed text')
    countBytes(progress, key.length)
    writeString(writer, key)
    writeValue(progress, object[key], depth + 1)
  }
}

const hasLoneSurrogate = /\p{Surrogate}/u

function enter(depth: number, what: string, count: number): void {
  if (depth >= limits.valueDepthMax) throwTooLarge('nesting of a value', limits.valueDepthMax, depth + 1)
  if (count > limits.valueKeysMax) throwTooLarge(what, limits.valueKeysMax, count)
}

function countBytes(progress: Progress, more: number): void {
  progress.bytes += more
  if (progress.bytes > limits.valueBytesMax)
    throwTooLarge('bytes of a value', limits.valueBytesMax, progress.bytes)
}

function throwTooLarge(what: string, limit: number, actual: number): never {
  throw new RejoinError(
    'limit-exceeded',
    { what, limit, actual },
    `${what}: ${actual}, at most ${limit}; store less in one field`,
  )
}

function throwUnsupported(progress: Progress, depth: number, reason: string): never {
  const path = progress.path.slice(0, depth).join('.')
  throw new RejoinError(
    'value-unsupported',
    { path, reason },
    `${reason}${path === '' ? '' : ` (at ${path})`}`,
  )
}

/** Recursion is bounded by the depth, and every element takes a byte, so work and memory are by the input's size. */
function readValue(reader: Reader, depth: number): unknown {
  const tag = readByte(reader)
  if (tag >= tags.smallNumber && tag < tags.smallList) return tag - tags.smallNumber
  if (tag >= tags.smallText && tag < tags.smallNumber) return readUtf8(reader, tag - tags.smallText)
  if (tag >= tags.smallList && tag < tags.smallObject) return readList(reader, tag - tags.smallList, depth)
  if (tag >= tags.smallObject && tag < tags.end) return readObject(reader, tag - tags.smallObject, depth)
  switch (tag) {
    case tags.undefined:
      return undefined
    case tags.null:
      return null
    case tags.false:
      return false
    case tags.true:
      return true
    case tags.bigint:
      return readBigint(reader)
    case tags.negativeBigint:
      return -1n - readBigint(reader)
    case tags.date:
      return readDate(reader)
    case tags.text:
      return readUtf8(reader, readLength(reader, 32))
    case tags.bytes:
      return readBytes(reader, 'bytes of a value', limits.valueBytesMax)
    case tags.list:
      return readList(reader, readLength(reader, 16), depth)
    case tags.object:
      return readObject(reader, readLength(reader, 16), depth)
    default:
      return readTaggedNumber(reader, tag) ?? refuseMalformed('a value has an unknown tag')
  }
}

function readTaggedNumber(reader: Reader, tag: number): number | null {
  if (tag >= tags.smallNumber && tag < tags.smallList) return tag - tags.smallNumber
  if (tag === tags.number) return readLength(reader, 64)
  if (tag === tags.negative) {
    const number = -1 - readUint(reader)
    if (!Number.isSafeInteger(number)) refuseMalformed('a number is not in its one form')
    return number
  }
  if (tag !== tags.double) return null
  const number = readDouble(reader)
  if (Number.isSafeInteger(number) && !Object.is(number, -0))
    refuseMalformed('a number is not in its one form')
  return number
}

/** A number that would have had a shorter form below `least`. */
function readLength(reader: Reader, least: number): number {
  const length = readUint(reader)
  if (length < least) refuseMalformed('a value is not in its one form')
  return length
}

function readBigint(reader: Reader): bigint {
  const bytes = readBytes(reader, 'bytes of a value', limits.valueBytesMax)
  if (bytes.length === 0 || (bytes.length > 1 && bytes[0] === 0))
    refuseMalformed('a number is not in its one form')
  let hex = '0x'
  for (const byte of bytes) hex += byte.toString(16).padStart(2, '0')
  return BigInt(hex)
}

function readDate(reader: Reader): unknown {
  const ms = readNumber(reader)
  if (!Number.isInteger(ms) || Math.abs(ms) > 8.64e15) refuseMalformed('a date is out of range')
  // oxlint-disable-next-line no-restricted-globals -- a date as a value is no clock.
  return new Date(ms)
}

function readList(reader: Reader, length: number, depth: number): unknown[] {
  checkContainer(reader, depth, 'elements of a list in a value', length)
  const list: unknown[] = []
  for (let i = 0; i < length; i++) list.push(readValue(reader, depth + 1))
  return list
}

function readObject(reader: Reader, size: number, depth: number): Record<string, unknown> {
  checkContainer(reader, depth, 'keys of an object in a value', size)
  const object: Record<string, unknown> = {}
  let before = ''
  for (let i = 0; i < size; i++) {
    const key = readUtf8(reader, readUint(reader))
    if (isForbiddenKey(key)) refuse(failure('key-forbidden', { key }))
    if (i > 0 && key <= before) refuseMalformed('the keys of a value are not in order')
    before = key
    object[key] = readValue(reader, depth + 1)
  }
  return object
}

function checkContainer(reader: Reader, depth: number, what: string, count: number): void {
  if (depth >= limits.valueDepthMax)
    refuse(
      failure('limit-exceeded', {
        what: 'nesting of a value',
        limit: limits.valueDepthMax,
        actual: depth + 1,
      }),
    )
  checkLimit(what, limits.valueKeysMax, count)
  if (count > bytesLeft(reader)) refuseMalformed('a value ends too early')
}
