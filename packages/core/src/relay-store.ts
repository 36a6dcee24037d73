/**
 * The port of a relay's store. All of it is asynchronous, so that a store may be a file, a worker or a server;
 * `commit` is the only way in, and resolves when everything of it is on disk (SPEC A1).
 */
import type { Digest } from './digest.ts'
import type { RejoinError } from './errors.ts'
import type { WriterRecord } from './frames.ts'
import type { Fingerprint } from './fingerprint.ts'
import type { Cursor, Generation, GenerationId, Positions, StoreId } from './generations.ts'
import type { WriterId } from './mark.ts'
import type { DocumentKey, PartName, Row } from './row.ts'

/** A part of a row that has a position of its own in the feed. */
export type FeedPart = PartName | 'deletion' | 'revival'

/** What a relay knows of a text's body without loading it (SPEC X1). */
export interface TextState {
  /** Yjs client -> the clock up to which its structs are known. */
  readonly stateVector: ReadonlyMap<number, number>
  /** Bytes of its snapshot and tail. */
  readonly bytes: number
}

/** A row as a relay holds it: with the positions of its feed at which it and each part last changed. */
export interface HeldRow {
  readonly row: Row
  readonly position: number
  readonly positions: ReadonlyMap<FeedPart, number>
  readonly texts: ReadonlyMap<PartName, TextState>
  /** Of the row, once somebody asked for it: it is taken out of the fingerprint some time after it was put in. */
  digest?: Digest
}

/** What a relay remembers of a peer whose feed it pulls. */
export interface PeerState {
  readonly cursor: Cursor
  /** Rows that were asked for and have not come (SPEC P4). */
  readonly wants: readonly DocumentKey[]
}

/** The part of a space that is not rows. Small; written with every commit. */
export interface SpaceRecord {
  readonly position: number
  readonly fingerprint: Fingerprint
  readonly frontier: Positions
  /** The generation that made the last commit: the parent of the next one. */
  readonly generation: GenerationId
  readonly peers: ReadonlyMap<StoreId, PeerState>
}

export interface LoadedSpace {
  /** Null for a space that the store has never seen. */
  readonly record: SpaceRecord | null
  /** Facts about this store's generations and others', this space's lineage among them. */
  readonly generations: readonly Generation[]
}

export interface SpaceCommit {
  readonly space: string
  readonly record: SpaceRecord
  readonly rows: ReadonlyMap<DocumentKey, HeldRow>
  /** Updates to append to tails, in order; all at the commit's position. */
  readonly texts: readonly {
    readonly key: DocumentKey
    readonly part: PartName
    readonly update: Uint8Array
  }[]
  /** New or changed. */
  readonly writers: readonly WriterRecord[]
  /** New facts. */
  readonly generations: readonly Generation[]
}

/** A body as it lies in a store. */
export interface StoredText {
  /** Up to which position updates are in the snapshot; 0 if there is none. */
  readonly folded: number
  /** The position of the last update. */
  readonly end: number
  /** Snapshot, then tail. */
  readonly updates: readonly Uint8Array[]
}

/** What takes the place of a body up to a position (SPEC X2). */
export interface TextFold {
  readonly space: string
  readonly key: DocumentKey
  readonly part: PartName
  /** What was read to make it. */
  readonly read: StoredText
  readonly snapshot: Uint8Array
  /** The row with the text's new size, else as it is. */
  readonly held: HeldRow
}

export interface FeedRow {
  readonly key: DocumentKey
  readonly held: HeldRow
}

/** A stretch of a feed as new replicas were sent it, for those that come after the relay has begun anew. */
export interface StoredPage {
  /** It has what was behind this position. */
  readonly from: number
  /** And up to this one, with it. */
  readonly to: number
  /** How many rows the feed had there when it was made. */
  readonly rows: number
  /** What who made it says of it. */
  readonly head: string
  /** They do not change any more. */
  readonly frames: readonly Uint8Array[]
}

/**
 * Pages beside the rows that they were made of. Nothing stands on them: what a store loses of them, or has no room for, is
 * made anew, which takes ten times as long as to read it.
 */
export interface PageStore {
  /**
   * The one that begins at a position, and how many of its rows have left its stretch since it was made, which they do when
   * they change. Null if there is none, or if that cannot be told at present.
   */
  at(space: string, from: number): Promise<{ readonly page: StoredPage; readonly left: number } | null>
  /** Where the next one begins behind a position; infinity if there is none. */
  next(space: string, position: number): Promise<number>
  /** Takes the place of those that it overlaps. */
  put(space: string, page: StoredPage): Promise<void>
}

export interface RelayStore {
  /** Names the store; drawn when it was made. */
  readonly id: StoreId
  /** Drawn at this opening, and on disk before `open` resolved (SPEC, Lineage). */
  readonly generation: GenerationId
  /** Whether it was made at this opening: where it lies there was nothing. */
  readonly isNew: boolean
  loadSpace(space: string): Promise<LoadedSpace>
  /** Rows by key; those that the store lacks are left out. */
  rows(space: string, keys: readonly DocumentKey[]): Promise<ReadonlyMap<DocumentKey, HeldRow>>
  /** Rows with a position greater than `after`, by position; at most `limit`, but a commit is never cut in two. */
  feed(space: string, after: number, limit: number): Promise<readonly FeedRow[]>
  /** Every row of a space, in any order, in bounded slices. */
  all(space: string): AsyncIterable<readonly FeedRow[]>
  writers(space: string, ids: readonly WriterId[]): Promise<readonly WriterRecord[]>
  /** Writers that were new or changed after a position, for peers. */
  writersAfter(space: string, after: number): Promise<readonly WriterRecord[]>
  /** A body's updates appended after a position; null if some of those are no longer apart from the snapshot. */
  textTail(
    space: string,
    key: DocumentKey,
    part: PartName,
    after: number,
  ): Promise<readonly Uint8Array[] | null>
  /** A whole body: snapshot, then tail. Empty if there is none. */
  textBody(space: string, key: DocumentKey, part: PartName): Promise<readonly Uint8Array[]>
  /** Bytes of a body's snapshot and of its tail, at little cost. */
  textSize(
    space: string,
    key: DocumentKey,
    part: PartName,
  ): Promise<{ readonly snapshot: number; readonly tail: number }>
  storedText(space: string, key: DocumentKey, part: PartName): Promise<StoredText>
  /**
   * Puts a snapshot in the place of what was read, all or nothing, on disk when it resolves: with false, and nothing
   * changed, if that is not what is there. Later updates stay in the tail. The row is not to change meanwhile.
   */
  fold(fold: TextFold): Promise<boolean>
  readonly pages: PageStore
  /** All or nothing, on disk when it resolves. Rejects with `storage-full` or `storage-closed`; nothing was stored then. */
  commit(commit: SpaceCommit): Promise<void>
  /** Rejects if what is stored is no longer where it was: for whoever is told of it without a commit (SPEC A1). */
  assertKept?(): Promise<void>
  /** Resolves if what is stored is no longer where it was: from then on every commit rejects. */
  readonly gone?: Promise<RejoinError>
  close(): Promise<void>
}
