/**
 * Making writes anew (SPEC W6): what a relay refused or skipped keeps its content, what its writer had seen and its
 * time, and gets new marks, so that it beats nobody that it did not beat before and cannot meet its old self.
 *
 * One pass has one new writer, which nobody else uses: marks of it rise in each row, in the order of the outbox.
 * Tabs whose writer was made anew draw another one for what they write next.
 */
import { bodyKey } from './bodies.ts'
import { followingStamp, type Stamp } from './clock.ts'
import { contextOfCell, type Seen } from './cells/cell.ts'
import type { CounterCell } from './cells/counter.ts'
import type { RemadeChunk } from './chunk.ts'
import { addToContext, contextCovers, type Context } from './context.ts'
import type { Deletion } from './deletion.ts'
import { failure, type Failure } from './errors.ts'
import type { TextSupport } from './field.ts'
import { marksOfDelta } from './judge/marks.ts'
import {
  compareMarks,
  formatMark,
  greaterMark,
  isSameMark,
  yjsClientOf,
  type Mark,
  type WriterId,
} from './mark.ts'
import type { OutboxEntry } from './outbox.ts'
import { renameRow } from './rename-marks.ts'
import type { ReplicaState } from './replica.ts'
import { countParts, rowExists, type DocumentKey, type PartName, type Row } from './row.ts'
import { nothingCounted, type SeenDocument } from './seen-document.ts'
import { transactionId, type Transaction, type TransactionId, type Write } from './write.ts'

export interface RemakePlan {
  /** The first transaction to look at. */
  readonly from: TransactionId
  /** Documents of refused transactions; null to make everything from there on anew (SPEC C4). */
  readonly keys: ReadonlySet<DocumentKey> | null
  /**
   * What was refused. It leaves the outbox for the quarantine in the same chunk that makes anew what stood on it, so
   * that no crash can leave one without the other.
   */
  readonly refused: { readonly transaction: Transaction; readonly error: Failure } | null
}

export interface RemakeContext {
  readonly writer: WriterId
  /** The relay's time as far as this device knows it, and what its clock is corrected by now. */
  readonly now: number
  readonly correction: number
  /** The whole confirmed body; must be given for each body that `bodiesToRemake` names. */
  readonly body: (key: DocumentKey, part: PartName) => readonly Uint8Array[]
  readonly support: (key: DocumentKey, part: PartName) => TextSupport | undefined
}

/** The entries that a plan makes anew, in order: those that touch a document of a refused or remade one. */
export function entriesToRemake(state: ReplicaState, plan: RemakePlan): readonly OutboxEntry[] {
  const keys = plan.keys === null ? null : new Set(plan.keys)
  const entries: OutboxEntry[] = []
  let begun = false
  for (const entry of state.outbox.entries()) {
    begun ||= entry.transaction.id === plan.from
    if (entry.position === 0 || entry.acks.size > 0) continue
    if (entry.transaction.id === plan.refused?.transaction.id) continue
    const { writes } = entry.transaction
    const orphan = writes.some(write => isOrphan(state, write))
    if (!orphan && (!begun || !(keys === null || writes.some(write => keys.has(write.key))))) continue
    for (const { key } of writes) keys?.add(key)
    entries.push(entry)
  }
  return entries
}

/**
 * Whether a write was on its way to the disk when what it stands on was made anew: it bears a writer that was, or it
 * names a mark of one that nothing bears any more.
 */
export function isOrphan(state: ReplicaState, write: Write): boolean {
  if (state.retired.size === 0) return false
  if (state.retired.has(write.mark.writer)) return true
  for (const { mark } of marksOfDelta(write)) {
    const isOld = state.retired.has(mark.writer) && isOwnElder(state, write, mark)
    if (isOld && !isConfirmed(state, write.key, mark) && !isInOutbox(state, write.key, mark)) return true
  }
  return false
}

/** Whether a mark that a write names is that of an own write before it. */
function isOwnElder(state: ReplicaState, write: Write, mark: Mark): boolean {
  return state.own.has(mark.writer) && compareMarks(mark, write.mark) < 0
}

function isInOutbox(state: ReplicaState, key: DocumentKey, mark: Mark): boolean {
  return state.outbox.writesOf(key).some(write => isSameMark(write.mark, mark))
}

function isConfirmed(state: ReplicaState, key: DocumentKey, mark: Mark): boolean {
  const row = state.confirmed(key)
  if (isSameMark(row?.revival ?? null, mark) || isSameMark(row?.deletion?.mark ?? null, mark)) return true
  return [...(row?.cells.values() ?? [])].some(cell => contextCovers(contextOfCell(cell), mark))
}

/** The bodies that must be loaded before `makeAnew`. */
export function bodiesToRemake(
  entries: readonly OutboxEntry[],
): readonly { key: DocumentKey; part: PartName }[] {
  const bodies = new Map<string, { key: DocumentKey; part: PartName }>()
  for (const { transaction } of entries) {
    for (const { key, texts } of transaction.writes) {
      for (const part of texts.keys()) bodies.set(bodyKey(key, part), { key, part })
    }
  }
  return [...bodies.values()]
}

/** Null if nothing needs to be made anew. */
export function makeAnew(state: ReplicaState, plan: RemakePlan, context: RemakeContext): RemadeChunk | null {
  const entries = entriesToRemake(state, plan)
  const refused = plan.refused === null ? undefined : state.outbox.get(plan.refused.transaction.id)
  const leaves = plan.refused !== null && refused?.acks.size === 0
  if (entries.length === 0 && !leaves) return null
  const pass = createPass(state, context, textsAnew(entries, plan, context))
  const remade = new Set(entries)
  const transactions: { from: TransactionId; to: Transaction }[] = []
  const quarantined: { id: TransactionId; error: Failure }[] = []
  if (leaves) quarantined.push({ id: plan.refused.transaction.id, error: plan.refused.error })
  let serial = 0
  for (const entry of state.outbox.entries()) {
    if (leaves && entry === refused) continue
    if (!remade.has(entry)) {
      for (const write of entry.transaction.writes) pass.stay(write)
      continue
    }
    const { id } = entry.transaction
    const again = pass.again(entry.transaction, transactionId(context.writer, ++serial))
    if ('code' in again) quarantined.push({ id, error: again })
    else transactions.push({ from: id, to: again })
  }
  const old = new Set(
    entries.flatMap(({ transaction }) => transaction.writes.map(write => write.mark.writer)),
  )
  return {
    kind: 'remade',
    writers: [...old].map(from => ({ from, to: context.writer })),
    transactions,
    quarantined,
  }
}

type TextsAnew = ReadonlyMap<Uint8Array, Uint8Array | null>

/** X9: each own update anew, as the same edit at the same place, under the new writer's Yjs client id. */
function textsAnew(entries: readonly OutboxEntry[], plan: RemakePlan, context: RemakeContext): TextsAnew {
  const anew = new Map<Uint8Array, Uint8Array | null>()
  for (const { key, part } of bodiesToRemake(entries)) {
    const later = entries.flatMap(({ transaction }) =>
      transaction.writes.flatMap(write => (write.key === key ? [...(write.texts.get(part) ?? [])] : [])),
    )
    const refused = (plan.refused?.transaction.writes ?? []).flatMap(write =>
      write.key === key ? [...(write.texts.get(part) ?? [])] : [],
    )
    const updates = context
      .support(key, part)
      ?.remake(context.body(key, part), refused, later, yjsClientOf(context.writer))
    later.forEach((update, i) => anew.set(update, updates?.[i] ?? null))
  }
  return anew
}

interface Pass {
  /** Takes note of a write that stays as it is, since later ones stand on it. */
  stay(write: Write): void
  again(transaction: Transaction, id: TransactionId): Transaction | Failure
}

function createPass(state: ReplicaState, context: RemakeContext, texts: TextsAnew): Pass {
  const renamed = new Map<string, Mark>()
  const rename = (mark: Mark): Mark => renamed.get(formatMark(mark)) ?? mark
  const existsByKey = new Map<DocumentKey, boolean>()
  /** Own marks of each row as they were and as they are now, in the order of the outbox. */
  const movesByKey = new Map<DocumentKey, { readonly old: Mark; readonly now: Mark }[]>()
  const given = new Set<string>()
  /** What the new writer has counted up to, by counter. */
  const totals = new Map<string, number>()

  function note(write: Write): void {
    const exists = existsAfter(write)
    if (exists !== null) existsByKey.set(write.key, exists)
  }

  function noteMove(key: DocumentKey, old: Mark, now: Mark): void {
    renamed.set(formatMark(old), now)
    const moves = movesByKey.get(key)
    if (moves === undefined) movesByKey.set(key, [{ old, now }])
    else moves.push({ old, now })
  }

  /** W6 (5): whether each document exists in what its writer had seen plus own writes before. Null if all do. */
  function missing(transaction: Transaction): DocumentKey | null {
    const made = new Map<DocumentKey, boolean>()
    for (const [i, write] of transaction.writes.entries()) {
      const { key } = write
      const stands = made.get(key) ?? existsByKey.get(key) ?? transaction.seen[i]?.exists ?? false
      if (write.delta.revival === null && !stands && !rowExists(state.confirmed(key))) return key
      const after = existsAfter(write)
      if (after !== null) made.set(key, after)
    }
    return null
  }

  /** C4, W6 (1): its time, less what the clock was corrected by since, never beyond now. */
  function stampAnew({ ms, tick }: Mark, correction: number): Stamp {
    const shifted = ms + context.correction - correction
    return { ms: Math.max(0, Math.floor(Math.min(shifted, context.now))), tick }
  }

  /** W6 (3): above everything that it saw. W3: and above everything that this pass has made in the row. */
  function markAnew(write: Write, seenLast: Mark | null, correction: number): Mark {
    const made = (movesByKey.get(write.key) ?? []).map(({ now }) => now)
    const over = made.reduce<Mark | null>(greaterMark, floorOf(write.key, write.mark, seenLast))
    let stamp = stampOver(stampAnew(write.mark, correction), over)
    // Marks of several old writers, moved by several corrections, may meet.
    while (given.has(`${stamp.ms}.${stamp.tick}`)) stamp = followingStamp(stamp)
    given.add(`${stamp.ms}.${stamp.tick}`)
    const mark: Mark = { ms: stamp.ms, tick: stamp.tick, writer: context.writer }
    noteMove(write.key, write.mark, mark)
    return mark
  }

  /** Own marks that it names and nothing bears any more, since they went to the quarantine, keep their distance. */
  function moveGone(write: Write, seenLast: Mark | null, correction: number): void {
    for (const { mark } of marksOfDelta(write)) {
      if (!isOwnElder(state, write, mark) || renamed.has(formatMark(mark))) continue
      if (isConfirmed(state, write.key, mark)) continue
      const { ms, tick } = stampOver(stampAnew(mark, correction), floorOf(write.key, mark, seenLast))
      noteMove(write.key, mark, { ms, tick, writer: context.writer })
    }
  }

  /** The greatest of what is seen under a mark: of the confirmed layer, of own writes, and of those taken since. */
  function floorOf(key: DocumentKey, mark: Mark, seenLast: Mark | null): Mark | null {
    const isUnder = (one: Mark): boolean => compareMarks(one, mark) < 0
    const seen = seenLast !== null && isUnder(seenLast) ? rename(seenLast) : null
    const taken = marksOfRow(state.confirmed(key)).filter(one => state.own.has(one.writer) && isUnder(one))
    const moved = (movesByKey.get(key) ?? []).filter(({ old }) => isUnder(old)).map(({ now }) => now)
    return [...taken, ...moved].reduce<Mark | null>(greaterMark, seen)
  }

  function writeAnew(
    write: Write,
    seen: SeenDocument,
    correction: number,
  ): { readonly write: Write; readonly seen: SeenDocument } {
    moveGone(write, seen.last, correction)
    const mark = markAnew(write, seen.last, correction)
    const { deletion, ...rest } = renameRow(write.delta, rename)
    const cells = new Map(rest.cells)
    const bodies = new Map<PartName, readonly Uint8Array[]>()
    for (const [part, updates] of write.texts) {
      const again = updates.map(update => texts.get(update) ?? null).filter(update => update !== null)
      if (again.length > 0) bodies.set(part, again)
      else cells.delete(part)
    }
    const counted = new Map<PartName, number>()
    for (const [part, cell] of write.delta.cells) {
      const now = cells.get(part)
      if (now === undefined) continue
      if (cell.strategy === 'counter') {
        const counter = bodyKey(write.key, part)
        const before = totals.get(counter) ?? 0
        const total = before + amountOf(cell, write.mark.writer, seen.counted.get(part) ?? 0)
        totals.set(counter, total)
        if (before !== 0) counted.set(part, before)
        cells.set(part, { strategy: 'counter', entries: new Map([[mark.writer, { mark, total }]]) })
      }
      if (cell.strategy === 'ask' && now.strategy === 'ask')
        cells.set(part, { ...now, context: keepCovered(write.key, part, cell.context, now.context) })
    }
    const delta: Row = { ...rest, cells, deletion: deletion === null ? null : deleteAnew(write, deletion) }
    const replaced = new Map([...write.replaced].map(([part, old]) => [part, rename(old)]))
    return {
      write: { ...write, mark, delta, texts: bodies, replaced },
      seen: { exists: seen.exists, last: seen.last === null ? null : rename(seen.last), counted },
    }
  }

  function deleteAnew({ key, delta }: Write, deletion: Deletion): Deletion {
    const seen = new Map<PartName, Seen>()
    for (const [part, now] of deletion.seen) {
      const old = delta.deletion?.seen.get(part)
      const both = now.kind === 'context' && old?.kind === 'context'
      seen.set(part, both ? { ...now, context: keepCovered(key, part, old.context, now.context) } : now)
    }
    return { ...deletion, seen }
  }

  /** A mark that was renamed stood for its old writer's earlier writes to the cell too; those that remain are named. */
  function keepCovered(key: DocumentKey, part: PartName, old: Context, now: Context): Context {
    const cell = state.confirmed(key)?.cells.get(part)
    if (cell === undefined) return now
    let kept = now
    for (const [writer, held] of contextOfCell(cell)) {
      const mark = old.get(writer)
      if (mark !== undefined && compareMarks(held, mark) < 0) kept = addToContext(kept, held)
    }
    return kept
  }

  return {
    stay(write) {
      noteMove(write.key, write.mark, write.mark)
      note(write)
    },
    again(transaction, id) {
      const absent = missing(transaction)
      const writes: Write[] = []
      const seen: SeenDocument[] = []
      for (const [i, write] of absent === null ? transaction.writes.entries() : []) {
        const again = writeAnew(write, transaction.seen[i] ?? nothingSeen, transaction.correction)
        note(again.write)
        if (countParts(again.write.delta) === 0) continue
        writes.push(again.write)
        seen.push(again.seen)
      }
      if (writes.length > 0) return { id, writes, seen, correction: context.correction }
      return failure('built-on-refused', { document: absent ?? transaction.writes[0]?.key ?? '' })
    },
  }
}

const nothingSeen: SeenDocument = { exists: false, last: null, counted: nothingCounted }

/** What a write itself added to a counter: refused and remade ones that its writer had made before are not in it. */
function amountOf(cell: CounterCell, writer: WriterId, counted: number): number {
  return (cell.entries.get(writer)?.total ?? 0) - counted
}

/** Whether a write settles that its document exists or does not; null if it leaves that as it was. */
function existsAfter({ delta }: Write): boolean | null {
  if (delta.deletion !== null) return false
  return delta.revival === null ? null : true
}

function stampOver(stamp: Stamp, over: Mark | null): Stamp {
  const isAbove = over === null || stamp.ms > over.ms || (stamp.ms === over.ms && stamp.tick > over.tick)
  return isAbove ? stamp : followingStamp(over)
}

/** Every mark that a row bears, of each writer and cell the greatest. */
function marksOfRow(row: Row | undefined): readonly Mark[] {
  const marks: Mark[] = []
  if (row?.revival) marks.push(row.revival)
  if (row?.deletion) marks.push(row.deletion.mark)
  for (const cell of row?.cells.values() ?? []) marks.push(...contextOfCell(cell).values())
  return marks
}
