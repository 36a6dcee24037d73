/**
 * Values between an application and a cell: checked and encoded on the way in, decoded once on the way out.
 *
 * What goes in passes the schema or throws. What comes out is shown as it is, since it may have been written by an
 * older or newer version of the application; reading never throws.
 */
import { decodeValue, encodeValue, readPlain, RejoinError } from '@rejoin/core'
import type { SchemaIssue, SchemaResult, StandardSchema } from './standard-schema.ts'

/** The value as the schema gives it out. Throws `value-unsupported`. */
export function validateValue<Output>(schema: StandardSchema<unknown, Output>, input: unknown): Output {
  const result = runSchema(schema, input)
  if (result.issues === undefined) return result.value
  const issue = result.issues[0]
  throw unsupported(issue === undefined ? '' : pathOfIssue(issue), issue?.message ?? 'its schema refuses it')
}

/** The bytes of a value that its schema accepts. */
export function encodeInput(schema: StandardSchema, input: unknown): Uint8Array {
  return encodeValue(validateValue(schema, input))
}

/** The bytes of a field that an insert leaves out; null if there is nothing to write. */
export function encodeAbsent(schema: StandardSchema, isSeen: boolean): Uint8Array | null {
  const value = validateValue(schema, undefined)
  return value === undefined && !isSeen ? null : encodeValue(value)
}

/**
 * What a field shows that nobody has written: what its schema makes of nothing. Asked when a field is declared: throws a
 * TypeError for what is no schema.
 */
export function defaultOf<Output>(schema: StandardSchema<unknown, Output>): Output {
  requireSchema(schema)
  const result = runSchema(schema, undefined)
  return result.issues === undefined ? copyOf(result.value) : (undefined as Output)
}

/** What is shown cannot be changed any more; what an application gives as the default of a schema stays its own. */
function copyOf<Output>(value: Output): Output {
  return typeof value === 'object' && value !== null ? showValue(encodeValue(value)) : value
}

/** The value in bytes that came from anywhere; undefined if they are none. As `ReadEncoded` it reads it where it lies. */
export function showValue<Output>(
  bytes: Uint8Array,
  from = 0,
  to: number = bytes.length,
  text: string | null = null,
  at = 0,
): Output {
  const plain = readPlain(bytes, from, to, text, at)
  if (plain !== null) return plain as Output
  const decoded = decodeValue(bytes, from, to)
  return (decoded.ok ? decoded.value : undefined) as Output
}

/**
 * As `showValue`, but the same object for the same bytes. Strings and numbers are the same anyway, and most values are
 * such: to remember each costs more than to decode it again.
 */
export function showRemembered<Output>(): (bytes: Uint8Array) => Output {
  const known = new WeakMap<Uint8Array, { readonly value: Output }>()
  return bytes => {
    const remembered = known.get(bytes)
    if (remembered !== undefined) return remembered.value
    const value = showValue<Output>(bytes)
    if (typeof value === 'object' && value !== null) known.set(bytes, { value })
    return value
  }
}

/** Remembers what was computed from an object, so that readers get the same answer for the same cell. */
export function memoize<Key extends object, Value>(compute: (key: Key) => Value): (key: Key) => Value {
  const known = new WeakMap<Key, { readonly value: Value }>()
  return key => {
    let entry = known.get(key)
    if (entry === undefined) {
      entry = { value: compute(key) }
      known.set(key, entry)
    }
    return entry.value
  }
}

/** A strategy without a schema is declared wrong, whatever is written later. */
export function requireSchema(schema: Partial<StandardSchema> | undefined): void {
  if (typeof schema?.['~standard']?.validate === 'function') return
  throw new TypeError('a strategy takes a Standard Schema of its values, such as v.string() of valibot')
}

export function unsupported(path: string, reason: string): RejoinError<'value-unsupported'> {
  const place = path === '' ? 'the value' : `the value at ${path}`
  return new RejoinError('value-unsupported', { path, reason }, `${place} cannot be written: ${reason}`)
}

export function tooLarge(what: string, limit: number, actual: number): RejoinError<'limit-exceeded'> {
  return new RejoinError('limit-exceeded', { what, limit, actual }, `${what}: ${actual}, at most ${limit}`)
}

function runSchema<Output>(schema: StandardSchema<unknown, Output>, input: unknown): SchemaResult<Output> {
  try {
    const result = schema['~standard'].validate(input)
    if (!(result instanceof Promise)) return result
    // Nobody waits for it; without this its rejection would be nobody's either.
    result.catch(() => undefined)
    return {
      issues: [{ message: 'its schema is asynchronous; a write is synchronous, so its schema must be too' }],
    }
  } catch (error) {
    return {
      issues: [{ message: `its schema threw: ${error instanceof Error ? error.message : String(error)}` }],
    }
  }
}

function pathOfIssue(issue: SchemaIssue): string {
  const keys = issue.path ?? []
  return keys.map(step => String(typeof step === 'object' ? step.key : step)).join('.')
}
