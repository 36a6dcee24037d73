/**
 * What comes of a relay's feed, stored in one chunk with the place that it reaches (SPEC P1-P5): what of it is news, what
 * waits for what is outstanding, and what is asked for because of it.
 */
import type { Fingerprint } from '../fingerprint.ts'
import type { ChangedRow, ChangesFrame, Cut, TextFrame } from '../frames.ts'
import {
  addPosition,
  coversPosition,
  coversPositions,
  joinPositions,
  type Cursor,
  type Positions,
} from '../generations.ts'
import { bringsNothing, maySayLater } from '../replica/brings-nothing.ts'
import type { ReplicaState } from '../replica/replica.ts'
import { countParts, emptyRow, joinRows, showsDelta, type DocumentKey } from '../row.ts'
import type { FinishedTexts } from '../unfinished.ts'
import { append, factsOf, learn, pulledChunk } from './conversation.ts'
import { feedEnd, type Pull } from './pull.ts'
import {
  isNothingWanted,
  isOutstanding,
  outstandingOf,
  rowCame,
  takeDone,
  textCame,
  wantBody,
  wantRows,
  wantStrangersAgain,
} from './wants.ts'

/** Stores what is complete, or that nothing is outstanding, where that was found out and did not come (SPEC X6). */
export function settlePull(pull: Pull): boolean {
  const { conversation, wants, places } = pull
  if ((wants.done.size > 0 || places === 'due') && storeFrames(pull, [])) return true
  const untold = conversation.state.wantsOf(conversation.store)
  return conversation.phase === 'open' && isNothingWanted(wants) && untold.length > 0 && storeFrames(pull, [])
}

/** Asks for a chunk of these frames. False if it would change nothing, or only places: then it is not stored now. */
export function storeFrames(pull: Pull, all: readonly (ChangesFrame | TextFrame)[]): boolean {
  const { conversation, wants } = pull
  const { state, beside, generation } = conversation
  const frames: ChangesFrame[] = []
  const texts: TextFrame[] = []
  let head = 0
  for (const frame of all) {
    if (frame.type === 'text') {
      texts.push(frame)
      textCame(wants, frame)
      continue
    }
    frames.push(frame)
    head = Math.max(head, frame.head)
  }
  const rows = allOf(frames, frame => frame.rows)
  // Nothing was told elsewhere where there is one relay.
  if (!beside.elsewhere.isEmpty) for (const { key, delta } of rows) beside.elsewhere.holds(key, delta)
  for (const { answer, rows } of frames) if (answer) answeredBy(pull, rows)
  wantWhatIsMissing(pull, rows)
  let fingerprint: Fingerprint | null = null
  // Each tells what is new since the one before.
  for (const { cut } of frames) if (cut !== null) fingerprint = hearCut(pull, cut)
  let reach = head === 0 ? state.reach : addPosition(factsOf(conversation), state.reach, generation, head)
  moveWith(pull, frames)
  const isOpen = conversation.phase === 'open'
  // P3: with something outstanding the relay's frontier says more than what is here.
  const isLevel = isOpen && pull.atCut && pull.cursor !== null && isNothingWanted(wants)
  let isCovered = false
  if (isLevel && pull.cursor !== null) {
    const cursor = { ...pull.cursor, cut: pull.cursor.place }
    pull.cursor = cursor
    pull.everLevel = true
    reach = withoutGiven(pull, reach, cursor)
    isCovered = coversPositions(factsOf(conversation), pull.frontier, reach)
    if (isCovered) reach = new Map([[generation, cursor.place]])
  }
  const news = storable(pull, frames, texts)
  if (pull.everLevel) pull.isFirstWalk = false
  pull.expected = isCovered ? fingerprint : null
  if (fingerprint !== null) pull.missedCut = isCovered ? 'no' : 'yes'
  else if (isCovered && pull.missedCut === 'yes') pull.missedCut = 'due'
  const chunk = pulledChunk(conversation, {
    ...news,
    writers: allOf(frames, frame => frame.writers),
    cursor: isOpen ? pull.cursor : null,
    wants: outstandingOf(wants),
    frontier: isLevel ? { positions: pull.frontier, how: 'join' } : null,
    reach,
  })
  const isNothing = bringsNothing(chunk, state)
  const mayWait = !isNothing && pull.places !== 'due' && maySayLater(chunk, state)
  pull.places = mayWait ? 'ahead' : 'stored'
  if (isNothing || mayWait) return false
  const told = { at: state.seen + 1, generation, position: Math.max(feedEnd(pull), head) }
  append(conversation, chunk, 'relaxed', { rows: news.rows, told })
  return true
}

/** What frames bring, one after the other: as a rule there is one. */
function allOf<T>(frames: readonly ChangesFrame[], of: (frame: ChangesFrame) => readonly T[]): readonly T[] {
  const [first] = frames
  return frames.length === 1 && first !== undefined ? of(first) : frames.flatMap(of)
}

function answeredBy({ wants, onAnswer }: Pull, rows: readonly ChangedRow[]): void {
  for (const row of rows) {
    rowCame(wants, row.key)
    onAnswer(row)
  }
}

/** P4: rows of which only parts came and that this replica lacks; X6: bodies of which only the head came. */
function wantWhatIsMissing({ conversation, wants, unfinished }: Pull, rows: readonly ChangedRow[]): void {
  const keys: DocumentKey[] = []
  for (const { key, delta, parts, texts } of rows) {
    // Nearly all that comes is whole.
    if (parts === 0 && texts.size === 0) continue
    const confirmed = conversation.state.confirmed(key) ?? emptyRow
    // Nor does a part of a row lack anything that is here with as many: no join takes one away.
    if (texts.size === 0 && countParts(confirmed) >= parts) continue
    const held = joinRows(confirmed, unfinished.cellsOf(key))
    const lacksBody = [...texts].some(([part, { kind }]) => kind === 'tail' && !held.cells.has(part))
    if (parts > 0 && (lacksBody || countParts(joinRows(held, delta)) < parts)) keys.push(key)
    for (const [part, text] of texts) if (text.kind === 'head') wantBody(wants, key, part, text.head)
  }
  if (keys.length > 0) wantRows(wants, keys)
}

function hearCut(
  { conversation, wants }: Pull,
  { generations, frontier, fingerprint }: Cut,
): Fingerprint | null {
  learn(conversation, generations)
  if (frontier.size > 0) wantStrangersAgain(wants)
  return fingerprint
}

/** Answers are out of turn: the feed's own frames alone say how far the pull has come. */
function moveWith(pull: Pull, frames: readonly ChangesFrame[]): void {
  const last = frames.findLast(frame => !frame.answer)
  if (last === undefined || pull.cursor === null) return
  const { generation } = pull.conversation
  const facts = factsOf(pull.conversation)
  pull.cursor = { generation, cut: pull.cursor.cut, place: last.place }
  pull.atCut = last.cut !== null
  for (const { cut } of frames) {
    if (cut === null) continue
    const known = joinPositions(facts, pull.frontier, cut.frontier)
    pull.frontier = addPosition(facts, known, generation, cut.position)
  }
}

/** At a cut: what was given is that relay's now, and what others sent meanwhile is not, nor what its leader judged. */
function withoutGiven({ conversation, given, judged }: Pull, reach: Positions, at: Cursor): Positions {
  if (given.size === 0) return reach
  const facts = factsOf(conversation)
  const had = conversation.beside.elsewhere.withoutTold(facts, given)
  const kept = [...reach].filter(
    ([id, position]) => id === at.generation || !coversPosition(facts, had, id, position),
  )
  if (kept.length === reach.size) return reach
  const others = joinPositions(facts, new Map(kept), judged)
  return addPosition(facts, others, at.generation, at.place)
}

/** X3: texts of rows of which something is outstanding are stored when nothing is. */
function storable(pull: Pull, frames: readonly ChangesFrame[], texts: readonly TextFrame[]): FinishedTexts {
  const { wants, unfinished } = pull
  if (wants.isQuiet)
    return {
      rows: newsOf(
        pull,
        allOf(frames, frame => frame.rows),
      ),
      texts: [],
    }
  const done = new Set(takeDone(wants))
  const isAsked = (key: DocumentKey): boolean => done.has(key) || isOutstanding(wants, key)
  for (const text of texts) if (isAsked(text.key)) unfinished.holdText(text)
  const rows = frames.flatMap(({ rows, answer }) => {
    const now = unfinished.hold(rows, isAsked, answer)
    return answer ? now : now.filter(row => !isFragment(pull, row))
  })
  const finished = unfinished.take(done)
  return { rows: newsOf(pull, [...rows, ...finished.rows]), texts: finished.texts }
}

/** P4: a part of a row that this replica lacks shows nothing: the row is asked for, and comes whole with all that came since. */
function isFragment({ conversation, wants }: Pull, { key, parts }: ChangedRow): boolean {
  return parts > 0 && wants.rows.has(key) && conversation.state.confirmed(key) === undefined
}

/** What several relays send is stored once. */
function newsOf({ isFirstWalk, conversation }: Pull, rows: readonly ChangedRow[]): readonly ChangedRow[] {
  if (isFirstWalk) return rows
  const { state } = conversation
  for (const row of rows) if (!bringsNews(state, row)) return rows.filter(row => bringsNews(state, row))
  return rows
}

/** What comes of a body is not compared. */
function bringsNews(state: ReplicaState, { key, delta, texts }: ChangedRow): boolean {
  return texts.size > 0 || !showsDelta(state.confirmed(key), delta)
}
