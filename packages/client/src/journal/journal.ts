/**
 * The journal of a replica: one order for everything that its tabs write, on any `Storage`.
 */
import type {
  Chunk,
  DocumentKey,
  Locks,
  OpenChannel,
  PartName,
  RejoinError,
  Runtime,
  Storage,
  Transaction,
} from '@rejoin/core'
import type { Fence } from './fence.ts'
import type { JournalSink } from './sink.ts'

export interface JournalOptions {
  /** Names lock and channel; the tabs of one replica use the same. */
  readonly name: string
  /** Opened with `journalVersion` and `journalStores`. Belongs to the journal from now on. */
  readonly storage: Storage
  readonly runtime: Runtime
  readonly locks: Locks
  readonly openChannel: OpenChannel
  readonly sink: JournalSink
  /** One update that holds all of these; without it bodies stay lists of updates. */
  readonly mergeTexts?: ((updates: readonly Uint8Array[]) => Uint8Array) | undefined
  /** Own writes cannot be stored at the moment (null: they can again). They stay queued; `flush` tries again. */
  readonly onFault?: ((error: RejoinError | null) => void) | undefined
  /** Called between the steps of a compaction, so that a test can stop there. */
  readonly step?: ((step: CompactionStep) => Promise<void>) | undefined
}

export type CompactionStep = 'read' | 'page' | 'pages' | 'texts' | 'snapshot' | 'floor' | 'deleted' | 'folded'

/** Permission to forget tombstones (SPEC D2), given only in a session, after S3. */
export interface Forgetting {
  /** T before now, by the corrected clock. */
  readonly before: number
  /** Not if the outbox touches it, nor if a writer still in use has written it. */
  may(key: DocumentKey): boolean
}

export interface Journal {
  /** Everything up to this position is applied. */
  readonly seen: number
  /** A confirmed body: updates in any order, some perhaps twice, as Yjs allows. */
  readBody(key: DocumentKey, part: PartName): Promise<readonly Uint8Array[]>
  /**
   * Stores own writes, strict. Everything of one tick, and what comes while a commit is in flight, becomes one chunk.
   * Resolves with its position when it is on disk and applied. If it cannot be stored (`storage-full`), it waits at
   * the head of the queue; rejects only when the journal is closed or its store lost.
   */
  write(transaction: Transaction): Promise<number>
  /** Tries again to store what is queued; resolves when nothing is. Rejects with what stands in the way. */
  flush(): Promise<void>
  /**
   * Stores one chunk; resolves with its position when it is on disk (or, relaxed, handed over) and applied.
   * Rejects with `StorageCollision` if the fence was taken over; nothing was stored then.
   */
  append(
    chunk: Chunk,
    options: { readonly durability: 'strict' | 'relaxed'; readonly fence?: Fence | undefined },
  ): Promise<number>
  /** Takes the fence of the tab lock. Everything that a holder appends bears it. */
  takeFence(): Promise<Fence>
  /** Applies what others wrote: at open, on `pageshow`, on a time jump, every 2 s while visible. */
  read(): Promise<void>
  /** What a compaction would do by what this tab knows. */
  due(): 'pages' | 'fold' | null
  /** `busy`: another tab is at it. `fenced`: another tab took over while it was going on; nothing is amiss. */
  compact(options?: {
    readonly force?: 'pages' | 'fold' | undefined
    readonly forget?: Forgetting | undefined
  }): Promise<'pages' | 'fold' | 'nothing' | 'busy' | 'fenced'>
  /** On `pagehide`: closes the channel, which would keep the page out of the back-forward cache. */
  pause(): void
  /** On `pageshow`: listens again and reads. */
  resume(): Promise<void>
  /** Stores what is queued if it can, then closes the storage. */
  close(): Promise<void>
}
