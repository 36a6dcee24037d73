/**
 * Applying a chunk of the journal: what each kind does to the layers and to what is known beside them (SPEC P1, L1-L3).
 *
 * Every tab applies the same chunks in the same order, so all of it is decided by the chunk and the state alone.
 */
import { bodyKey } from '../bodies.ts'
import type {
  Chunk,
  OwnChunk,
  PulledChunk,
  RemadeChunk,
  RemadeMark,
  RemadeText,
  SettledChunk,
  VerdictsChunk,
} from '../chunk.ts'
import { hasAskedCells, writersInConflict } from '../conflict-writers.ts'
import {
  addPosition,
  coversPosition,
  heldPosition,
  joinPositions,
  type Positions,
  type StoreId,
} from '../generations.ts'
import { entryOf, type OutboxEntry } from '../outbox.ts'
import { askedOfColumns } from '../packed-cells.ts'
import { remadeMarksOf } from '../remade-marks.ts'
import { remadeTextsOf } from '../remade-texts.ts'
import type { DocumentKey, Row } from '../row.ts'
import type { Transaction, TransactionId } from '../write.ts'
import {
  copiesMeant,
  countCopies,
  introduce,
  learn,
  meet,
  retire,
  speak,
  type Knowledge,
} from './knowledge.ts'
import type { Layers } from './layers.ts'
import { takeSnapshot } from './snapshot.ts'

export interface Applying {
  readonly layers: Layers
  readonly knowledge: Knowledge
}

export function applyChunk(state: Applying, position: number, chunk: Chunk): void {
  switch (chunk.kind) {
    case 'own':
      return applyOwn(state, position, chunk)
    case 'pulled':
      return applyPulled(state, position, chunk)
    case 'verdicts':
      return applyVerdicts(state, position, chunk)
    case 'remade':
      return applyRemade(state, position, chunk)
    case 'settled':
      return applySettled(state, chunk)
    case 'forgotten':
      for (const key of chunk.keys) state.layers.forget(key, position)
      return
    case 'met':
      meet(state.knowledge, chunk)
      return state.layers.releaseAcknowledged()
    case 'snapshot':
      return takeSnapshot(state, chunk)
  }
}

/** Own writes whose chunk was gone over while they were taken for unwritten: they have left the outbox. */
export function settleWritten({ layers }: Applying, { transactions }: OwnChunk): void {
  for (const transaction of transactions) {
    if (layers.outbox.get(transaction.id)?.position !== 0) continue
    layers.leave(transaction.id)
    layers.changes.overtaken.push(transaction)
  }
}

function applyOwn({ layers }: Applying, position: number, chunk: OwnChunk): void {
  for (const transaction of chunk.transactions) {
    // A tab's own entry shows already; it moves to where the journal has it: behind what other tabs committed before.
    if (layers.outbox.move(transaction.id, position)) continue
    if (layers.outbox.get(transaction.id) === undefined) layers.enter(entryOf(transaction, position))
  }
}

function applyPulled(state: Applying, position: number, chunk: PulledChunk): void {
  const { layers, knowledge } = state
  learn(knowledge, chunk.generations)
  for (const record of chunk.writers) introduce(knowledge, record)
  const mayAsk = askedOfColumns(hasAskedCells)
  for (const { key, delta, texts } of chunk.rows) {
    if (texts.size > 0)
      for (const [part, text] of texts)
        if (text.kind === 'tail') layers.addToBody(bodyKey(key, part), text.updates, position)
    const row = layers.confirm(key, delta, position)
    if (row !== undefined && (row.deletion !== null || mayAsk(row.cells))) noteStrangers(knowledge, row)
  }
  for (const { key, part, update } of chunk.texts) {
    layers.addToBody(bodyKey(key, part), [update], position)
    layers.changes.changed.add(key)
  }
  if (chunk.cursor !== null) {
    knowledge.cursors.set(chunk.store, chunk.cursor)
    speak(knowledge, chunk.store, chunk.cursor.generation)
  }
  if (chunk.frontier !== null) {
    const { positions, how } = chunk.frontier
    if (how === 'replace') replaceFrontier(knowledge, positions, chunk.store)
    else knowledge.frontier = joinPositions(knowledge.generations, knowledge.frontier, positions)
  }
  if (chunk.reach !== null) knowledge.reach = chunk.reach
  knowledge.pulledAt = chunk.at
  noteWants(state, chunk)
  // What is known of a lineage decides which acknowledgements count.
  if (chunk.generations.length > 0) layers.releaseAcknowledged()
  else if (layers.outbox.size > 0) layers.releaseTouching(chunk.rows.map(row => row.key))
}

/**
 * S4: what was deleted on one relay, and is here no more, is here again if the joined one has not heard of that. So the
 * pull of the former's feed, which told of it, goes on from where the latter has it.
 */
function replaceFrontier(knowledge: Knowledge, positions: Positions, joined: StoreId): void {
  knowledge.frontier = positions
  const { cursors, generations } = knowledge
  for (const [store, { generation, cut }] of cursors) {
    if (store === joined) continue
    const held = heldPosition(generations, positions, generation, cut)
    cursors.set(store, { generation, cut: held, place: held })
  }
}

function applyVerdicts(state: Applying, position: number, chunk: VerdictsChunk): void {
  const { layers, knowledge } = state
  if (knowledge.generations.has(chunk.generation)) speak(knowledge, chunk.store, chunk.generation)
  const ack = { generation: chunk.generation, position: chunk.position }
  const onlyAck = new Map([[chunk.store, ack]])
  const leaving: OutboxEntry[] = []
  const entryFor = layers.outbox.inOrder()
  let isEnough: boolean | null = null
  for (let i = 0; i < chunk.verdicts.length; i++) {
    const { id, outcome } = chunk.verdicts[i] as VerdictsChunk['verdicts'][number]
    const entry = entryFor(id)
    if (entry === undefined) continue
    if (outcome.kind === 'acknowledged') {
      const { transaction, position: at } = entry
      const isFirst = entry.acks.size === 0
      // Most are acknowledged by one relay: whether that is enough is the same for all of a chunk.
      if (isFirst && at > 0 && (isEnough ??= layers.isEverywhere({ ...entry, acks: onlyAck }))) {
        leaving.push(entry)
        continue
      }
      const acks = isFirst ? onlyAck : new Map(entry.acks).set(chunk.store, ack)
      const refusedBy = without(entry.refusedBy, chunk.store)
      const acknowledged = { transaction, position: at, acks, refusedBy }
      // With the first one it is in the confirmed layer, and stays there.
      if (isFirst) confirmWrites(state, entry, position)
      if (!layers.release(acknowledged)) layers.outbox.put(acknowledged)
    } else if (entry.acks.size > 0) {
      layers.outbox.put({ ...entry, refusedBy: new Set(entry.refusedBy).add(chunk.store) })
    } else {
      knowledge.quarantine.set(id, { transaction: entry.transaction, error: outcome.error })
      layers.leave(id)
    }
  }
  confirmLeaving(state, leaving, position)
  // P1: what the cursor reaches is stored with it, so that nobody is sent back what they wrote.
  if (chunk.cut) {
    const { generation, position: cut } = chunk
    knowledge.cursors.set(chunk.store, { generation, cut, place: cut })
    knowledge.frontier = addPosition(knowledge.generations, knowledge.frontier, generation, cut)
  }
  if (chunk.verdicts.some(({ outcome }) => outcome.kind === 'acknowledged')) {
    knowledge.reach = addPosition(knowledge.generations, knowledge.reach, chunk.generation, chunk.position)
  }
  noteWants(state, chunk)
}

function without<T>(set: ReadonlySet<T>, member: T): ReadonlySet<T> {
  if (!set.has(member)) return set
  const rest = new Set(set)
  rest.delete(member)
  return rest
}

/** P4: another relay may know less. Of a feed that the frontier covers all is here, up to where it told of something. */
function noteWants({ knowledge }: Applying, chunk: PulledChunk | VerdictsChunk): void {
  const { wants, cursors, generations, frontier, reach } = knowledge
  const isCut = chunk.kind === 'pulled' && chunk.frontier !== null
  for (const store of wants.keys()) {
    const at = cursors.get(store)
    // Of who judges for the relay that is pulled from, that one's cut says what it has.
    const isPulled = at === undefined ? isCut : coversPosition(generations, frontier, at.generation, at.place)
    if (!isPulled) continue
    // A verdict asks for what its commit met, which is beyond where the pull is, perhaps of a generation not yet heard of.
    const told = [...reach].filter(([id]) => (generations.get(id)?.store ?? store) === store)
    if (told.every(([id, position]) => coversPosition(generations, frontier, id, position)))
      wants.delete(store)
  }
  if (chunk.wants.length > 0) wants.set(chunk.store, chunk.wants)
  else wants.delete(chunk.store)
}

function confirmWrites({ layers, knowledge }: Applying, entry: OutboxEntry, position: number): void {
  confirmTexts(layers, entry, position)
  for (const { key, delta } of entry.transaction.writes)
    noteStrangers(knowledge, layers.confirm(key, delta, position))
}

function confirmLeaving(
  { layers, knowledge }: Applying,
  entries: readonly OutboxEntry[],
  position: number,
): void {
  for (let i = 0; i < entries.length; i++) confirmTexts(layers, entries[i] as OutboxEntry, position)
  const mayAsk = askedOfColumns(hasAskedCells)
  layers.confirmLeaving(entries, position, row => {
    if (row !== undefined && (row.deletion !== null || mayAsk(row.cells))) noteStrangers(knowledge, row)
  })
}

function confirmTexts({ addToBody }: Layers, { transaction }: OutboxEntry, position: number): void {
  for (const { key, texts } of transaction.writes)
    if (texts.size > 0) for (const [part, updates] of texts) addToBody(bodyKey(key, part), updates, position)
}

/** K3: of a conflict that is confirmed everybody is told who wrote its sides. */
export function noteStrangers({ writers, strangers }: Knowledge, row: Row | undefined): void {
  if (row === undefined) return
  for (const writer of writersInConflict(row)) if (!writers.has(writer)) strangers.add(writer)
}

/** What was refused is decided; of what waits for relays that do not come it is decided not to wait any longer. */
function applySettled({ layers, knowledge }: Applying, { ids }: SettledChunk): void {
  for (const id of ids) {
    knowledge.quarantine.delete(id)
    const entry = layers.outbox.get(id)
    if (entry !== undefined && countCopies(knowledge, entry) >= copiesMeant(knowledge).wanted)
      layers.letGo(entry)
  }
}

function applyRemade({ layers, knowledge }: Applying, position: number, chunk: RemadeChunk): void {
  for (const { from, to } of chunk.writers) {
    retire(knowledge, from, chunk.seen)
    layers.changes.writers.set(from, to)
  }
  const entries = new Map<TransactionId, OutboxEntry | null>()
  const keys = new Set<DocumentKey>()
  const texts: RemadeText[] = []
  const marks: RemadeMark[] = []
  const touch = (transaction: Transaction): void => {
    for (const { key, texts } of transaction.writes) {
      keys.add(key)
      for (const part of texts.keys()) layers.changes.rebuilt.add(bodyKey(key, part))
    }
  }
  for (const { from, to } of chunk.transactions) {
    const old = layers.outbox.get(from)
    if (old === undefined) continue
    touch(old.transaction)
    touch(to)
    texts.push(...remadeTextsOf(position, old.transaction, to))
    marks.push(...remadeMarksOf(position, old.transaction, to))
    for (const { mark } of to.writes) layers.own.add(mark.writer)
    // It stands on what this chunk made.
    const transaction = { ...to, heard: position }
    const entry = entryOf(transaction, old.position)
    entries.set(from, to.writes.length === 0 ? null : entry)
  }
  for (const { id, error } of chunk.quarantined) {
    const old = layers.outbox.get(id)
    if (old === undefined) continue
    touch(old.transaction)
    texts.push(...remadeTextsOf(position, old.transaction, null))
    knowledge.quarantine.set(id, { transaction: old.transaction, error })
    entries.set(id, null)
  }
  knowledge.remade.add(texts)
  knowledge.remadeMarks.add(marks)
  layers.substitute(entries, keys)
}
