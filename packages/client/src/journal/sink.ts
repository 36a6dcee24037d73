/**
 * The sink of a journal: the state of a replica, as far as the journal has to know it.
 *
 * A state is what applying chunks in the order of their positions makes. A journal that is compacted has, in place
 * of its chunks up to the floor, pages (rows of the confirmed layer), bodies of texts, and one snapshot chunk that
 * stands for everything else. `ReplicaState` of the core has all of this; a shell wraps it to hear what changed.
 */
import type { Bodies, Chunk, DocumentKey, Row, RowMap, SnapshotChunk } from '@rejoin/core'

export interface JournalSink {
  /** Takes in one chunk: each once, in the order of positions. */
  apply(position: number, chunk: Chunk): void
  /**
   * Begins anew from pages: the confirmed layer is `rows`, encoded or not; everything else is the snapshot. Own writes
   * that are not on disk yet (whose `write` has not resolved) stay. With `isNewer`, a compaction was interrupted and
   * some rows hold what chunks above the position bring, so the snapshot's fingerprint is not theirs: count anew.
   */
  load(rows: RowMap, snapshot: SnapshotChunk, position: number, isNewer: boolean): void
  /**
   * Goes ahead over chunks that are gone, which is `load` without reading what this tab has: `changed` are confirmed
   * rows to be joined, keeping count of the fingerprint; the rest becomes the snapshot (an outbox entry that it lacks
   * was settled). Own writes that are not on disk yet stay. Bodies whose text cell changed must be read again.
   */
  skip(changed: Iterable<readonly [DocumentKey, Row]>, snapshot: SnapshotChunk, position: number): void
  /** Everything but rows and bodies, exactly as of the last position applied; nothing that is not on disk yet. */
  snapshot(): SnapshotChunk
  confirmed(key: DocumentKey): Row | undefined
  /** Confirmed rows that changed in chunks after a position. */
  changedAfter(position: number): readonly DocumentKey[]
  /** Confirmed updates of texts that came in chunks and are not known to be beside the pages. */
  readonly bodies: Pick<Bodies, 'updatesOf' | 'upTo' | 'isForgotten' | 'forgottenUpTo'>
  /** Pages and texts hold everything up to this position now: what was remembered for them may go. */
  written(upTo: number): void
}
