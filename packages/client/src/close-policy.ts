/**
 * What the end of a conversation means for the next one. The code of a close is what remains where the frame that said
 * why did not arrive.
 */
import type { ErrorCode } from '@rejoin/core'
import type { ConversationEnd } from './conversation.ts'

export type NextStep =
  /** Trying again cannot help: somebody has to do something first. */
  | { readonly kind: 'stop'; readonly reason: ErrorCode }
  | { readonly kind: 'ask-token' }
  /** Try again, not before `retryAfterMs` if it is not 0. */
  | { readonly kind: 'retry'; readonly reason: ErrorCode | undefined; readonly retryAfterMs: number }
  /** Another tab has the connection. */
  | { readonly kind: 'yield' }

/** Decides by kind and code alone. */
export function nextStep(end: ConversationEnd): NextStep {
  switch (end.kind) {
    case 'fenced':
      return { kind: 'yield' }
    case 'not-owner':
      return { kind: 'ask-token' }
    case 'storage':
      return { kind: 'retry', reason: end.error.code, retryAfterMs: 0 }
    case 'silent':
      return { kind: 'retry', reason: 'link-lost', retryAfterMs: 0 }
    case 'closed':
      return stepOfCloseCode(end.code)
    case 'ended':
      if (end.error === null) return { kind: 'retry', reason: undefined, retryAfterMs: end.retryAfterMs }
      // What this side could not read may have been garbled on the way: the next time it may be whole.
      if (!end.byRelay) return { kind: 'retry', reason: end.error.code, retryAfterMs: end.retryAfterMs }
      return end.error.code === 'overloaded'
        ? { kind: 'retry', reason: 'overloaded', retryAfterMs: end.error.details.retryAfterMs }
        : stepOfRefusal(end.error.code)
  }
}

function stepOfRefusal(code: ErrorCode): NextStep {
  switch (code) {
    case 'unauthenticated':
      return { kind: 'ask-token' }
    case 'malformed-frame':
    case 'frame-too-large':
    case 'limit-exceeded':
    case 'not-permitted':
    case 'protocol-version':
      return { kind: 'stop', reason: code }
    default:
      return { kind: 'retry', reason: code, retryAfterMs: 0 }
  }
}

function stepOfCloseCode(code: number): NextStep {
  switch (code) {
    case 4400:
      return { kind: 'stop', reason: 'malformed-frame' }
    case 4401:
      return { kind: 'ask-token' }
    case 4403:
      return { kind: 'stop', reason: 'not-permitted' }
    case 4426:
      return { kind: 'stop', reason: 'protocol-version' }
    case 1013:
      return { kind: 'retry', reason: 'overloaded', retryAfterMs: 0 }
    default:
      return { kind: 'retry', reason: undefined, retryAfterMs: 0 }
  }
}
