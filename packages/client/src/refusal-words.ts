/** Why a relay refused a write, in words. Codes are for programs; these are for people who look for the cause. */
import { RejoinError, type ErrorCode, type Failure } from '@rejoin/core'

/** The error for who waits for the write. */
export function errorOfRefusal(error: Failure): RejoinError {
  const message = `${explainRefusal(error)} The write is in the quarantine.`
  return new RejoinError<ErrorCode>(error.code, error.details, message)
}

export function explainRefusal(error: Failure): string {
  switch (error.code) {
    case 'not-permitted':
      return `It is not permitted: ${error.details.reason}.`
    case 'refused-by-rule':
      return `A rule of the application refused it: ${error.details.reason}.`
    case 'built-on-refused':
      return `It changes ${error.details.document}, whose insert was refused.`
    case 'document-unknown':
      return `The relay does not know ${error.details.document}, and refuses to be told.`
    case 'limit-exceeded':
      return `It is too large: ${error.details.what}.`
    case 'text-invalid':
      return `Its text cannot be taken: ${error.details.reason}.`
    default:
      return `The relay refused it (${error.code}).`
  }
}
