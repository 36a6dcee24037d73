/** Error codes in the words of this app, for people who never saw a code. */
import type { QuarantinedItem, Status } from '@rejoin/client'
import { countChanges } from './status-words.ts'

/** Why a change was refused. */
export function explainRefusal(item: QuarantinedItem): string {
  switch (item.error.code) {
    case 'not-permitted':
      return 'You may not change this space.'
    case 'refused-by-rule':
      return `The relay’s rules do not allow it: ${item.error.details.reason}`
    case 'built-on-refused':
      return 'It builds on a change that was refused.'
    case 'document-unknown':
      return 'The note it changes is not there.'
    case 'clock-skew':
      return 'The clock of this device was too far off.'
    case 'too-many-siblings':
      return 'Too many titles are already waiting for a decision.'
    case 'limit-exceeded':
    case 'transaction-too-large':
    case 'frame-too-large':
      return 'It is too large.'
    case 'text-invalid':
    case 'value-unsupported':
    case 'key-forbidden':
      return 'The relay could not accept what it holds.'
    default:
      return 'The relay refused it.'
  }
}

export interface Warning {
  readonly title: string
  readonly text: string
}

/** What the browser took from this device, and whether anything of it is lost. */
export function explainEviction(unsent: number): Warning {
  const title = 'The browser has deleted the notes on this device'
  if (unsent === 0) return { title, text: 'Nothing is lost: they come back from the relay.' }
  return {
    title,
    text: `What was on a relay comes back; ${countChanges(unsent)} had not been sent and are lost.`,
  }
}

/** What in the status is worth a warning beyond the status bar. */
export function findWarning(status: Status): Warning | null {
  switch (status.storage ?? status.reason) {
    case 'storage-full':
      return {
        title: 'This device is full',
        text: 'New changes cannot be kept here until there is room again.',
      }
    case 'storage-closed':
    case 'storage-evicted':
      return {
        title: 'The browser took its storage away',
        text: 'What was written since may not be kept here. Open the page again.',
      }
    case 'storage-blocked':
      return {
        title: 'Another tab blocks the storage',
        text: 'Close the app’s other tabs, then open this page again.',
      }
    case 'unauthenticated':
    case 'not-permitted':
      return { title: 'The relay does not let you in', text: 'What you write stays on this device.' }
    case 'protocol-version':
      return {
        title: 'This page is out of date',
        text: 'Open it again to talk to the relay; nothing is lost.',
      }
    case 'clock-skew':
      return { title: 'This device’s clock is off', text: 'Set it right, so that your changes can be sent.' }
    default:
      break
  }
  if (status.persistence !== 'memory') return null
  return {
    title: 'Nothing is kept on this device',
    text: 'The browser offers no storage here (a private window?). Changes that are not on a relay end with this page.',
  }
}
