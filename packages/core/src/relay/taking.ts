/**
 * Taking in: what clients submit and give back is judged, of what a peer's feed brings the texts are screened (SPEC Q1,
 * T1-T4, L3). All of it goes into a turn; nobody hears of it before that is on disk.
 */
import { failure, type Failure } from '../errors.ts'
import type { ChangedRow, GiveFrame, SubmitFrame, SubmittedTransaction, WriterRecord } from '../frames.ts'
import type { Generation, Positions } from '../generations.ts'
import {
  judgeGiven,
  judgeShown,
  judgeTransaction,
  type JudgeContext,
  type Judgement,
} from '../judge/judge.ts'
import { takeTexts, type ScreenText } from '../judge/texts.ts'
import { judgeUpdate } from '../judge/update.ts'
import { limits } from '../limits.ts'
import { compareMarks, type Mark } from '../mark.ts'
import type { PeerState } from '../relay-store.ts'
import { countParts, emptyRow, joinRows, type DocumentKey, type PartName, type Row } from '../row.ts'
import type { Write } from '../write.ts'
import { holdBody, withBody } from './body-ahead.ts'
import type { SpaceSession, TurnReads } from './space-session.ts'
import {
  answerOf,
  broughtByKey,
  learnFacts,
  notePulled,
  rememberWriter,
  rowOf,
  takeCell,
  takeRow,
  writerOf,
  type Turn,
} from './turn.ts'

/** Updates of bodies, in order. */
export type PulledTexts = readonly {
  readonly key: DocumentKey
  readonly part: PartName
  readonly update: Uint8Array
}[]

/** What a peer's feed brought, and how far the pull of it is now. */
export interface Pulled {
  readonly rows: readonly ChangedRow[]
  readonly writers: readonly WriterRecord[]
  readonly peer: PeerState
  /** At a cut with nothing outstanding, what the peer holds. */
  readonly joined: Positions
  readonly facts: readonly Generation[]
  readonly texts: PulledTexts
}

/** A turn with what it is taken in by: what was loaded for it, the screen of texts, and the relay's time. */
export interface Taking {
  readonly turn: Turn
  readonly reads: TurnReads
  readonly screen: ScreenText
  readonly now: number
}

export function takeSubmit(taking: Taking, session: SpaceSession, frame: SubmitFrame): void {
  const { turn, reads } = taking
  const answer = answerOf(turn, session)
  answer.submits = true
  // One for all that a session brings in a turn: nearly every frame of it brings one write.
  const context = (answer.judging ??= contextOf(taking, session))
  /** The greatest mark of the updates that are taken and not remembered yet. */
  let latest: Mark | null = null
  for (let i = 0; i < frame.transactions.length; i++) {
    const transaction = frame.transactions[i] as SubmittedTransaction
    const { writes } = transaction
    const only = writes.length === 1 ? (writes[0] as Write) : null
    const index = session.submitted++
    const taken = only === null ? null : takeUpdate(taking, session, frame.round, context, only)
    if (taken !== null) {
      if (latest !== null && latest.writer !== taken.writer) remember(taking, session, latest)
      latest = taken
      continue
    }
    const judgement = judgeSubmitted(context, session, frame.round, transaction)
    if (judgement === null) {
      answer.exceptions.push({ index, kind: 'skipped' })
      continue
    }
    if (judgement.kind === 'refused') {
      session.skipping = true
      answer.exceptions.push({ index, kind: 'refused', write: judgement.write, error: judgement.error })
      continue
    }
    // As nearly every transaction is one write, nothing is gathered for it.
    const brought = writes.length > 1 ? broughtByKey(writes) : null
    for (const [key, taken] of judgement.rows)
      takeRow(turn, key, taken, brought?.get(key) ?? writes[0]?.delta ?? emptyRow, session, reads)
    for (let write = 0; write < writes.length; write++) {
      remember(taking, session, (writes[write] as Write).mark)
      const shows = judgement.shows[write] ?? 'yes'
      if (shows !== 'yes') answer.exceptions.push({ index, kind: shows, write })
    }
  }
  if (latest !== null) remember(taking, session, latest)
}

/** Takes an update, and gives back its mark; null if it is none, or to be judged as others are. */
function takeUpdate(
  { turn, reads }: Taking,
  session: SpaceSession,
  round: number,
  context: JudgeContext,
  write: Write,
): Mark | null {
  if (session.skipping || round !== session.round || !session.caller.mayWrite) return null
  const held = rowOf(turn, write.key, reads)
  if (held === undefined) return null
  const row = judgeUpdate(write, held.row, context)
  if (row === null || context.rule(write) !== null) return null
  takeCell(turn, write.key, held, row, write.delta, session)
  return write.mark
}

export function takeGive(taking: Taking, session: SpaceSession, frame: GiveFrame): void {
  const { turn, reads } = taking
  const answer = answerOf(turn, session)
  answer.gives = true
  for (const given of frame.rows) {
    session.givenCount += 1
    if (countParts(given.row) === 0) {
      session.bodyAhead = session.caller.mayWrite ? holdBody(session.bodyAhead, given) : null
      continue
    }
    const judged = judgeGive(taking, session, given)
    session.bodyAhead = null
    if (judged.ok) takeRow(turn, given.key, judged.value, given.row, session, reads)
    else answer.refused.push({ key: given.key, error: judged.error })
  }
}

/** T3: peers trust each other like operators; null, or why the peer is to be refused. */
export function takePulled(taking: Taking, session: SpaceSession, pulled: Pulled): Failure | null {
  const { turn, reads } = taking
  const { rows, writers, peer, joined, facts, texts } = pulled
  for (const { key, delta, texts: parts } of rows) {
    const tails = [...parts].flatMap(([part, text]) =>
      text.kind === 'tail' ? text.updates.map(update => ({ key, part, update })) : [],
    )
    const error = joinPulled(taking, session, key, delta, tails)
    if (error !== null) return error
  }
  for (const text of texts) {
    const error = joinPulled(taking, session, text.key, emptyRow, [text])
    if (error !== null) return error
  }
  for (const writer of writers) {
    // T4: of two users for one writer the earlier stands.
    const held = writerOf(turn, writer.writer, reads)
    if (held === undefined) rememberWriter(turn, writer)
    else if (compareMarks(writer.highest, held.highest) > 0)
      rememberWriter(turn, { ...held, highest: writer.highest })
  }
  learnFacts(turn, facts)
  notePulled(turn, session.replica, peer, joined)
  return null
}

function contextOf({ turn, reads, screen, now }: Taking, { caller }: SpaceSession): JudgeContext {
  return {
    row: key => rowOf(turn, key, reads),
    writer: id => writerOf(turn, id, reads),
    user: caller.user,
    now,
    screen,
    rule: caller.rule,
  }
}

/**
 * L3: what follows a refusal is skipped (null) until the client says from where to go on; late frames are told by their
 * round. What shows already is not: it would be made anew, and be there twice.
 */
function judgeSubmitted(
  context: JudgeContext,
  session: SpaceSession,
  round: number,
  transaction: SubmittedTransaction,
): Judgement | null {
  if (session.skipping || round !== session.round) return judgeShown(transaction, context)
  if (session.caller.mayWrite) return judgeTransaction(transaction, context)
  return { kind: 'refused', write: 0, error: mayNotWrite() }
}

function judgeGive(
  taking: Taking,
  session: SpaceSession,
  given: GiveFrame['rows'][number],
): ReturnType<typeof judgeGiven> {
  if (!session.caller.mayWrite) return { ok: false, error: mayNotWrite() }
  const whole = withBody(session.bodyAhead, given)
  return whole.ok ? judgeGiven(whole.value, contextOf(taking, session)) : whole
}

function mayNotWrite(): Failure {
  return failure('not-permitted', { reason: 'this token may not write here' })
}

/** T4: raised by the writer's own submits, never beyond now + 5 minutes. What shows already anybody may submit (A4). */
function remember({ turn, reads, now }: Taking, session: SpaceSession, mark: Mark): void {
  const held = writerOf(turn, mark.writer, reads)
  if (held !== undefined && held.user !== session.caller.user) return
  const ms = Math.min(mark.ms, Math.floor(now) + limits.skewMs)
  const highest: Mark = ms === mark.ms ? mark : { ms, tick: 0, writer: mark.writer }
  if (held !== undefined && compareMarks(held.highest, highest) >= 0) return
  const { user, device }: Pick<WriterRecord, 'user' | 'device'> = held ?? {
    user: session.caller.user,
    device: session.device,
  }
  rememberWriter(turn, { writer: mark.writer, user, device, highest })
}

function joinPulled(
  { turn, reads, screen }: Taking,
  session: SpaceSession,
  key: DocumentKey,
  delta: Row,
  updates: PulledTexts,
): Failure | null {
  const before = rowOf(turn, key, reads)
  const row = joinRows(before?.row ?? emptyRow, delta)
  if (row === emptyRow) return null
  const texts = new Map<PartName, Uint8Array[]>()
  for (const { part, update } of updates) {
    const list = texts.get(part)
    if (list === undefined) texts.set(part, [update])
    else list.push(update)
  }
  const taken = takeTexts(row, texts, before, [], { client: 0, ownership: false }, screen)
  if (!taken.ok) return taken.error
  takeRow(turn, key, taken.value, delta, session, reads)
  return null
}
