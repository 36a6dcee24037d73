/** Values into bytes. What cannot be stored is an error of the caller's, who is told where in the value it is. */
import { RejoinError } from '../errors.ts'
import { isForbiddenKey } from '../forbidden-key.ts'
import { limits } from '../limits.ts'
import { writeNumber } from './numbers.ts'
import { compareNames } from './order.ts'
import { tags } from './value-tags.ts'
import {
  encodeUtf8,
  writeByte,
  writeBytes,
  writeRaw,
  writeShortAscii,
  writeString,
  writeUint,
  type Writer,
} from './writer.ts'

/** Throws `value-unsupported`, `key-forbidden` or `limit-exceeded`. */
export function writeValue(writer: Writer, value: unknown): void {
  // What most values are, and what needs no account of the way there.
  if (typeof value === 'number') return writeNumber(writer, value)
  if (typeof value === 'string' && value.length < fewCharacters) return writeText(writer, value)
  writeAny({ writer, path: [], bytes: 0 }, value, 0)
}

/** Too few to be too many. */
const fewCharacters = 1024

interface Progress {
  readonly writer: Writer
  /** The key of each container above, kept by depth, so that failing can say where. */
  readonly path: (string | number)[]
  /** Bytes of texts and binaries so far: a value that is far too large is not built first. */
  bytes: number
}

function writeAny(progress: Progress, value: unknown, depth: number): void {
  const { writer } = progress
  switch (typeof value) {
    case 'string':
      countBytes(progress, value.length)
      return writeText(writer, value)
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

export function writeText(writer: Writer, text: string): void {
  if (text.length < 32) {
    if (writeShortAscii(writer, tags.smallText, text)) return
    const bytes = encodeUtf8(text)
    writeByte(writer, bytes.length < 32 ? tags.smallText + bytes.length : tags.text)
    return bytes.length < 32 ? writeRaw(writer, bytes) : writeBytes(writer, bytes)
  }
  writeByte(writer, tags.text)
  if (text.length > 127 || !writeShortAscii(writer, 0, text)) writeBytes(writer, encodeUtf8(text))
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
    writeAny(progress, list[i], depth + 1)
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
    writeAny(progress, object[key], depth + 1)
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

export function throwTooLarge(what: string, limit: number, actual: number): never {
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
