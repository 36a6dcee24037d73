/** Failures of relays as errors that an application catches: what happened, to what, and what to do. */
import { RejoinError, type ErrorCode, type Failure } from '@rejoin/core'

/** The error for a failure. Its message is for people; decide by its code. */
export function errorOfFailure(error: Failure): RejoinError {
  return new RejoinError<ErrorCode>(error.code, error.details, adviceOf(error))
}

function adviceOf(error: Failure): string {
  switch (error.code) {
    case 'refused-by-rule':
      return `the relay refused the write: ${error.details.reason}; it is in the quarantine`
    case 'not-permitted':
      return `the relay does not permit it: ${error.details.reason}; it is in the quarantine`
    case 'built-on-refused':
      return `${error.details.document} was refused, and this write stands on it; it is in the quarantine`
    case 'document-unknown':
      return `the relay does not take in ${error.details.document}, which this write changes; it is in the quarantine`
    case 'unauthenticated':
      return `the relay does not know who this is: ${error.details.reason}; sign in again`
    case 'protocol-version':
      return 'the relay speaks another version; update the application'
    default:
      return 'the relay refused the write; it is in the quarantine, with its reason'
  }
}
