/** Everything of a replica's state but its layers: how far it has seen, of whom it knows, and what was refused. */
import type { Failure } from '../errors.ts'
import type { WriterRecord } from '../frames.ts'
import {
  noPositions,
  type Cursor,
  type Generation,
  type GenerationId,
  type Positions,
  type StoreId,
} from '../generations.ts'
import type { WriterId } from '../mark.ts'
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
  frontier: Positions
  reach: Positions
  wants: readonly DocumentKey[]
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
    frontier: noPositions,
    reach: noPositions,
    wants: [],
    pulledAt: 0,
  }
}
