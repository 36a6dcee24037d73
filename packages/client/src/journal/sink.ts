/**
 * The sink of a journal: the state of a replica, as far as the journal has to know it.
 *
 * A state is what applying chunks in the order of their positions makes. A journal that is compacted has, in
 * place of its chunks up to the floor, pages (the rows of the confirmed layer), bodies of texts, and `remains`:
 * a few chunks that stand for everything else (outbox, quarantine, cursors, wants, frontier, reach, generations,
 * writers). So there is one way into the state, and no second form of it on disk.
 */
import type { Chunk, DocumentKey, PartName, Row } from '@rejoin/core'

/** The confirmed layer's rows. Belongs to the journal, which sees by it what to write into pages. */
export interface RowMap {
  readonly size: number
  get(key: DocumentKey): Row | undefined
  has(key: DocumentKey): boolean
  /** Only from within `apply`, `skip` and `reset`. */
  set(key: DocumentKey, row: Row): void
  delete(key: DocumentKey): void
  keys(): Iterable<DocumentKey>
  keysOf(collection: string): Iterable<DocumentKey>
}

/** The confirmed bodies of texts. Belongs to the journal; what is not compacted yet is held in memory. */
export interface TextBodies {
  /** Adds an update to a confirmed body. Only from within `apply`. */
  add(key: DocumentKey, part: PartName, update: Uint8Array): void
  /** A confirmed body: updates in any order, some perhaps twice, as Yjs allows. */
  read(key: DocumentKey, part: PartName): Promise<readonly Uint8Array[]>
}

export interface JournalSink {
  /** Takes in one chunk: each once, in the order of positions. May call `rows.set` and `texts.add`. */
  apply(position: number, chunk: Chunk): void
  /**
   * Begins anew: the confirmed layer is `rows`; everything else is what applying `remains` to an empty state makes.
   * Own writes that are not on disk yet (whose `write` has not resolved) stay. Always called before anything else.
   */
  reset(rows: RowMap, texts: TextBodies, remains: readonly Chunk[]): void
  /**
   * Goes ahead over chunks that are gone: `changed` are rows of the confirmed layer to be joined into it; everything
   * else is replaced by what `remains` make, as in `reset`. Bodies whose text cell changed must be read again.
   */
  skip(changed: Iterable<readonly [DocumentKey, Row]>, remains: readonly Chunk[]): void
  /**
   * Everything but rows and bodies, as chunks that make it when they are applied in order to an empty state that has
   * those rows: own chunks with the transactions of outbox and quarantine, verdicts that stand for them, and pulled
   * chunks without rows for cursors, wants, frontier (`replace`), reach, generations and writers. Exactly as of the
   * last position that was applied: nothing of own writes that are not on disk yet.
   */
  remains(): readonly Chunk[]
}
