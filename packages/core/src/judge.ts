/**
 * Judging: whether a relay takes what a client submits or gives back (SPEC Q1, C4, T1, T2, X5, X7, F4).
 *
 * A transaction is taken whole or refused whole, saying which write and why. A pure function of the transaction,
 * the rows it touches, what is remembered of writers, and time.
 */
import { contextOfCell, lastOfCell, type Cell } from './cells/cell.ts'
import { skewOfMark } from './clock.ts'
import { contextCovers, type Context } from './context.ts'
import { failure, type Failure, type Outcome } from './errors.ts'
import type { SubmittedTransaction, WriterRecord } from './frames.ts'
import { limits } from './limits.ts'
import { compareMarks, formatMark, isSameMark, yjsClientOf, type Mark, type WriterId } from './mark.ts'
import type { TextState } from './relay-store.ts'
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
} from './row.ts'
import { sizeOfTransaction } from './size.ts'
import type { TextUpdates, Write } from './write.ts'

/** What is known of a row where it is judged. */
export interface JudgedRow {
  readonly row: Row
  readonly texts: ReadonlyMap<PartName, TextState>
}

/** Screens one text update (SPEC X4, X5): given by `resolve`, since the core does not look into bodies. */
export type ScreenText = (
  update: Uint8Array,
  options: {
    readonly client: number
    readonly known: ReadonlyMap<number, number>
    readonly ownership: boolean
  },
) => Outcome<ScreenedText>

export interface ScreenedText {
  /** The update without what is known already: what is stored, so that a resend cannot rewrite what stands. */
  readonly update: Uint8Array
  readonly stateVector: ReadonlyMap<number, number>
  readonly isNew: boolean
}

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

export interface TakenRow extends JudgedRow {
  /** Updates that were new, in order. */
  readonly updates: readonly { readonly part: PartName; readonly update: Uint8Array }[]
}

export type Judgement =
  | {
      readonly kind: 'taken'
      readonly rows: ReadonlyMap<DocumentKey, TakenRow>
      readonly shows: readonly WriteShows[]
    }
  | { readonly kind: 'refused'; readonly write: number; readonly error: Failure }

/** How an accepted write shows; `partial`: it does, but the row that was there has more than the write brings. */
export type WriteShows = 'yes' | 'lost' | 'hidden' | 'partial'

export function judgeTransaction(transaction: SubmittedTransaction, context: JudgeContext): Judgement {
  const { writes } = transaction
  const rows = new Map<DocumentKey, TakenRow>()
  const shows: WriteShows[] = []
  // A4: what is shown already is accepted whatever the rules say now, so that submitting again is harmless.
  if (writes.every(write => isShown(write, context))) {
    for (const write of writes) {
      const row = context.row(write.key)?.row
      shows.push(showing(write, row, row))
    }
    return { kind: 'taken', rows, shows }
  }
  const bytes = sizeOfTransaction(transaction)
  if (bytes > limits.submitBytesMax) {
    return {
      kind: 'refused',
      write: 0,
      error: failure('transaction-too-large', { bytes, limit: limits.submitBytesMax }),
    }
  }
  for (const [i, write] of writes.entries()) {
    const before = rows.get(write.key) ?? context.row(write.key)
    const error =
      context.rule(write) ?? judgeMarks(write, before?.row, context) ?? judgeStanding(write, before?.row)
    if (error !== null) return { kind: 'refused', write: i, error }
    const taken = takeWrite(write, before, rows.get(write.key)?.updates ?? [], context)
    if (!taken.ok) return { kind: 'refused', write: i, error: taken.error }
    rows.set(write.key, taken.value)
  }
  for (const write of writes)
    shows.push(showing(write, rows.get(write.key)?.row, context.row(write.key)?.row))
  return { kind: 'taken', rows, shows }
}

function isShown(write: Write, context: JudgeContext): boolean {
  return showsDelta(context.row(write.key)?.row, write.delta)
}

/**
 * Q1: hidden if the document does not exist, lost if none of its cells stands as it wrote it. L2: partial if who
 * wrote it whole may lack something that the row had, be it a tombstone that was spared (P4) or forgotten (D2).
 */
function showing(write: Write, row: Row | undefined, had: Row | undefined): WriteShows {
  if (write.delta.deletion === null && !rowExists(row)) return 'hidden'
  const cells = [...write.delta.cells]
  const lost =
    cells.length > 0 &&
    cells.every(([name, cell]) => {
      const stands = row?.cells.get(name)
      return cell.strategy === 'lww' && stands?.strategy === 'lww' && !isSameMark(stands.last, cell.last)
    })
  if (lost) return 'lost'
  return write.whole && had !== undefined && !showsDelta(write.delta, had) ? 'partial' : 'yes'
}

// ---------------------------------------------------------------- marks

/** W3, T1: what it writes bears its one mark, of a writer of its user; what it names as seen must be known here. */
function judgeMarks(write: Write, row: Row | undefined, context: JudgeContext): Failure | null {
  const record = context.writer(write.mark.writer)
  if (record !== undefined && record.user !== context.user) {
    return failure('client-id-taken', { client: yjsClientOf(write.mark.writer) })
  }
  const last = lastOfRow(row)
  for (const { mark, named } of marksOfDelta(write)) {
    const beyond = skewOfMark(mark, context.now, last)
    if (beyond > 0) return failure('clock-skew', { relayTime: context.now, ms: beyond })
    if (isSameMark(mark, write.mark)) continue
    if (!named)
      return failure('not-permitted', { reason: `a write bears its own mark, not ${formatMark(mark)}` })
    const other = context.writer(mark.writer)
    if (mark.writer === write.mark.writer || other?.user === context.user) continue
    if (other !== undefined && compareMarks(other.highest, mark) >= 0) continue
    if (!rowKnows(row, mark)) return failure('unknown-mark', { mark: formatMark(mark) })
  }
  for (const [name, cell] of write.delta.cells) {
    if (!contextCovers(contextOfCell(cell), write.mark))
      return failure('not-permitted', { reason: `what a write brings of ${name} does not bear its mark` })
  }
  return null
}

interface BorneMark {
  readonly mark: Mark
  /** Seen, replaced, removed or revived by the write, rather than written by it. */
  readonly named: boolean
}

/** Every mark of a write's delta. */
export function* marksOfDelta({
  delta,
  mark: own,
  replaced,
}: Pick<Write, 'delta' | 'mark' | 'replaced'>): Iterable<BorneMark> {
  for (const cell of delta.cells.values()) {
    switch (cell.strategy) {
      case 'lww':
        yield { mark: cell.last, named: false }
        break
      case 'ask':
        for (const sibling of cell.siblings) {
          yield { mark: sibling.mark, named: false }
          if (sibling.base !== null) yield { mark: sibling.base.mark, named: true }
        }
        yield* named(cell.context)
        break
      case 'set':
        for (const { added, removed } of cell.elements.values()) {
          if (added !== null) yield { mark: added, named: false }
          if (removed !== null) yield { mark: removed, named: true }
        }
        yield* ownOnly(cell.context)
        break
      case 'counter':
        for (const entry of cell.entries.values()) yield { mark: entry.mark, named: false }
        break
      case 'text':
        yield* ownOnly(cell.context)
    }
  }
  if (delta.deletion !== null) {
    yield { mark: delta.deletion.mark, named: false }
    for (const seen of delta.deletion.seen.values()) {
      if (seen.kind === 'last') yield { mark: seen.mark, named: true }
      if (seen.kind === 'context') yield* named(seen.context)
    }
  }
  if (delta.revival !== null) yield { mark: delta.revival, named: false }
  for (const mark of replaced.values()) yield { mark, named: true }
  yield { mark: own, named: false }
}

function* named(context: Context): Iterable<BorneMark> {
  for (const mark of context.values()) yield { mark, named: true }
}

/** The context of a delta that merges names nobody but its own write. */
function* ownOnly(context: Context): Iterable<BorneMark> {
  for (const mark of context.values()) yield { mark, named: false }
}

/** Whether a row covers a mark: it holds one of that writer's that is not smaller (of `lww`, up to its `last`). */
function rowKnows(row: Row | undefined, mark: Mark): boolean {
  if (row === undefined) return false
  const covers = (held: Mark | null): boolean =>
    held !== null && held.writer === mark.writer && compareMarks(held, mark) >= 0
  if (covers(row.revival) || covers(row.deletion?.mark ?? null)) return true
  for (const cell of row.cells.values()) {
    if (cell.strategy === 'lww') {
      if (compareMarks(cell.last, mark) >= 0) return true
    } else if (cell.strategy === 'counter') {
      if (covers(cell.entries.get(mark.writer)?.mark ?? null)) return true
    } else if (covers(cell.context.get(mark.writer) ?? null)) return true
  }
  for (const seen of row.deletion?.seen.values() ?? []) {
    if (seen.kind === 'last' && covers(seen.mark)) return true
    if (seen.kind === 'context' && covers(seen.context.get(mark.writer) ?? null)) return true
  }
  return false
}

// ---------------------------------------------------------------- standing, shape, size

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
  const limit = limitOfValues(write.delta) ?? limitOfGrowth(row, before?.row)
  if (limit !== null) return { ok: false, error: limit }
  const client = yjsClientOf(write.mark.writer)
  for (const name of write.texts.keys()) {
    const cell = before?.row.cells.get(name)
    if (!write.delta.cells.has(name)) return textInvalid(`updates of ${name} without its cell`)
    if (cell?.strategy !== 'text') continue
    for (const writer of cell.context.keys()) {
      if (writer !== write.mark.writer && yjsClientOf(writer) === client) {
        return { ok: false, error: failure('client-id-taken', { client }) }
      }
    }
  }
  for (const [name, { strategy }] of write.delta.cells) {
    // X3: the cell says that there are updates, so it must not be taken without any.
    if (strategy === 'text' && (write.texts.get(name) ?? []).length === 0)
      return textInvalid(`a cell of ${name} without updates`)
  }
  return takeTexts(row, write.texts, before, earlier, { client, ownership: true }, context.screen)
}

function textInvalid(reason: string): Outcome<never> {
  return { ok: false, error: failure('text-invalid', { reason }) }
}

/** Screens updates in order and adds what they bring to what is known of each body. */
export function takeTexts(
  row: Row,
  texts: TextUpdates,
  before: JudgedRow | undefined,
  earlier: TakenRow['updates'],
  options: { readonly client: number; readonly ownership: boolean },
  screen: ScreenText,
): Outcome<TakenRow> {
  const states = new Map(before?.texts ?? [])
  const updates = [...earlier]
  for (const [part, list] of texts) {
    for (const update of list) {
      const held = states.get(part) ?? { stateVector: new Map<number, number>(), bytes: 0 }
      const screened = screen(update, { ...options, known: held.stateVector })
      if (!screened.ok) return screened
      if (!screened.value.isNew) continue
      const bytes = held.bytes + screened.value.update.length
      if (bytes > limits.textBytesMax) return tooLarge('bytes of a text', limits.textBytesMax, bytes)
      states.set(part, { stateVector: new Map([...held.stateVector, ...screened.value.stateVector]), bytes })
      updates.push({ part, update: screened.value.update })
    }
  }
  return { ok: true, value: { row, texts: states, updates } }
}

/** F4: every value that is brought, those that a sibling names as its base included. */
function limitOfValues(delta: Row): Failure | null {
  for (const cell of delta.cells.values()) {
    for (const { length } of valuesOf(cell))
      if (length > limits.valueBytesMax) return exceeded('bytes of a value', limits.valueBytesMax, length)
  }
  return null
}

function valuesOf(cell: Cell): readonly Uint8Array[] {
  switch (cell.strategy) {
    case 'lww':
      return [cell.value]
    case 'ask':
      return cell.siblings.flatMap(({ value, base }) => (base === null ? [value] : [value, base.value]))
    case 'set':
      return [...cell.elements.values()].map(({ value }) => value)
    case 'counter':
    case 'text':
      return []
  }
}

/**
 * F4: a join never throws anything away, so what would grow a row beyond its bounds is refused. A row that peers
 * have joined beyond them can still be written, since nothing else would bring it back within.
 */
function limitOfGrowth(row: Row, before: Row | undefined): Failure | null {
  if (row.cells.size > Math.max(limits.fieldsPerRowMax, before?.cells.size ?? 0))
    return exceeded('fields of a row', limits.fieldsPerRowMax, row.cells.size)
  for (const [name, cell] of row.cells) {
    const held = before?.cells.get(name)
    const error = cell === held ? null : limitOfCell(cell, held)
    if (error !== null) return error
  }
  return null
}

function limitOfCell(cell: Cell, held: Cell | undefined): Failure | null {
  const grows = (sizeOf: (of: Cell) => number, limit: number): boolean =>
    sizeOf(cell) > Math.max(limit, held === undefined ? 0 : sizeOf(held))
  if (grows(siblingsOf, limits.siblingsMax))
    return failure('too-many-siblings', { limit: limits.siblingsMax })
  if (grows(elementsOf, limits.setElementsMax))
    return exceeded('elements of a set', limits.setElementsMax, elementsOf(cell))
  if (grows(writersOf, limits.contextWritersMax))
    return exceeded('writers of a cell', limits.contextWritersMax, writersOf(cell))
  return null
}

const siblingsOf = (cell: Cell): number => (cell.strategy === 'ask' ? cell.siblings.length : 0)

const elementsOf = (cell: Cell): number => (cell.strategy === 'set' ? cell.elements.size : 0)

function writersOf(cell: Cell): number {
  if (cell.strategy === 'lww') return 1
  return cell.strategy === 'counter' ? cell.entries.size : cell.context.size
}

/**
 * T2: what a client gives back of others' is judged as if that client wrote it now, but for whose marks it bears:
 * shape, size, marks, permission, the application's rule.
 */
export function judgeGiven(
  given: { readonly key: DocumentKey; readonly row: Row; readonly texts: TextUpdates },
  context: JudgeContext,
): Outcome<TakenRow> {
  const before = context.row(given.key)
  const last = lastOfRow(before?.row)
  const write: Write = {
    mark: lastOfRow(given.row) ?? { ms: 0, tick: 0, writer: '' as WriterId },
    key: given.key,
    delta: given.row,
    texts: given.texts,
    replaced: new Map(),
    whole: true,
  }
  const error = context.rule(write)
  if (error !== null) return { ok: false, error }
  for (const { mark } of marksOfDelta(write)) {
    if (skewOfMark(mark, context.now, last) > 0) return skewed(mark, context.now, last)
  }
  for (const [name, cell] of given.row.cells) {
    if (lastOfCell(cell) === null)
      return { ok: false, error: failure('not-permitted', { reason: `${name} was written by nobody` }) }
  }
  const row = joinRows(before?.row ?? emptyRow, given.row)
  const limit = limitOfValues(given.row) ?? limitOfGrowth(row, before?.row)
  if (limit !== null) return { ok: false, error: limit }
  return takeTexts(row, given.texts, before, [], { client: 0, ownership: false }, context.screen)
}

function skewed(mark: Mark, now: number, last: Mark | null): Outcome<never> {
  return { ok: false, error: failure('clock-skew', { relayTime: now, ms: skewOfMark(mark, now, last) }) }
}

function exceeded(what: string, limit: number, actual: number): Failure {
  return failure('limit-exceeded', { what, limit, actual })
}

function tooLarge(what: string, limit: number, actual: number): Outcome<never> {
  return { ok: false, error: exceeded(what, limit, actual) }
}
