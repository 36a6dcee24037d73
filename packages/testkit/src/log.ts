/**
 * The log: what people wrote, what each of them could see when they wrote it, and what they were told of it. It is the
 * oracle of all checks, and knows nothing of marks, rows or feeds.
 *
 * Every write adds its token to the set `log` of its document, so a document says itself which writes are in it, and
 * the tokens that a writer was shown say what it had seen.
 */
import type { DocumentKey, ErrorCode } from '@rejoin/core'
import type { OpenTab } from './cluster.ts'
import type { SimulatedDevice } from './device.ts'

/** Fields of which concurrent values stand beside each other; see schema.ts for what tells them apart. */
export type AskField = 'title' | 'place' | 'mood'

/** What a write did to one field, or to the document. */
export type Effect =
  | { readonly field: AskField; readonly value: string; readonly decides: string | null }
  /** Passive: it keeps no document, and so has no token. */
  | { readonly field: 'seen'; readonly value: string }
  | { readonly field: 'color'; readonly value: string }
  | { readonly field: 'tags'; readonly element: string; readonly how: 'add' | 'remove' }
  | { readonly field: 'views'; readonly amount: number }
  | { readonly field: 'document'; readonly how: 'insert' | 'delete' | 'undelete' }

/** One write, as its author knows it. */
export interface Logged {
  /** In the document's `log`, or, of text, a token in its body. Empty for a deletion, which leaves no place for one. */
  readonly token: string
  readonly device: SimulatedDevice
  readonly tab: OpenTab
  readonly key: DocumentKey
  readonly kind: 'log' | 'text' | 'passive'
  readonly effects: readonly Effect[]
  /** Tokens that its author had been shown of the document. */
  readonly saw: ReadonlySet<string>
  /** How many tokens of any document its author had been shown. */
  readonly sights: number
  /** All that one call wrote, itself included. */
  together: readonly Logged[]
  /** Whether its author may have seen more than was shown: it was written over a deletion, or sent again. */
  blind: boolean
  /** When, in simulated milliseconds. */
  readonly at: number
  local: boolean
  /** When it was told to be local. */
  localAt: number
  relay: boolean
  /** Its tab was told so by pages, which do not say where the relay has it (SPEC A3). */
  lostSight: boolean
  /** Its tab was closed before it was told what became of it; to close takes a while where the disk is slow. */
  untold: boolean
  /** Its tab heard that there is no such level, and asks again in a while: until then it may be further than was told. */
  asksAgain: boolean
  /** On as many relays as the cluster asks for. */
  quorum: boolean
  /** Why it was put into the quarantine. */
  refused: ErrorCode | null
  /** Its author threw it out of the quarantine, or sent it again. */
  discarded: boolean
  /** No disk has it any more, after a disaster that took the last one. */
  gone: boolean
  /** Of text: another write deleted it again. */
  erased: boolean
}

/** How a write is called: by its token, or by what it says; of deletions alone one is as the other. */
export function nameOf({ token, effects }: Pick<Logged, 'token' | 'effects'>): string {
  if (token !== '') return token
  return effects.flatMap(effect => (effect.field === 'seen' ? [effect.value] : []))[0] ?? loneDeletion
}

export const loneDeletion = 'a deletion'
