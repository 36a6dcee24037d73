/**
 * Errors. Outcomes of pure code are values; `RejoinError` is for what a caller of a shell must handle;
 * `assert` is for bugs. Codes are API: decide by `code`, never by message.
 */

/** The details that each code carries. */
export interface ErrorDetails {
  'clock-skew': { readonly relayTime: number; readonly ms: number }
  'unknown-mark': { readonly mark: string }
  'document-unknown': { readonly document: string }
  'not-permitted': { readonly reason: string }
  'refused-by-rule': { readonly reason: string }
  'built-on-refused': { readonly document: string }
  'value-unsupported': { readonly path: string; readonly reason: string }
  'key-forbidden': { readonly key: string }
  'limit-exceeded': { readonly what: string; readonly limit: number; readonly actual: number }
  'transaction-too-large': { readonly bytes: number; readonly limit: number }
  'too-many-siblings': { readonly limit: number }
  'malformed-frame': { readonly reason: string }
  'frame-too-large': { readonly bytes: number; readonly limit: number }
  'protocol-version': { readonly supported: readonly number[] }
  'text-invalid': { readonly reason: string }
  'text-not-owned': { readonly client: number }
  'text-gap': { readonly client: number; readonly have: number; readonly from: number }
  'client-id-taken': { readonly client: number }
  'no-leader': { readonly space: string }
  'ack-timeout': { readonly reached: string; readonly wanted: string }
  'ack-unavailable': { readonly wanted: string; readonly available: readonly string[] }
  'quorum-invalid': {
    readonly relays: number
    readonly write: number
    readonly read: number
    readonly reason: string
  }
  'bookmark-timeout': { readonly waitedMs: number }
  'bookmark-lost': { readonly generation: string }
  stale: { readonly lagMs: number; readonly limitMs: number }
  overloaded: { readonly retryAfterMs: number }
  unauthenticated: { readonly reason: string }
  'link-lost': { readonly reason: string }
  'storage-full': { readonly reason: string }
  'storage-blocked': { readonly reason: string }
  'storage-closed': { readonly reason: string }
  'storage-evicted': { readonly unsent: number }
  'storage-damaged': { readonly document: string }
  closed: { readonly what: string }
}

export type ErrorCode = keyof ErrorDetails

/** An error as a value: what the wire carries, and what pure code returns. */
export type Failure = {
  readonly [C in ErrorCode]: { readonly code: C; readonly details: ErrorDetails[C] }
}[ErrorCode]

export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: Failure }

/** The one error class of Rejoin. `message` says what happened, to what, and what to do. */
export class RejoinError<C extends ErrorCode = ErrorCode> extends Error {
  readonly code: C
  readonly details: ErrorDetails[C]

  constructor(code: C, details: ErrorDetails[C], message: string, cause?: unknown) {
    super(`${code}: ${message}`, cause === undefined ? undefined : { cause })
    this.name = 'RejoinError'
    this.code = code
    this.details = details
  }
}

/** A failure, typed by its code. */
export function failure<C extends ErrorCode>(code: C, details: ErrorDetails[C]): Failure {
  return { code, details } as Failure
}

/** States an invariant. A failed assertion is a bug of Rejoin; it is never caught and never used on input. */
export function assert(condition: boolean, invariant: string): asserts condition {
  if (!condition) throw new Error(`invariant broken: ${invariant}`)
}
