/**
 * Judging: whether a relay takes what a client submits or gives back (SPEC Q1, C4, T1, T2, X5, X7, F4).
 *
 * A transaction is taken whole or refused whole, saying which write and why. A pure function of the transaction,
 * the rows it touches, what is remembered of writers, and time.
 */
import { lastOfCell } from '../cells/cell.ts'
import { skewOfMark } from '../clock.ts'
import { failure, type Failure, type Outcome } from '../errors.ts'
import type { SubmittedTransaction, WriterRecord } from '../frames.ts'
import { limits } from '../limits.ts'
import { keysOf } from '../listed-map.ts'
import { isSameMark, type Mark, type WriterId } from '../mark.ts'
import {
  countParts,
  emptyRow,
  joinRows,
  lastOfRow,
  rowExists,
  showsDelta,
  type DocumentKey,
  type PartName,
  type Row,
} from '../row.ts'
import { sizeOfTransaction } from '../size.ts'
import type { TextUpdates, Write } from '../write.ts'
import { limitOfGrowth, limitOfValues } from './growth.ts'
import { findMark, judgeMarks } from './marks.ts'
import { judgeNames, judgeShape, writesOfGiven } from './shape.ts'
import {
  takeGivenTexts,
  takeTypedTexts,
  textInvalid,
  type JudgedRow,
  type ScreenText,
  type TakenRow,
} from './texts.ts'

export interface JudgeContext {
  row(key: DocumentKey): JudgedRow | undefined
  writer(id: WriterId): WriterRecord | undefined
  readonly user: string
  /** The relay's time. */
  readonly now: number
  readonly screen: ScreenText
  /** The application's own rule, and the permission to write; null if it lets the write pass. */
  rule(write: Write): Failure | null
}

export type Judgement = Taken | { readonly kind: 'refused'; readonly write: number; readonly error: Failure }

interface Taken {
  readonly kind: 'taken'
  /** One of each document. */
  readonly rows: Iterable<readonly [DocumentKey, TakenRow]>
  readonly shows: readonly WriteShows[]
}

/** How an accepted write shows; `partial`: it does, but the row that was there has more than the write brings. */
export type WriteShows = 'yes' | 'lost' | 'hidden' | 'partial'

export function judgeTransaction(transaction: SubmittedTransaction, context: JudgeContext): Judgement {
  const { writes } = transaction
  const shown = judgeShown(transaction, context)
  if (shown !== null) return shown
  const bytes = sizeOfTransaction(transaction)
  if (bytes > limits.submitBytesMax) {
    return {
      kind: 'refused',
      write: 0,
      error: failure('transaction-too-large', { bytes, limit: limits.submitBytesMax }),
    }
  }
  const rows = writes.length > 1 ? new Map<DocumentKey, TakenRow>() : null
  for (let i = 0; i < writes.length; i++) {
    const write = writes[i] as Write
    const earlier = rows?.get(write.key)
    const before = earlier ?? context.row(write.key)
    const error =
      judgeNames(write) ??
      judgeShape(write) ??
      context.rule(write) ??
      judgeMarks(write, before?.row, context) ??
      judgeStanding(write, before?.row)
    if (error !== null) return { kind: 'refused', write: i, error }
    const taken = takeWrite(write, before, earlier?.updates ?? noUpdates, context)
    if (!taken.ok) return { kind: 'refused', write: i, error: taken.error }
    if (rows === null) return takenAlone(write, taken.value, before)
    rows.set(write.key, taken.value)
  }
  return takenTogether(writes, rows ?? noneTaken, context)
}

function takenTogether(
  writes: readonly Write[],
  rows: ReadonlyMap<DocumentKey, TakenRow>,
  context: JudgeContext,
): Taken {
  const shows = writes.map(write => showing(write, rows.get(write.key)?.row, context.row(write.key)?.row))
  return { kind: 'taken', rows, shows }
}

const noneTaken: ReadonlyMap<DocumentKey, TakenRow> = new Map()

/** As of nearly every transaction, so nothing is made to find its writes again. */
function takenAlone(write: Write, taken: TakenRow, before: JudgedRow | undefined): Taken {
  return {
    kind: 'taken',
    rows: [[write.key, taken]],
    shows: showsAlone[showing(write, taken.row, before?.row)],
  }
}

const showsAlone: Readonly<Record<WriteShows, readonly WriteShows[]>> = {
  yes: ['yes'],
  lost: ['lost'],
  hidden: ['hidden'],
  partial: ['partial'],
}

const noUpdates: TakenRow['updates'] = []

/** A4: what is shown already is accepted whatever the rules say now, so that submitting again is harmless. Null if it is not. */
export function judgeShown({ writes }: SubmittedTransaction, context: JudgeContext): Taken | null {
  for (const { key, delta } of writes) if (!showsDelta(context.row(key)?.row, delta)) return null
  return { kind: 'taken', rows: noneTaken, shows: howShown(writes, context) }
}

function howShown(writes: readonly Write[], context: JudgeContext): readonly WriteShows[] {
  return writes.map(write => {
    const row = context.row(write.key)?.row
    return showing(write, row, row)
  })
}

/**
 * Q1: hidden if the document does not exist, lost if none of its cells stands as it wrote it. L2: partial if who
 * wrote it whole may lack something that the row had, be it a tombstone that was spared (P4) or forgotten (D2).
 */
function showing(write: Write, row: Row | undefined, had: Row | undefined): WriteShows {
  if (write.delta.deletion === null && !rowExists(row)) return 'hidden'
  if (isLost(write.delta, row)) return 'lost'
  return write.whole && had !== undefined && !showsDelta(write.delta, had) ? 'partial' : 'yes'
}

function isLost(delta: Row, row: Row | undefined): boolean {
  const names = keysOf(delta.cells)
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as PartName
    const cell = delta.cells.get(name)
    const stands = row?.cells.get(name)
    if (cell?.strategy !== 'lww' || stands?.strategy !== 'lww' || isSameMark(stands.last, cell.last))
      return false
  }
  return delta.cells.size > 0
}

/** S3: a part of a row that the relay lacks stands on nothing here. A body that came ahead of its row is no row. */
function judgeStanding(write: Write, row: Row = emptyRow): Failure | null {
  return countParts(row) === 0 && !write.whole ? failure('document-unknown', { document: write.key }) : null
}

function takeWrite(
  write: Write,
  before: JudgedRow | undefined,
  earlier: TakenRow['updates'],
  context: JudgeContext,
): Outcome<TakenRow> {
  const row = joinRows(before?.row ?? emptyRow, write.delta)
  const limit = limitOfValues(write.delta) ?? limitOfGrowth(row, before?.row, write.delta)
  if (limit !== null) return { ok: false, error: limit }
  return takeTypedTexts(write, row, before, earlier, context.screen)
}

/**
 * T2: what a client gives back of others' is judged as if that client wrote it now, but for whose marks it bears:
 * shape, size, marks, permission, the application's rule; what the relay shows already is taken.
 */
export function judgeGiven(
  given: { readonly key: DocumentKey; readonly row: Row; readonly texts: TextUpdates },
  context: JudgeContext,
): Outcome<TakenRow> {
  const before = context.row(given.key)
  // A4: what shows already brings nothing, and its updates are here (X3).
  if (before !== undefined && showsDelta(before.row, given.row))
    return { ok: true, value: { ...before, updates: [] } }
  const last = (): Mark | null => lastOfRow(before?.row)
  const write: Write = {
    mark: lastOfRow(given.row) ?? { ms: 0, tick: 0, writer: '' as WriterId },
    key: given.key,
    delta: given.row,
    texts: given.texts,
    replaced: new Map(),
    whole: true,
  }
  const forbidden = judgeNames(write)
  if (forbidden !== null) return { ok: false, error: forbidden }
  for (const one of writesOfGiven(write)) {
    const error = context.rule(one)
    if (error !== null) return { ok: false, error }
  }
  const ahead = findMark(write, mark => (skewOfMark(mark, context.now, last) > 0 ? mark : null))
  if (ahead !== null) return skewed(ahead, context.now, last)
  for (const [name, cell] of given.row.cells) {
    if (lastOfCell(cell) === null)
      return { ok: false, error: failure('not-permitted', { reason: `${name} was written by nobody` }) }
  }
  for (const name of given.texts.keys()) {
    // X3: what nobody's cell speaks of is in no context, and so in no digest.
    if (given.row.cells.get(name)?.strategy !== 'text')
      return textInvalid(`updates of ${name} without its cell`)
  }
  const row = joinRows(before?.row ?? emptyRow, given.row)
  for (const [name, { strategy }] of given.row.cells) {
    // X3: equal contexts mean the same updates, so who has none of them must not be told of more.
    const isTold = strategy === 'text' && row.cells.get(name) !== before?.row.cells.get(name)
    if (isTold && (given.texts.get(name) ?? []).length === 0)
      return textInvalid(`a cell of ${name} without updates`)
  }
  const limit = limitOfValues(given.row) ?? limitOfGrowth(row, before?.row, given.row)
  if (limit !== null) return { ok: false, error: limit }
  return takeGivenTexts(row, given.texts, before, context.screen)
}

function skewed(mark: Mark, now: number, last: () => Mark | null): Outcome<never> {
  return { ok: false, error: failure('clock-skew', { relayTime: now, ms: skewOfMark(mark, now, last) }) }
}
