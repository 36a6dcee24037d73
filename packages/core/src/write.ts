/**
 * Writes and transactions: what a replica makes, keeps in its outbox and submits (SPEC W1-W6, Q1).
 */
import type { Mark, WriterId } from './mark.ts'
import type { DocumentKey, PartName, Row } from './row.ts'
import type { SeenDocument } from './seen-document.ts'

/** The Yjs updates of one text, in the order in which they were made. */
export type TextUpdates = ReadonlyMap<PartName, readonly Uint8Array[]>

/** One call is one write: all that it changes bears its mark (SPEC W3). */
export interface Write {
  readonly mark: Mark
  readonly key: DocumentKey
  /** What it changes, as a row that joins: cells, a deletion, a revival. */
  readonly delta: Row
  /** The bodies' part of `text` cells in `delta`. */
  readonly texts: TextUpdates
  /** Of each `lww` cell in `delta` the mark that its writer saw there, if any. */
  readonly replaced: ReadonlyMap<PartName, Mark>
  /** Whether it stands by itself: an insert, which a replica that lacks the row can take. */
  readonly whole: boolean
}

/** `writer.serial`: names a transaction for verdicts and the quarantine; never on the wire. */
export type TransactionId = string & { readonly brand: 'TransactionId' }

export interface Transaction {
  readonly id: TransactionId
  readonly writes: readonly Write[]
  /** One for each write. */
  readonly seen: readonly SeenDocument[]
  /** Milliseconds that the device's clock was corrected by when it was made (SPEC C2, W6). */
  readonly correction: number
  /** The journal position up to which its tab had applied what is there: whether it stands on what is gone (SPEC X9). */
  readonly heard: number
}

export function transactionId(writer: WriterId, serial: number): TransactionId {
  return `${writer}.${serial}` as TransactionId
}

const writerLength = 11

export function writerOf(id: TransactionId): WriterId {
  return id.slice(0, writerLength) as WriterId
}

/** The number behind the dot, in its one form; else -1. A writer's rise with each transaction that it makes. */
export function serialOf(id: TransactionId): number {
  if (id[writerLength] !== '.' || id.length === writerLength + 1) return -1
  let serial = 0
  for (let i = writerLength + 1; i < id.length; i++) {
    const digit = id.charCodeAt(i) - zero
    if (digit < 0 || digit > 9 || (serial === 0 && i > writerLength + 1)) return -1
    serial = serial * 10 + digit
  }
  return serial
}

const zero = 48

export const noTexts: TextUpdates = new Map()
export const nothingReplaced: ReadonlyMap<PartName, Mark> = new Map()

export function touchesAny(
  writes: readonly { readonly key: DocumentKey }[],
  keys: ReadonlySet<DocumentKey>,
): boolean {
  return keys.size > 0 && writes.some(({ key }) => keys.has(key))
}
