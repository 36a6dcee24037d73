/**
 * Chunks: what a client's journal holds. The journal's key is the feed position, so all tabs of a replica share
 * one order; a replica's state is what applying its chunks in that order makes (see replica/replica.ts).
 */
import type { Failure } from './errors.ts'
import type { TextMove } from './field.ts'
import type { Fingerprint } from './fingerprint.ts'
import type { ChangedRow, WriterRecord } from './frames.ts'
import type { Cursor, Generation, GenerationId, Positions, StoreId } from './generations.ts'
import type { Mark, WriterId } from './mark.ts'
import type { Copies } from './outbox.ts'
import type { DocumentKey, PartName } from './row.ts'
import type { Transaction, TransactionId } from './write.ts'

/** Own writes as made, transactions whole, in order. Strict. */
export interface OwnChunk {
  readonly kind: 'own'
  readonly transactions: readonly Transaction[]
}

/** Parts of rows as on the wire, with the cursor that they reach, so that both are lost together or not at all (SPEC P1, P3). */
export interface PulledChunk {
  readonly kind: 'pulled'
  readonly store: StoreId
  readonly rows: readonly ChangedRow[]
  /** Updates of texts that waited until what was asked for had come; their cells are in `rows` (SPEC X3). */
  readonly texts: readonly {
    readonly key: DocumentKey
    readonly part: PartName
    readonly update: Uint8Array
  }[]
  /** Where the pull is after it; null if the chunk does not move it. */
  readonly cursor: Cursor | null
  /** All rows that are asked for and outstanding after it, remembered where the cursor moves (SPEC P4). */
  readonly wants: readonly DocumentKey[]
  /** Who writers are, where somebody asked. */
  readonly writers: readonly WriterRecord[]
  readonly generations: readonly Generation[]
  /** At a cut with nothing outstanding: the source's frontier, to be joined; or of a join, to be taken instead. */
  readonly frontier: { readonly positions: Positions; readonly how: 'join' | 'replace' } | null
  /** The reach after it, or null if it stays. */
  readonly reach: Positions | null
  /** When it was stored, by the corrected clock: what rule D2 counts from. */
  readonly at: number
}

export interface StoredVerdict {
  readonly id: TransactionId
  readonly outcome:
    | { readonly kind: 'acknowledged'; readonly shows: 'yes' | 'lost' | 'hidden' }
    | { readonly kind: 'refused'; readonly error: Failure; readonly write: number }
}

/** What a relay answered, up to one commit of it. Relaxed: it can be asked again (SPEC A4). */
export interface VerdictsChunk {
  readonly kind: 'verdicts'
  readonly store: StoreId
  readonly generation: GenerationId
  readonly position: number
  /** Whether the pull is at this position too: the commit held nothing else, and what comes next comes after it. */
  readonly cut: boolean
  readonly verdicts: readonly StoredVerdict[]
  /** All rows that are asked for and outstanding after it (SPEC L2). */
  readonly wants: readonly DocumentKey[]
}

/** Writes made anew (SPEC W6). Strict, by the holder of the tab lock. */
export interface RemadeChunk {
  readonly kind: 'remade'
  /** The position up to which it was made over the journal: own writes may have come between that and this chunk. */
  readonly seen: number
  /** Old writers, which are not used again, and those that stand for them in what was made anew. */
  readonly writers: readonly { readonly from: WriterId; readonly to: WriterId }[]
  /** In the order of the outbox; each takes the place of the old one, or leaves it empty where no write remains. */
  readonly transactions: readonly { readonly from: TransactionId; readonly to: Transaction }[]
  /** Those that have nothing to stand on any more. */
  readonly quarantined: readonly { readonly id: TransactionId; readonly error: Failure }[]
}

/**
 * A text of a write that was made anew, or that left for the quarantine: what was typed before its tab heard of that
 * still builds on it (SPEC X9).
 */
export interface RemadeText extends TextMove {
  readonly key: DocumentKey
  readonly part: PartName
  /** The position of the chunk that did it. */
  readonly position: number
}

/** A write that was made anew: what its tabs wrote before they heard of that still names its old mark (SPEC W6). */
export interface RemadeMark {
  readonly key: DocumentKey
  /** The cells that it wrote. */
  readonly parts: readonly PartName[]
  /** The position of the chunk that did it. */
  readonly position: number
  readonly old: Mark
  readonly now: Mark
}

/**
 * Nobody waits for these any more: a quarantined transaction was thrown away or sent again (as new own writes) by a
 * person or the application, strict; or one in the outbox has waited long enough for relays that did not come (SPEC L2).
 */
export interface SettledChunk {
  readonly kind: 'settled'
  readonly ids: readonly TransactionId[]
}

/**
 * Where a relay's address leads: from now on to this store, and to no other one before it. Of a replica that speaks with
 * several relays at once, ahead of what that store is asked and answers: so it is known which acknowledgements are those of the
 * relays that it is given, and what is not asked for any more (SPEC L2, P4).
 */
export interface MetChunk {
  readonly kind: 'met'
  readonly address: string
  readonly store: StoreId
  /** What the tab with the connection is given; from now on it goes for all tabs, of which an older one may be given another list. */
  readonly copies: Copies
}

/**
 * Tombstones that leave the confirmed layer (SPEC D2). A chunk, so that every tab forgets at the same position: a
 * part of such a row that comes later is then asked for whole by all of them or by none. Applying it removes the
 * rows whatever they hold by then, so that a replay over newer pages ends with just what came after it. Under the
 * fence; whoever appends it has applied everything of the relay that it stored before.
 */
export interface ForgottenChunk {
  readonly kind: 'forgotten'
  readonly keys: readonly DocumentKey[]
}

/**
 * Everything of a replica's state but its rows, as it was when pages were written: it stands in the base record,
 * so that what the pages hold needs no chunk below the floor, the outbox and the quarantine included.
 */
export interface SnapshotChunk {
  readonly kind: 'snapshot'
  readonly cursors: ReadonlyMap<StoreId, Cursor>
  readonly frontier: Positions
  readonly reach: Positions
  readonly generations: readonly Generation[]
  /** The generation of each relay that was heard of last. */
  readonly newest: ReadonlyMap<StoreId, GenerationId>
  readonly fingerprint: Fingerprint
  /** Where the addresses of relays lead. */
  readonly met: ReadonlyMap<string, StoreId>
  /** Which relays are meant, as the tab with the connection was given them; null while none has said so. */
  readonly copies: Copies | null
  /** By the relay of whose feed they are. */
  readonly wants: ReadonlyMap<StoreId, readonly DocumentKey[]>
  readonly writers: readonly WriterRecord[]
  readonly outbox: readonly {
    readonly transaction: Transaction
    readonly position: number
    readonly acks: readonly {
      readonly store: StoreId
      readonly generation: GenerationId
      readonly position: number
    }[]
    readonly refusedBy: readonly StoreId[]
  }[]
  readonly quarantine: readonly { readonly transaction: Transaction; readonly error: Failure }[]
  /** Writers of what has been in the outbox, the latest of them. */
  readonly own: readonly WriterId[]
  /** Writers that were made anew, the first first, and the position up to which that was first done. */
  readonly retired: ReadonlyMap<WriterId, number>
  /** Texts that were made anew, the first first. */
  readonly remade: readonly RemadeText[]
  /** Writes that were, the first first. */
  readonly remadeMarks: readonly RemadeMark[]
  /** Writers in conflicts of whom no relay has said who they are, the latest of them (SPEC K3). */
  readonly strangers: readonly WriterId[]
}

export type Chunk =
  | OwnChunk
  | PulledChunk
  | VerdictsChunk
  | RemadeChunk
  | SettledChunk
  | ForgottenChunk
  | MetChunk
  | SnapshotChunk
