/**
 * What was asked for and has not come (SPEC P4, L2, X6): rows whole, what is missing of bodies, and who writers are.
 *
 * Rows and bodies are remembered with every chunk, and asked for again in the next session (P4); until all have come,
 * nothing is joined that would say they are here (P3).
 */
import type { TextFrame, TextHead } from '../frames.ts'
import type { WriterId } from '../mark.ts'
import type { DocumentKey, PartName } from '../row.ts'
import { ask, send, type Conversation } from './conversation.ts'

export interface Wants {
  readonly conversation: Conversation
  /** Whether nothing is outstanding, and `takeDone` would tell of nothing: so it is with nearly all that comes. */
  isQuiet: boolean
  readonly rows: Set<DocumentKey>
  /** Of each row's bodies the digest of the last head, and how many heads are to be answered. */
  readonly bodies: Map<DocumentKey, Map<PartName, { readonly digest: string; readonly asked: number }>>
  /** Rows of which something was outstanding and came. */
  readonly done: Set<DocumentKey>
  readonly askedWriters: Set<WriterId>
}

/** How many rows one frame asks for: their names alone must fit. */
const keysPerFrameMax = 4096

export function createWants(conversation: Conversation): Wants {
  return {
    conversation,
    isQuiet: true,
    rows: new Set(),
    bodies: new Map(),
    done: new Set(),
    askedWriters: new Set(),
  }
}

/** Whether neither a row nor a body is outstanding. */
export function isNothingWanted({ isQuiet, rows, bodies }: Wants): boolean {
  return isQuiet || rows.size + bodies.size === 0
}

/** Whether a row is asked for, or a body of it is. */
export function isOutstanding({ rows, bodies }: Wants, key: DocumentKey): boolean {
  return rows.has(key) || bodies.has(key)
}

/** Rows of which something was outstanding, and nothing is any more, each told once. */
export function takeDone(wants: Wants): readonly DocumentKey[] {
  const keys = [...wants.done].filter(key => !isOutstanding(wants, key))
  wants.done.clear()
  wants.isQuiet = isNothingWanted(wants)
  return keys
}

/** Rows that are asked for, or of which a body is. */
export function outstandingOf(wants: Wants): readonly DocumentKey[] {
  return isNothingWanted(wants) ? nothingOutstanding : [...new Set([...wants.rows, ...wants.bodies.keys()])]
}

const nothingOutstanding: readonly DocumentKey[] = []

/** Asks for rows whole, but for those that are asked for already. */
export function wantRows(wants: Wants, keys: Iterable<DocumentKey>): void {
  const { rows } = wants
  const asked = new Set<DocumentKey>()
  for (const key of keys) if (!rows.has(key)) asked.add(key)
  for (const key of asked) rows.add(key)
  sendKeys(wants, [...asked])
}

/**
 * Asks once more for what was asked for before the last session ended. Also what was asked of other relays: this one may
 * have it, and it is asked of those all the same. Of this one it may have been before there was a list, or before its
 * address led to it.
 */
export function wantAgain(wants: Wants): void {
  const { state, store } = wants.conversation
  wants.rows.clear()
  wantRows(wants, [...state.wants, ...state.wantsOf(store)])
}

function sendKeys(wants: Wants, keys: readonly DocumentKey[]): void {
  if (keys.length > 0) wants.isQuiet = false
  for (let from = 0; from < keys.length; from += keysPerFrameMax) {
    const some = keys.slice(from, from + keysPerFrameMax)
    send(wants.conversation, { type: 'want', keys: some, texts: [], writers: [] })
  }
}

/** A row came whole. */
export function rowCame(wants: Wants, key: DocumentKey): void {
  if (wants.rows.delete(key)) noteIfDone(wants, key)
}

/** Of a body only the head came: what is here of it is measured, then what is missing is asked for. */
export function wantBody(wants: Wants, key: DocumentKey, part: PartName, { digest }: TextHead): void {
  const ofRow = wants.bodies.get(key) ?? new Map()
  wants.bodies.set(key, ofRow.set(part, { digest, asked: (ofRow.get(part)?.asked ?? 0) + 1 }))
  wants.isQuiet = false
  ask(wants.conversation, { kind: 'measure', key, part })
}

/** What is here of a body: all of it, or what is missing is asked for. */
export function bodyMeasured(
  wants: Wants,
  key: DocumentKey,
  part: PartName,
  stateVector: ReadonlyMap<number, number>,
  digest: string,
): void {
  const wanted = wants.bodies.get(key)?.get(part)
  if (wanted === undefined) return
  if (digest === wanted.digest) bodyCame(wants, key, part)
  else send(wants.conversation, { type: 'want', keys: [], texts: [{ key, part, stateVector }], writers: [] })
}

/** Of a body came what was missing, or a part of it. */
export function textCame(wants: Wants, { key, part, more }: TextFrame): void {
  if (!more) bodyCame(wants, key, part)
}

/** One head is answered. Of two, the first answer may be older than the second head. */
function bodyCame(wants: Wants, key: DocumentKey, part: PartName): void {
  const ofRow = wants.bodies.get(key)
  const wanted = ofRow?.get(part)
  if (ofRow === undefined || wanted === undefined) return
  if (wanted.asked > 1) ofRow.set(part, { ...wanted, asked: wanted.asked - 1 })
  else ofRow.delete(part)
  if (ofRow.size === 0) wants.bodies.delete(key)
  noteIfDone(wants, key)
}

function noteIfDone(wants: Wants, key: DocumentKey): void {
  if (!isOutstanding(wants, key)) wants.done.add(key)
}

/** T4: asks who wrote the sides of conflicts, once for each who is not known. */
export function wantStrangers({ conversation, askedWriters }: Wants): void {
  const { strangers } = conversation.state
  if (strangers.size === 0) return
  const writers = [...strangers].filter(writer => !askedWriters.has(writer))
  for (const writer of writers) askedWriters.add(writer)
  if (writers.length > 0) send(conversation, { type: 'want', keys: [], texts: [], writers })
}

/** The relay has heard from others, perhaps who those are of whom it knew nothing when it was asked. */
export function wantStrangersAgain({ askedWriters }: Wants): void {
  askedWriters.clear()
}
