/**
 * Making writes anew (SPEC W6): what a relay refused or skipped keeps its content, what its writer had seen and its
 * time, and gets new marks, so that it beats nobody that it did not beat before and cannot meet its old self.
 *
 * One pass has one new writer, which nobody else uses: marks of it rise through the outbox's order. Tabs whose
 * writer was made anew draw another one for what they write next.
 */
import { bodyKey } from './bodies.ts'
import { followingStamp, type Stamp } from './clock.ts'
import type { Cell } from './cells/cell.ts'
import { contextOfCell } from './cells/cell.ts'
import type { RemadeChunk } from './chunk.ts'
import { addToContext } from './context.ts'
import { failure, type Failure } from './errors.ts'
import type { TextSupport } from './field.ts'
import { compareMarks, formatMark, greaterMark, yjsClientOf, type Mark, type WriterId } from './mark.ts'
import type { OutboxEntry } from './outbox.ts'
import { renameRow } from './rename-marks.ts'
import type { ReplicaState } from './replica.ts'
import { countParts, lastOfRow, rowExists, type DocumentKey, type PartName, type Row } from './row.ts'
import { transactionId, type Transaction, type TransactionId, type Write } from './write.ts'

export interface RemakePlan {
  /** The first transaction to look at: the refused one, or the first after it. */
  readonly from: TransactionId
  /** Documents of refused transactions; null to make everything from there on anew (SPEC C4). */
  readonly keys: ReadonlySet<DocumentKey> | null
  /** Text updates that were refused, by body key. */
  readonly refusedTexts: ReadonlyMap<string, readonly Uint8Array[]>
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
    const { writes } = entry.transaction
    const orphan = writes.some(write => state.retired.has(write.mark.writer))
    if (!orphan && (!begun || !(keys === null || writes.some(write => keys.has(write.key))))) continue
    for (const { key } of writes) keys?.add(key)
    entries.push(entry)
  }
  return entries
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
  if (entries.length === 0) return null
  const pass = createPass(state, context, textsAnew(entries, plan, context))
  const remade = new Set(entries)
  const transactions: { from: TransactionId; to: Transaction }[] = []
  const quarantined: { id: TransactionId; error: Failure }[] = []
  let serial = 0
  for (const entry of state.outbox.entries()) {
    if (!remade.has(entry)) {
      for (const write of entry.transaction.writes) pass.note(write)
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
    const refused = plan.refusedTexts.get(bodyKey(key, part)) ?? []
    const updates = context
      .support(key, part)
      ?.remake(context.body(key, part), refused, later, yjsClientOf(context.writer))
    later.forEach((update, i) => anew.set(update, updates?.[i] ?? null))
  }
  return anew
}

interface Pass {
  /** Takes note of a write that stays as it is, since later ones stand on it. */
  note(write: Write): void
  again(transaction: Transaction, id: TransactionId): Transaction | Failure
}

function createPass(state: ReplicaState, context: RemakeContext, texts: TextsAnew): Pass {
  const renamed = new Map<string, Mark>()
  const rename = (mark: Mark): Mark => renamed.get(formatMark(mark)) ?? mark
  const existsByKey = new Map<DocumentKey, boolean>()
  const lastByKey = new Map<DocumentKey, Mark>()
  /** The cell of earlier own writes as they were, for totals and for what a context stood for. */
  const before = new Map<string, Cell>()
  const totals = new Map<string, number>()
  let clock: Stamp = { ms: 0, tick: 0 }

  function exists(key: DocumentKey, seen: boolean): boolean {
    return existsByKey.get(key) ?? (seen || rowExists(state.confirmed(key)))
  }

  function note(write: Write): void {
    if (write.delta.revival !== null) existsByKey.set(write.key, true)
    if (write.delta.deletion !== null) existsByKey.set(write.key, false)
    const last = greaterMark(lastByKey.get(write.key) ?? null, lastOfRow(write.delta))
    if (last !== null) lastByKey.set(write.key, last)
    for (const [part, cell] of write.delta.cells)
      before.set(`${part}\n${write.key}\n${write.mark.writer}`, cell)
  }

  /** C4, W6 (1) and (3): its time, less what the clock was corrected by since, never beyond now; above what it saw. */
  function markAnew(mark: Mark, correction: number, over: Mark | null): Mark {
    const shifted = mark.ms + context.correction - correction
    const ms = Math.max(
      0,
      shifted > context.now && mark.ms > context.now ? Math.floor(context.now) : Math.floor(shifted),
    )
    let stamp: Stamp = { ms, tick: mark.tick }
    for (const floor of [clock, over]) {
      if (floor !== null && (stamp.ms < floor.ms || (stamp.ms === floor.ms && stamp.tick <= floor.tick))) {
        stamp = followingStamp(floor)
      }
    }
    clock = stamp
    return { ms: stamp.ms, tick: stamp.tick, writer: context.writer }
  }

  function writeAnew(write: Write, seenLast: Mark | null, correction: number): Write {
    const over = greaterMark(seenLast === null ? null : rename(seenLast), lastByKey.get(write.key) ?? null)
    const mark = markAnew(write.mark, correction, over)
    renamed.set(formatMark(write.mark), mark)
    const cells = new Map(renameRow(write.delta, rename).cells)
    const bodies = new Map<PartName, readonly Uint8Array[]>()
    for (const [part, updates] of write.texts) {
      const again = updates.map(update => texts.get(update) ?? null).filter(update => update !== null)
      if (again.length > 0) bodies.set(part, again)
      else cells.delete(part)
    }
    for (const [part, cell] of cells) cells.set(part, restore(write, part, cell, mark))
    const delta: Row = { ...renameRow(write.delta, rename), cells }
    const replaced = new Map([...write.replaced].map(([part, old]) => [part, rename(old)]))
    return { ...write, mark, delta, texts: bodies, replaced }
  }

  /** What the old writer's entry stood for beside this write: its earlier writes to the cell, and their total. */
  function restore(write: Write, part: PartName, cell: Cell, mark: Mark): Cell {
    const old = write.mark.writer
    const place = `${part}\n${write.key}`
    const earlier = before.get(`${place}\n${old}`) ?? state.confirmed(write.key)?.cells.get(part)
    if (cell.strategy === 'counter') {
      const was = write.delta.cells.get(part)
      const total = was?.strategy === 'counter' ? (was.entries.get(old)?.total ?? 0) : 0
      const had = earlier?.strategy === 'counter' ? (earlier.entries.get(old)?.total ?? 0) : 0
      const sum = (totals.get(place) ?? 0) + total - had
      totals.set(place, sum)
      return { strategy: 'counter', entries: new Map([[mark.writer, { mark, total: sum }]]) }
    }
    if (cell.strategy !== 'ask' || earlier === undefined) return cell
    const seen = contextOfCell(earlier).get(old)
    if (seen === undefined || compareMarks(seen, write.mark) >= 0) return cell
    return { ...cell, context: addToContext(cell.context, rename(seen)) }
  }

  return {
    note,
    again(transaction, id) {
      const writes: Write[] = []
      for (const [i, write] of transaction.writes.entries()) {
        const seen = transaction.seen[i]
        const revives = write.delta.revival !== null
        if (!revives && !exists(write.key, seen?.exists ?? false)) {
          return failure('built-on-refused', { document: write.key })
        }
        const again = writeAnew(write, seen?.last ?? null, transaction.correction)
        note({ ...again, delta: again.delta })
        for (const [part, cell] of write.delta.cells)
          before.set(`${part}\n${write.key}\n${write.mark.writer}`, cell)
        if (countParts(again.delta) > 0) writes.push(again)
      }
      if (writes.length === 0)
        return failure('built-on-refused', { document: transaction.writes[0]?.key ?? '' })
      return { id, writes, seen: seenOf(transaction, writes), correction: context.correction }
    },
  }

  function seenOf(transaction: Transaction, writes: readonly Write[]): Transaction['seen'] {
    const seenByKey = new Map(transaction.writes.map((write, i) => [write.key, transaction.seen[i]]))
    return writes.map(({ key }) => {
      const { exists: existed, last } = seenByKey.get(key) ?? { exists: false, last: null }
      return { exists: existed, last: last === null ? null : rename(last) }
    })
  }
}
