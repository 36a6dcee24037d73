/**
 * What was asked for and has not come (SPEC P4, L2, X6): rows whole, what is missing of bodies, and who writers are.
 *
 * Rows and bodies are remembered with every chunk, and asked for again in the next session (P4); until all have come,
 * nothing is joined that would say they are here (P3).
 */
import type { TextFrame, TextHead } from '../frames.ts'
import type { WriterId } from '../mark.ts'
import type { DocumentKey, PartName } from '../row.ts'
import type { Conversation } from './conversation.ts'

export interface Wants {
  readonly isEmpty: boolean
  /** Whether `takeDone` would tell of any. */
  readonly hasDone: boolean
  /** Whether a row is asked for, or a body of it is. */
  isOutstanding(key: DocumentKey): boolean
  isRowOutstanding(key: DocumentKey): boolean
  /** Rows of which something was outstanding, and nothing is any more, each told once. */
  takeDone(): readonly DocumentKey[]
  /** Rows that are asked for, or of which a body is. */
  outstanding(): readonly DocumentKey[]
  /** Asks for rows whole, but for those that are asked for already. */
  rows(keys: Iterable<DocumentKey>): void
  /** Asks once more for what was asked for before the last session ended. */
  again(): void
  /** A row came whole. */
  rowCame(key: DocumentKey): void
  /** Of a body only the head came: what is here of it is measured, then what is missing is asked for. */
  body(key: DocumentKey, part: PartName, head: TextHead): void
  /** What is here of a body: all of it, or what is missing is asked for. */
  measured(key: DocumentKey, part: PartName, stateVector: ReadonlyMap<number, number>, digest: string): void
  textCame(frame: TextFrame): void
  /** T4: asks who wrote the sides of conflicts, once for each who is not known. */
  strangers(): void
  /** The relay has heard from others, perhaps who those are of whom it knew nothing when it was asked. */
  strangersAgain(): void
}

/** How many rows one frame asks for: their names alone must fit. */
const keysPerFrameMax = 4096

export function createWants(conversation: Conversation): Wants {
  const { state } = conversation
  let rows = new Set<DocumentKey>()
  /** Of each row's bodies the digest of the last head, and how many heads are to be answered. */
  const bodies = new Map<DocumentKey, Map<PartName, { readonly digest: string; readonly asked: number }>>()
  const done = new Set<DocumentKey>()
  const askedWriters = new Set<WriterId>()

  function send(keys: readonly DocumentKey[]): void {
    for (let from = 0; from < keys.length; from += keysPerFrameMax) {
      const some = keys.slice(from, from + keysPerFrameMax)
      conversation.send({ type: 'want', keys: some, texts: [], writers: [] })
    }
  }

  function isOutstanding(key: DocumentKey): boolean {
    return rows.has(key) || bodies.has(key)
  }

  function noteIfDone(key: DocumentKey): void {
    if (!isOutstanding(key)) done.add(key)
  }

  /** One head is answered. Of two, the first answer may be older than the second head. */
  function bodyCame(key: DocumentKey, part: PartName): void {
    const ofRow = bodies.get(key)
    const wanted = ofRow?.get(part)
    if (ofRow === undefined || wanted === undefined) return
    if (wanted.asked > 1) ofRow.set(part, { ...wanted, asked: wanted.asked - 1 })
    else ofRow.delete(part)
    if (ofRow.size === 0) bodies.delete(key)
    noteIfDone(key)
  }

  return {
    get isEmpty() {
      return rows.size === 0 && bodies.size === 0
    },
    get hasDone() {
      return done.size > 0
    },
    isOutstanding,
    isRowOutstanding: key => rows.has(key),
    takeDone() {
      const keys = [...done].filter(key => !isOutstanding(key))
      done.clear()
      return keys
    },
    outstanding: () => (rows.size + bodies.size === 0 ? [] : [...new Set([...rows, ...bodies.keys()])]),
    rows(keys) {
      const asked = [...keys].filter(key => !rows.has(key))
      for (const key of asked) rows.add(key)
      send([...new Set(asked)])
    },
    again() {
      // Also what was asked of other relays: this one may have it, and it is asked of those all the same. Of this one it may
      // have been before there was a list, or before its address led to it.
      rows = new Set([...state.wants, ...state.wantsOf(conversation.store)])
      send([...rows])
    },
    rowCame(key) {
      if (rows.delete(key)) noteIfDone(key)
    },
    body(key, part, { digest }) {
      const ofRow = bodies.get(key) ?? new Map()
      bodies.set(key, ofRow.set(part, { digest, asked: (ofRow.get(part)?.asked ?? 0) + 1 }))
      conversation.ask({ kind: 'measure', key, part })
    },
    measured(key, part, stateVector, digest) {
      const wanted = bodies.get(key)?.get(part)
      if (wanted === undefined) return
      if (digest === wanted.digest) bodyCame(key, part)
      else conversation.send({ type: 'want', keys: [], texts: [{ key, part, stateVector }], writers: [] })
    },
    textCame({ key, part, more }) {
      if (!more) bodyCame(key, part)
    },
    strangersAgain: () => askedWriters.clear(),
    strangers() {
      if (state.strangers.size === 0) return
      const writers = [...state.strangers].filter(writer => !askedWriters.has(writer))
      for (const writer of writers) askedWriters.add(writer)
      if (writers.length > 0) conversation.send({ type: 'want', keys: [], texts: [], writers })
    },
  }
}
