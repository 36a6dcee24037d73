/** Everything of a replica's state but its layers: how far it has seen, of whom it knows, and what was refused. */
import type { Failure } from '../errors.ts'
import type { WriterRecord } from '../frames.ts'
import {
  impliedPosition,
  noPositions,
  type Cursor,
  type Generation,
  type GenerationId,
  type Positions,
  type StoreId,
} from '../generations.ts'
import type { WriterId } from '../mark.ts'
import type { Acknowledgement, OutboxEntry } from '../outbox.ts'
import { createRemadeTexts, type RemadeTextsKept } from '../remade-texts.ts'
import type { DocumentKey } from '../row.ts'
import type { Transaction, TransactionId } from '../write.ts'

export interface QuarantinedTransaction {
  readonly transaction: Transaction
  readonly error: Failure
}

export interface Knowledge {
  readonly cursors: Map<StoreId, Cursor>
  readonly generations: Map<GenerationId, Generation>
  readonly writers: Map<WriterId, WriterRecord>
  readonly quarantine: Map<TransactionId, QuarantinedTransaction>
  readonly retired: Set<WriterId>
  readonly remade: RemadeTextsKept
  /** Rows that are asked for and outstanding, by the relay of whose feed they are (SPEC P4). */
  readonly wants: Map<StoreId, readonly DocumentKey[]>
  /** The generation of each relay that was heard of last: its lineage says which acknowledgements count. */
  readonly newest: Map<StoreId, GenerationId>
  frontier: Positions
  reach: Positions
  /** When the last pulled chunk was stored, by its own word; 0 if it was before the floor of the journal. */
  pulledAt: number
}

export function createKnowledge(): Knowledge {
  return {
    cursors: new Map(),
    generations: new Map(),
    writers: new Map(),
    quarantine: new Map(),
    retired: new Set(),
    remade: createRemadeTexts(),
    wants: new Map(),
    newest: new Map(),
    frontier: noPositions,
    reach: noPositions,
    pulledAt: 0,
  }
}

/** A relay spoke in this generation: it is the newest, unless it is the past of one that was heard of. */
export function hearOf({ generations, newest }: Knowledge, store: StoreId, generation: GenerationId): void {
  if (!generations.has(generation)) return
  const known = newest.get(store)
  if (known === undefined || impliedPosition(generations, generation, 0, known) === 0)
    newest.set(store, generation)
}

/** Rows that are asked for, of whichever relay. */
export function allWants({ wants }: Knowledge): readonly DocumentKey[] {
  return [...new Set([...wants.values()].flat())]
}

/**
 * Whether an acknowledgement counts: while its position is in that relay's lineage (SPEC L2). One of a generation of which
 * nothing is known here is newer than what is known.
 */
export function isCounted({ generations, newest }: Knowledge, store: StoreId, ack: Acknowledgement): boolean {
  const { generation, position } = ack
  const end = newest.get(store)
  if (end === undefined || !generations.has(generation)) return true
  return impliedPosition(generations, end, Number.POSITIVE_INFINITY, generation) >= position
}

/** On how many relays' disks a write is. */
export function countCopies(knowledge: Knowledge, { acks }: OutboxEntry): number {
  let count = 0
  for (const [store, ack] of acks) if (isCounted(knowledge, store, ack)) count += 1
  return count
}
