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

/** What most values are, without more ado: a short text of ASCII. Null for any other value, and what is none. */
export function readSmallText(bytes: Uint8Array, from: number, to: number): string | null {
  const tag = bytes[from] ?? 0
  if (tag < tags.smallText || tag >= tags.smallNumber || tag - tags.smallText !== to - from - 1) return null
  return readShortAscii(bytes, from + 1, to)
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
  if (!Number.isInteger(ms) || Math.abs(ms) > 8.64e15) refuseMalformed('a date is out of range')
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
