/**
 * Making writes anew (SPEC W6): what a relay refused or skipped keeps its content, what its writer had seen and its
 * time, and gets new marks, so that it beats nobody that it did not beat before and cannot meet its old self.
 *
 * A pass has a new writer for each old one, which nobody else uses: so what did not see each other before does not see
 * each other after it. Tabs whose writer was made anew draw another one for what they write next.
 */
import { bodyKey } from '../bodies.ts'
import type { RemadeChunk } from '../chunk.ts'
import { failure, type Failure } from '../errors.ts'
import type { TextAnew, TextSupport } from '../field.ts'
import { yjsClientOf, type WriterId } from '../mark.ts'
import type { OutboxEntry } from '../outbox.ts'
import type { ReplicaState } from '../replica/replica.ts'
import { countParts, type DocumentKey, type PartName } from '../row.ts'
import { nothingCounted, type SeenDocument } from '../seen-document.ts'
import { transactionId, writerOf, type Transaction, type TransactionId, type Write } from '../write.ts'
import { createMarksAnew } from './marks-anew.ts'
import { missingDocuments } from './missing-documents.ts'
import { createNewWriters, type NewWriters } from './new-writers.ts'
import { bodiesToRemake, entriesToRemake, type RemakePlan } from './plan.ts'
import { createWritesAnew, type TextsAnew } from './writes-anew.ts'

export interface RemakeContext {
  /** A writer that nobody used, another one with each call (SPEC W3). */
  readonly drawWriter: () => WriterId
  /** The relay's time as far as this device knows it, and what its clock is corrected by now. */
  readonly now: number
  readonly correction: number
  /** The whole confirmed body; must be given for each body that `bodiesToRemake` names. */
  readonly body: (key: DocumentKey, part: PartName) => readonly Uint8Array[]
  readonly support: (key: DocumentKey, part: PartName) => TextSupport | undefined
}

/** Null if nothing needs to be made anew. */
export function makeAnew(state: ReplicaState, plan: RemakePlan, context: RemakeContext): RemadeChunk | null {
  const entries = entriesToRemake(state, plan)
  const refused = plan.refused === null ? undefined : state.outbox.get(plan.refused.transaction.id)
  const leaves = plan.refused !== null && refused !== undefined && !state.isVouchedFor(refused)
  if (entries.length === 0 && !leaves) return null
  const remade = new Set(entries)
  const standsOnNothing = missingDocuments(state, remade, plan)
  const newWriterOf = createNewWriters(context.drawWriter)
  const texts = textsAnew(state, entries, standsOnNothing, plan, context, newWriterOf)
  const pass = createPass(state, context, newWriterOf, texts, standsOnNothing)
  const transactions: { from: TransactionId; to: Transaction }[] = []
  const quarantined: { id: TransactionId; error: Failure }[] = []
  if (leaves) quarantined.push({ id: plan.refused.transaction.id, error: plan.refused.error })
  let serial = 0
  for (const entry of state.outbox.entries()) {
    // What is not on disk yet comes behind all that is, so nothing stands on it.
    if (entry.position === 0 || (leaves && entry === refused)) continue
    if (!remade.has(entry)) {
      for (const write of entry.transaction.writes) pass.stay(write)
      continue
    }
    const { id } = entry.transaction
    const again = pass.again(entry.transaction, transactionId(newWriterOf(writerOf(id)), ++serial))
    if ('code' in again) quarantined.push({ id, error: again })
    else transactions.push({ from: id, to: again })
  }
  // Of what is refused too: what its tab wrote since counts what it had counted.
  const gone = leaves ? [plan.refused.transaction] : []
  const old = new Set(
    [...gone, ...entries.map(({ transaction }) => transaction)].flatMap(({ writes }) =>
      writes.map(write => write.mark.writer),
    ),
  )
  return {
    kind: 'remade',
    seen: state.seen,
    writers: [...old].map(from => ({ from, to: newWriterOf(from) })),
    transactions,
    quarantined,
  }
}

/** X9: each own update anew, as the same edit at the same place, under the Yjs client id of its new writer. */
function textsAnew(
  state: ReplicaState,
  entries: readonly OutboxEntry[],
  standsOnNothing: ReadonlyMap<Transaction, DocumentKey>,
  plan: RemakePlan,
  context: RemakeContext,
  newWriterOf: NewWriters,
): TextsAnew {
  const anew = new Map<Uint8Array, TextAnew>()
  const refused = plan.refused?.transaction
  const moving = new Set([refused?.id, ...entries.map(({ transaction }) => transaction.id)])
  const staying = [...state.outbox.entries()]
    .filter(({ transaction, position }) => position > 0 && !moving.has(transaction.id))
    .map(({ transaction }) => transaction)
  const later = entries.map(({ transaction }) => transaction)
  const clientOf = clientsAnew(later, newWriterOf)
  for (const { key, part } of bodiesToRemake(entries)) {
    const now = [...context.body(key, part), ...updatesOf(staying, key, part)]
    const before = refused === undefined ? [] : updatesOf([refused], key, part)
    const moves = state.remade.of(bodyKey(key, part))
    const gone = new Set(updatesOf([...standsOnNothing.keys()], key, part))
    const updates = context
      .support(key, part)
      ?.remake(now, before, moves, updatesOf(later, key, part), clientOf, gone)
    updatesOf(later, key, part).forEach((update, i) => anew.set(update, updates?.[i] ?? 'lost'))
  }
  return anew
}

/** The Yjs client of each update that is made anew. */
function clientsAnew(later: readonly Transaction[], newWriterOf: NewWriters): (update: Uint8Array) => number {
  const clients = new Map<Uint8Array, number>()
  for (const { mark, texts } of later.flatMap(({ writes }) => writes))
    for (const update of [...texts.values()].flat())
      clients.set(update, yjsClientOf(newWriterOf(mark.writer)))
  return update => clients.get(update) ?? 0
}

function updatesOf(
  transactions: readonly Transaction[],
  key: DocumentKey,
  part: PartName,
): readonly Uint8Array[] {
  return transactions.flatMap(({ writes }) =>
    writes.flatMap(write => (write.key === key ? [...(write.texts.get(part) ?? [])] : [])),
  )
}

interface Pass {
  /** Takes note of a write that stays as it is, since later ones stand on it. */
  stay(write: Write): void
  again(transaction: Transaction, id: TransactionId): Transaction | Failure
}

function createPass(
  state: ReplicaState,
  context: RemakeContext,
  newWriterOf: NewWriters,
  texts: TextsAnew,
  standsOnNothing: ReadonlyMap<Transaction, DocumentKey>,
): Pass {
  const marks = createMarksAnew(state, context, newWriterOf)
  const writeAnew = createWritesAnew(marks, texts)

  /** X9: a text that builds on what nobody has any more. Null if none does. */
  function lostText({ writes }: Transaction): DocumentKey | null {
    const isLost = ({ texts: bodies }: Write): boolean =>
      [...bodies.values()].some(updates => updates.some(update => texts.get(update) === 'lost'))
    return writes.find(isLost)?.key ?? null
  }

  return {
    stay: marks.stay,
    again(transaction, id) {
      const absent = standsOnNothing.get(transaction) ?? lostText(transaction)
      if (absent !== null) return failure('built-on-refused', { document: absent })
      const writes: Write[] = []
      const seen: SeenDocument[] = []
      for (const [i, write] of transaction.writes.entries()) {
        const again = writeAnew(write, transaction.seen[i] ?? nothingSeen, transaction)
        if (countParts(again.write.delta) === 0) continue
        writes.push(again.write)
        seen.push(again.seen)
      }
      return { id, writes, seen, correction: context.correction, heard: transaction.heard }
    },
  }
}

const nothingSeen: SeenDocument = { exists: false, last: null, counted: nothingCounted }
