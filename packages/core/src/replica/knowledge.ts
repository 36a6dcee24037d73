/** Everything of a replica's state but its layers: how far it has seen, of whom it knows, and what was refused. */
import type { MetChunk } from '../chunk.ts'
import type { Failure } from '../errors.ts'
import type { WriterRecord } from '../frames.ts'
import {
  impliedPosition,
  learnGenerations,
  noPositions,
  type Cursor,
  type Generation,
  type GenerationId,
  type Positions,
  type StoreId,
} from '../generations.ts'
import type { WriterId } from '../mark.ts'
import { oneCopy, type Acknowledgement, type Copies, type OutboxEntry } from '../outbox.ts'
import { createRemadeMarks, type RemadeMarksKept } from '../remade-marks.ts'
import { createRemadeTexts, type RemadeTextsKept } from '../remade-texts.ts'
import type { DocumentKey } from '../row.ts'
import type { Transaction, TransactionId } from '../write.ts'

export interface QuarantinedTransaction {
  readonly transaction: Transaction
  readonly error: Failure
}

export interface Knowledge {
  /** Which relays the tab with the connection was given, where the journal says so. */
  noted: Copies | null
  readonly cursors: Map<StoreId, Cursor>
  readonly generations: Map<GenerationId, Generation>
  readonly writers: Map<WriterId, WriterRecord>
  /** Who wrote sides of conflicts, and is not known: sessions ask until they are told (SPEC T4). */
  readonly strangers: Set<WriterId>
  readonly quarantine: Map<TransactionId, QuarantinedTransaction>
  /** Writers that were made anew, and the position up to which that was first done. */
  readonly retired: Map<WriterId, number>
  readonly remade: RemadeTextsKept
  readonly remadeMarks: RemadeMarksKept
  /** Where the addresses of relays lead. */
  readonly met: Map<string, StoreId>
  /** Rows that are asked for and outstanding, by the relay of whose feed they are (SPEC P4). */
  readonly wants: Map<StoreId, readonly DocumentKey[]>
  /** The generation of each relay that was heard of last: its lineage says which acknowledgements count. */
  readonly newest: Map<StoreId, GenerationId>
  /** Rises with whatever decides which acknowledgements count. */
  revision: number
  frontier: Positions
  reach: Positions
  /** When the last pulled chunk was stored, by its own word; 0 if it was before the floor of the journal. */
  pulledAt: number
}

export function createKnowledge(): Knowledge {
  return {
    noted: null,
    cursors: new Map(),
    generations: new Map(),
    writers: new Map(),
    strangers: new Set(),
    quarantine: new Map(),
    retired: new Map(),
    remade: createRemadeTexts(),
    remadeMarks: createRemadeMarks(),
    met: new Map(),
    wants: new Map(),
    newest: new Map(),
    revision: 0,
    frontier: noPositions,
    reach: noPositions,
    pulledAt: 0,
  }
}

/**
 * On how many relays' disks own writes are to be. Whatever a tab was given, the journal says it for all of them: else they
 * would not come to the same.
 */
export function copiesMeant({ noted }: Knowledge): Copies {
  return noted ?? oneCopy
}

/** A relay's generation is the newest that is known of. */
export function speak(knowledge: Knowledge, store: StoreId, generation: GenerationId): void {
  if (knowledge.newest.get(store) === generation) return
  knowledge.newest.set(store, generation)
  knowledge.revision += 1
}

/** Who a writer is comes. */
export function introduce({ writers, strangers }: Knowledge, record: WriterRecord): void {
  writers.set(record.writer, record)
  strangers.delete(record.writer)
}

/** Facts of lineage come. */
export function learn(knowledge: Knowledge, facts: readonly Generation[]): void {
  if (learnGenerations(knowledge.generations, facts).length > 0) knowledge.revision += 1
}

/**
 * A writer was made anew: what it wrote came to the disk before that, or has nothing to stand on (SPEC W6). How long
 * something may be on its way cannot be told, since a tab may be frozen; so the latest are kept.
 */
export function retire({ retired }: Knowledge, writer: WriterId, position: number): void {
  if (retired.has(writer)) return
  retired.set(writer, position)
  if (retired.size <= retiredMax) return
  for (const first of retired.keys()) return void retired.delete(first)
}

const retiredMax = 4096

/** Whether an address of this replica's list leads to a store: not so of a relay that was taken out of it, or replaced. */
export function isListed(knowledge: Knowledge, store: StoreId): boolean {
  const { relays } = copiesMeant(knowledge)
  return relays === undefined || relays.some(address => knowledge.met.get(address) === store)
}

/**
 * An address leads to a store. Nobody asks any more for what one was asked for to which none leads any more; where one
 * leads that was not asked yet in this list is not known.
 */
export function meet(knowledge: Knowledge, { address, store, copies }: MetChunk): void {
  const { met, wants } = knowledge
  const before = met.get(address)
  met.set(address, store)
  knowledge.noted = copies
  knowledge.revision += 1
  if (before !== undefined && ![...met.values()].includes(before)) wants.delete(before)
}

/** Rows that are asked for, of whichever relay of the list. */
export function allWants(knowledge: Knowledge): readonly DocumentKey[] {
  const asked = [...knowledge.wants].flatMap(([store, keys]) => (isListed(knowledge, store) ? keys : []))
  return [...new Set(asked)]
}

/**
 * Whether an acknowledgement counts: while its relay is in the list, and its position in that relay's lineage (SPEC L2).
 * One of a generation of which nothing is known here is newer than what is known.
 */
export function isCounted(knowledge: Knowledge, store: StoreId, ack: Acknowledgement): boolean {
  if (!isListed(knowledge, store)) return false
  const { generations, newest } = knowledge
  const { generation, position } = ack
  const end = newest.get(store)
  if (end === undefined || !generations.has(generation)) return true
  return impliedPosition(generations, end, Number.POSITIVE_INFINITY, generation) >= position
}

/**
 * L2: whether no refusal takes it out, since a relay of the list has acknowledged it, be it that this does not count at the
 * moment; or one may have to which an address leads that was not asked yet in this list.
 */
export function isVouchedFor(knowledge: Knowledge, { acks }: Pick<OutboxEntry, 'acks'>): boolean {
  if (acks.size === 0) return false
  const { relays } = copiesMeant(knowledge)
  if (relays === undefined || relays.some(address => !knowledge.met.has(address))) return true
  return [...acks.keys()].some(store => isListed(knowledge, store))
}

/** On how many relays' disks a write is. */
export function countCopies(knowledge: Knowledge, { acks }: OutboxEntry): number {
  let count = 0
  for (const [store, ack] of acks) if (isCounted(knowledge, store, ack)) count += 1
  return count
}
