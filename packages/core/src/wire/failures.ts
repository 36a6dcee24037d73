/**
 * Failures: a code and its details as a value. What each code carries is stated once more here, so that details
 * from outside are what their type says; a new code does not compile until it has its line.
 */
import type { ErrorCode, ErrorDetails, Failure } from '../errors.ts'
import { limits } from '../limits.ts'
import { readString, type Reader } from './reader.ts'
import { refuseMalformed } from './refusal.ts'
import { readValue } from './value-reader.ts'
import { writeValue } from './value-writer.ts'
import { writeString, type Writer } from './writer.ts'

export function writeFailure(writer: Writer, error: Failure): void {
  writeString(writer, error.code)
  writeValue(writer, error.details)
}

export function readFailure(reader: Reader): Failure {
  const code = readString(reader, 'bytes of a name', limits.nameBytesMax)
  const details = readValue(reader)
  if (!isErrorCode(code)) return refuseMalformed('an error has an unknown code')
  if (!hasShape(details, shapes[code])) return refuseMalformed('an error has other details than its code')
  return { code, details } as Failure
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(shapes, code)
}

function hasShape(details: unknown, shape: Readonly<Record<string, Kind>>): boolean {
  if (typeof details !== 'object' || details === null) return false
  const entries = Object.entries(details)
  return (
    entries.length === Object.keys(shape).length &&
    entries.every(([name, value]) => isKind(value, shape[name]))
  )
}

type Kind = 'string' | 'number' | 'strings' | 'numbers'

function isKind(value: unknown, kind: Kind | undefined): boolean {
  switch (kind) {
    case 'string':
      return typeof value === 'string'
    case 'number':
      return typeof value === 'number'
    case 'strings':
      return Array.isArray(value) && value.every(element => typeof element === 'string')
    case 'numbers':
      return Array.isArray(value) && value.every(element => typeof element === 'number')
    case undefined:
      return false
  }
}

type KindOf<T> = T extends string
  ? 'string'
  : T extends number
    ? 'number'
    : T extends readonly string[]
      ? 'strings'
      : 'numbers'

type Shapes = {
  readonly [C in ErrorCode]: { readonly [D in keyof ErrorDetails[C]]: KindOf<ErrorDetails[C][D]> }
}

const shapes: Shapes = {
  'clock-skew': { relayTime: 'number', ms: 'number' },
  'unknown-mark': { mark: 'string' },
  'document-unknown': { document: 'string' },
  'not-permitted': { reason: 'string' },
  'refused-by-rule': { reason: 'string' },
  'built-on-refused': { document: 'string' },
  'value-unsupported': { path: 'string', reason: 'string' },
  'key-forbidden': { key: 'string' },
  'limit-exceeded': { what: 'string', limit: 'number', actual: 'number' },
  'transaction-too-large': { bytes: 'number', limit: 'number' },
  'too-many-siblings': { limit: 'number' },
  'malformed-frame': { reason: 'string' },
  'frame-too-large': { bytes: 'number', limit: 'number' },
  'protocol-version': { supported: 'numbers' },
  'text-invalid': { reason: 'string' },
  'text-not-owned': { client: 'number' },
  'text-gap': { client: 'number', have: 'number', from: 'number' },
  'client-id-taken': { client: 'number' },
  'no-leader': { space: 'string' },
  'ack-timeout': { reached: 'string', wanted: 'string' },
  'ack-unavailable': { wanted: 'string', available: 'strings' },
  'quorum-invalid': { relays: 'number', write: 'number', read: 'number', reason: 'string' },
  'bookmark-timeout': { waitedMs: 'number' },
  'bookmark-lost': { generation: 'string' },
  stale: { lagMs: 'number', limitMs: 'number' },
  overloaded: { retryAfterMs: 'number' },
  unauthenticated: { reason: 'string' },
  'link-lost': { reason: 'string' },
  'storage-full': { reason: 'string' },
  'storage-blocked': { reason: 'string' },
  'storage-closed': { reason: 'string' },
  'storage-evicted': { unsent: 'number' },
  'storage-damaged': { document: 'string' },
  closed: { what: 'string' },
}
