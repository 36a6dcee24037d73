/**
 * Giving: rows that the relay lacks go to it whole, with their bodies (SPEC S3). The relay counts rows and its answers
 * through the whole session, so this does too.
 */
import type { Failure } from '../errors.ts'
import type { GivenFrame } from '../frames.ts'
import { partsOfGive } from '../size.ts'
import type { DocumentKey, Row } from '../row.ts'
import { ask, send, type Conversation } from './conversation.ts'
import type { LoadedRow } from './effects.ts'

export interface Giving {
  /** Whether everything that was to be given is, and is answered. */
  isDone(): boolean
  /** Whether something was put off until there is a leader to judge it: then it was neither taken nor refused. */
  readonly isPutOff: boolean
  /** What was given since it was begun last, as it was then. */
  readonly given: ReadonlyMap<DocumentKey, Row>
  readonly refused: ReadonlyMap<DocumentKey, Failure>
  /** Forgets what was given so far, but not what is to be answered. */
  begin(): void
  /** `isLast`: nothing else is to be asked or given before the pull goes on. */
  give(keys: readonly DocumentKey[], isLast?: boolean): void
  loaded(rows: readonly LoadedRow[]): void
  answered(frame: GivenFrame): void
  /** Whether the relay was told so with the last of it. Told once. */
  takeEnded(): boolean
}

const rowsAtOnce = 256
/** With so many unanswered no more are read: a whole replica is not to wait in the memory of its link. */
const unansweredMax = 2048

export function createGiving(conversation: Conversation): Giving {
  /** A whole replica may wait here, so it is neither spread nor shifted. */
  let queue: DocumentKey[] = []
  let place = 0
  let isLoading = false
  let partsGiven = 0
  let partsAnswered = 0
  /** Whether what is queued ends with the last, and whether the relay was told so. */
  let end: 'no' | 'queued' | 'told' = 'no'
  const given = new Map<DocumentKey, Row>()
  const refused = new Map<DocumentKey, Failure>()

  function loadNext(): void {
    if (isLoading || isQueueEmpty() || partsGiven - partsAnswered > unansweredMax) return
    isLoading = true
    const keys = queue.slice(place, place + rowsAtOnce)
    place += keys.length
    if (isQueueEmpty()) {
      queue = []
      place = 0
    }
    ask(conversation, { kind: 'load', keys })
  }

  function isQueueEmpty(): boolean {
    return place === queue.length
  }

  const giving: Giving & { isPutOff: boolean } = {
    isDone: () => !isLoading && isQueueEmpty() && partsAnswered >= partsGiven,
    isPutOff: false,
    given,
    refused,
    begin() {
      given.clear()
      refused.clear()
      end = 'no'
    },
    give(keys, isLast = false) {
      if (isLast) end = 'queued'
      for (const key of keys) {
        // What is given again is answered again.
        refused.delete(key)
        queue.push(key)
      }
      loadNext()
    },
    loaded(rows) {
      isLoading = false
      const parts = partsOfGive(rows)
      parts.forEach((part, i) => {
        partsGiven += part.length
        const last = end === 'queued' && isQueueEmpty() && i === parts.length - 1
        send(conversation, { type: 'give', rows: part, last })
        if (last) end = 'told'
      })
      for (const { key, row } of rows) given.set(key, row)
      loadNext()
    },
    answered(frame) {
      partsAnswered = frame.count
      loadNext()
      for (const { key, error } of frame.refused) {
        if (error.code === 'no-leader') {
          giving.isPutOff = true
          given.delete(key)
        } else refused.set(key, error)
      }
    },
    takeEnded() {
      const isTold = end === 'told'
      end = 'no'
      return isTold
    },
  }
  return giving
}
