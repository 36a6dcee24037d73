/** Values from bytes that may be anybody's. Only the one form of each value is taken. */
import { failure } from '../errors.ts'
import { isForbiddenKey } from '../forbidden-key.ts'
import { limits } from '../limits.ts'
import { readLength, readNumber, readTaggedNumber } from './numbers.ts'
import { bytesLeft, readByte, readBytes, readShortAscii, readUint, readUtf8, type Reader } from './reader.ts'
import { checkLimit, refuse, refuseMalformed } from './refusal.ts'
import { tags } from './value-tags.ts'

export function readValue(reader: Reader): unknown {
  return readAny(reader, 0)
}

/**
 * What most values are, without more ado: a short text of ASCII, or a number that is whole and not large. Null for any
 * other value, and for what is none. If all around it is ASCII, and known as a text, it is cut out of that, from where the
 * value begins in it.
 */
export function readPlain(
  bytes: Uint8Array,
  from: number,
  to: number,
  text: string | null,
  at: number,
): string | number | null {
  const tag = bytes[from] ?? 0
  const length = to - from
  if (tag >= tags.smallText && tag < tags.smallNumber)
    return tag - tags.smallText !== length - 1
      ? null
      : (text?.slice(at + 1, at + length) ?? readShortAscii(bytes, from + 1, to))
  if (tag >= tags.smallNumber && tag < tags.smallList) return length === 1 ? tag - tags.smallNumber : null
  if (tag === tags.text) {
    // One byte says how long it is.
    const said = bytes[from + 1] ?? 0
    return text !== null && said >= 32 && said < 128 && said === length - 2
      ? text.slice(at + 2, at + length)
      : null
  }
  return tag === tags.number && length <= plainBytesMax ? readPlainNumber(bytes, from + 1, to) : null
}

const plainBytesMax = 5

/** As `readUint`, within 28 bits. */
function readPlainNumber(bytes: Uint8Array, from: number, to: number): number | null {
  let value = 0
  for (let i = from, shift = 0; i < to; i++, shift += 7) {
    const byte = bytes[i] ?? 0
    const isLast = byte < 128
    if (isLast !== (i === to - 1)) return null
    value |= (byte & 127) << shift
  }
  return value >= 64 && bytes[to - 1] !== 0 ? value : null
}

/** Recursion is bounded by the depth, and every element takes a byte, so work and memory are by the input's size. */
function readAny(reader: Reader, depth: number): unknown {
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
  if (!Number.isInteger(ms) || Object.is(ms, -0) || Math.abs(ms) > 8.64e15)
    refuseMalformed('a date is out of range')
  // oxlint-disable-next-line no-restricted-globals -- a date as a value is no clock.
  return new Date(ms)
}

function readList(reader: Reader, length: number, depth: number): unknown[] {
  checkContainer(reader, depth, 'elements of a list in a value', length)
  const list: unknown[] = []
  for (let i = 0; i < length; i++) list.push(readAny(reader, depth + 1))
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
    object[key] = readAny(reader, depth + 1)
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
