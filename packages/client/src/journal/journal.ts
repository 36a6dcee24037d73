/**
 * The journal of a replica: one order for everything that its tabs write, on any `Storage`.
 *
 * Invariant: a position names one chunk for all tabs; each tab's sink gets every chunk once, in the order of
 * positions, its own ones too, and only after they are stored. Who heard of a chunk when, decides nothing.
 */
import {
  encodeChunk,
  RejoinError,
  StorageCollision,
  withMethods,
  type Chunk,
  type DocumentKey,
  type Locks,
  type OpenChannel,
  type PartName,
  type Runtime,
  type Storage,
  type StorageRequest,
  type Transaction,
} from '@rejoin/core'
import { createAnnouncements } from './announcements.ts'
import { discardBelow, writePages } from './compact.ts'
import { takeFence, type Fence } from './fence.ts'
import { foldChunks } from './fold.ts'
import { forgetTombstones, type Forgetting } from './forget.ts'
import { createGatherer, type WriteHeed } from './gather.ts'
import type { JournalLook } from './look.ts'
import { createReader, type Reader } from './reader.ts'
import type { JournalSink } from './sink.ts'
import { decodeStoredChunk } from './stored.ts'
import { readBody, type MergeTexts } from './text-bodies.ts'

export interface JournalOptions {
  /** Names lock and channel; the tabs of one replica use the same. */
  readonly name: string
  /** Opened with `journalVersion` and `journalStores`. Belongs to the journal from now on. */
  readonly storage: Storage
  /** What stood in it when it was opened, if that was asked for at once. */
  readonly first?: Promise<JournalLook> | undefined
  readonly runtime: Runtime
  readonly locks: Locks
  readonly openChannel: OpenChannel
  readonly sink: JournalSink
  /** Joins what is stored of a body; without it bodies stay lists of updates. */
  readonly mergeTexts?: MergeTexts | undefined
  /** Own writes cannot be stored at the moment (null: they can again). They stay queued; `flush` tries again. */
  readonly onFault?: ((error: RejoinError | null) => void) | undefined
  /** There is what this version cannot read: this tab comes no further, and others do. */
  readonly onUnreadable?: ((error: RejoinError) => void) | undefined
  /** A row cannot be read, and is left out; told in the middle of whatever touched it. */
  readonly onDamaged?: ((key: DocumentKey) => void) | undefined
  /** Called between the steps of a compaction, so that a test can stop there. */
  readonly step?: ((step: CompactionStep) => Promise<void>) | undefined
}

export type CompactionStep = 'read' | 'page' | 'pages' | 'texts' | 'snapshot' | 'floor' | 'deleted' | 'folded'

export interface Journal {
  /** Everything up to this position is applied. */
  readonly seen: number
  /** A confirmed body: updates in any order, some perhaps twice, as Yjs allows. */
  readBody(key: DocumentKey, part: PartName): Promise<readonly Uint8Array[]>
  /**
   * Stores own writes, strict. Everything of one tick, and what comes while a commit is in flight, becomes one chunk.
   * Tells its position when it is on disk and applied. If it cannot be stored, it waits at the head of the queue;
   * fails only when the journal is closed or its store lost. `bytes`: how many it takes at most, if that is known.
   */
  write(transaction: Transaction, heed: WriteHeed, bytes?: number): void
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
  /** Takes the fence of the tab lock and reads what was stored before. Everything that a holder appends bears it. */
  takeFence(): Promise<Fence>
  /** Applies what others wrote: at open, on `pageshow`, on a time jump, every 2 s while visible. */
  read(): Promise<void>
  /** What a compaction would do by what this tab knows. */
  due(): 'pages' | 'fold' | 'discard' | null
  /** `busy`: another tab is at it. `fenced`: another tab took over while it was going on; nothing is amiss. */
  compact(force?: 'pages' | 'fold'): Promise<'pages' | 'fold' | 'nothing' | 'busy' | 'fenced'>
  /**
   * Forgets tombstones (SPEC D2); says how many. By the holder of the tab lock, in a session, after S3. Reads all
   * pages: for once a day.
   */
  forget(forgetting: Forgetting): Promise<number>
  /**
   * On `pagehide`: hands everything that is written to the storage at once, since the page may go away with what
   * waits, and closes the channel, which would keep the page out of the back-forward cache.
   */
  pause(): void
  /** On `pageshow`: listens again and reads. */
  resume(): Promise<void>
  /** The store is gone: refuses what is queued, and what is written from now on. */
  giveUp(error: RejoinError): void
  /** Stores what is queued if it can, then closes the storage. */
  close(): Promise<void>
}

/** Small chunks that are worth folding: each costs about 0.02 ms at every opening. */
const foldAt = 500
/** Pages are not worth writing for a journal below this, or below a quarter of what is written already. */
const pagesAtBytes = 1024 * 1024

/** A journal that has read nothing yet and hears of others: `read` is the next call. */
export function createJournal(options: JournalOptions): Journal {
  const { name, storage, runtime, locks, sink, step = async () => {} } = options
  const reader = createReader(storage, sink, runtime, options.first ?? null, {
    unreadable: error => options.onUnreadable?.(error),
    damaged: key => options.onDamaged?.(key),
    read(position, chunk) {
      if (chunk.kind === 'own') gatherer.met(chunk.transactions, position)
    },
  })
  const gatherer = createGatherer(
    appendAll,
    fault => options.onFault?.(fault),
    () => reader.read().catch(ignoreStorage),
  )
  const announcements = createAnnouncements({
    name,
    openChannel: options.openChannel,
    seen: () => reader.seen,
    onStored: hear,
  })
  announcements.open()
  let isClosed = false

  /** Stores encoded chunks in one transaction; resolves with the position of each. */
  function add(
    encoded: readonly Uint8Array[],
    { durability, fence }: Parameters<Journal['append']>[1],
  ): Promise<readonly number[]> {
    const requests = encoded.map(
      (bytes): StorageRequest => ({ op: 'add', store: 'journal', value: { bytes } }),
    )
    // Several without an early commit, so that they are one transaction in Firefox too.
    const request = { stores: ['journal'], durability, early: requests.length === 1, requests }
    const answers = fence?.transact(request) ?? storage.transact({ ...request, mode: 'readwrite' })
    return answers as Promise<readonly number[]>
  }

  /** A chunk of this tab is stored: applies it, and returns null, or what is to be waited for until it is. */
  function added(position: number, chunk: Chunk, bytes: Uint8Array): Promise<void> | null {
    announcements.announce(position, bytes)
    if (reader.take(position, bytes.length, () => chunk)) return null
    // It is stored, whatever keeps this tab from reading what lies before it; the next read brings both.
    return reader.readTo(position).catch(ignoreStorage)
  }

  async function appendAll(chunks: readonly Chunk[]): Promise<readonly number[]> {
    if (isClosed) throw closedError(name)
    const encoded = chunks.map(encodeChunk)
    const positions = await add(encoded, { durability: 'strict' })
    for (const [i, position] of positions.entries()) {
      const [chunk, bytes] = [chunks[i], encoded[i]]
      if (chunk === undefined || bytes === undefined) continue
      const reading = added(position, chunk, bytes)
      if (reading !== null) await reading
    }
    return positions
  }

  /** What a relay sent comes alone, and as often as somebody writes. */
  const append: Journal['append'] = async (chunk, options) => {
    if (isClosed) throw closedError(name)
    const bytes = encodeChunk(chunk)
    const [position = 0] = await add([bytes], options)
    const reading = added(position, chunk, bytes)
    if (reading !== null) await reading
    return position
  }

  function hear(position: number, bytes: Uint8Array | null): void {
    if (bytes !== null && takeAnnounced(position, bytes)) return
    reader.readTo(position).catch(ignoreStorage)
  }

  /** What a tab of a newer version says may be beyond this one; then the next look at the journal meets it and tells. */
  function takeAnnounced(position: number, bytes: Uint8Array): boolean {
    try {
      return reader.take(position, bytes.length, () => decodeStoredChunk(bytes))
    } catch (error) {
      ignoreStorage(error)
      return false
    }
  }

  function due(): ReturnType<Journal['due']> {
    const { base, tail } = reader
    if (tail.bytes > Math.max(pagesAtBytes, (base.pageBytes + base.snapshotBytes) / 4)) return 'pages'
    if (tail.smallChunks >= foldAt) return 'fold'
    return reader.meetsGarbage ? 'discard' : null
  }

  async function compactGuarded(force: 'pages' | 'fold' | undefined): Promise<'pages' | 'fold' | 'nothing'> {
    const fence = await takeFence(storage, 'runs', runtime)
    try {
      return await compactUnder(fence, force)
    } finally {
      fence.release()
    }
  }

  async function compactUnder(
    fence: Fence,
    force: 'pages' | 'fold' | undefined,
  ): Promise<'pages' | 'fold' | 'nothing'> {
    // What this tab knew may be stale: another one may have done it. From here on nobody else does.
    await reader.read()
    const what = force ?? due()
    if (what === 'pages') {
      const { mergeTexts } = options
      const isWritten = await writePages({ storage, fence, reader, sink, mergeTexts, step })
      return isWritten ? 'pages' : 'nothing'
    }
    if (what === 'discard') await discardBelow({ storage, reader })
    if (what !== 'fold') return 'nothing'
    const atLeast = force === 'fold' ? 2 : foldAt
    const { found, left } = await foldChunks({ storage, fence, floor: reader.base.floor, atLeast, step })
    reader.tail.count(left)
    return left < found ? 'fold' : 'nothing'
  }

  const journal: Omit<Journal, 'seen'> & { readonly reader: Reader } = {
    reader,
    readBody: (key, part) => readBody(storage, sink, key, part),
    write: gatherer.write,
    giveUp: gatherer.stop,
    flush: gatherer.flush,
    append,
    async takeFence() {
      const fence = await takeFence(storage, 'terms', runtime)
      // What the holder before stored last it may have told nobody, if it died then; a session rests on all of it.
      await reader.read()
      return fence
    },
    read() {
      announcements.seek()
      return reader.read()
    },
    due,
    async compact(force) {
      if (force === undefined && due() === null) return 'nothing'
      let running: ReturnType<Journal['compact']> = Promise.resolve('busy')
      const lock = locks.request(`${name} compaction`, { ifAvailable: true }, async got => {
        if (!got) return
        running = compactGuarded(force).catch((error: unknown) => {
          if (error instanceof StorageCollision) return 'fenced'
          throw error
        })
        await running.catch(() => {})
      })
      // The lock may be stolen by who believes this tab to be frozen; then the fence stops it.
      await lock.done.catch(() => {})
      return running
    },
    forget: forgetting =>
      forgetTombstones(forgetting, storage, sink, reader, chunk =>
        append(chunk, { durability: 'relaxed', fence: forgetting.fence }),
      ),
    pause() {
      gatherer.hurry()
      announcements.close()
    },
    async resume() {
      gatherer.linger()
      // Before the first read, so that nothing falls between.
      announcements.open()
      announcements.seek()
      await reader.read()
    },
    async close() {
      if (isClosed) return
      await gatherer.flush().catch(() => {})
      isClosed = true
      gatherer.stop(closedError(name))
      announcements.close()
      storage.close()
    },
  }
  return withMethods(journal, seenByReader)
}

const seenByReader: Pick<Journal, 'seen'> & ThisType<{ readonly reader: Reader }> = {
  get seen() {
    return this.reader.seen
  },
}

/** A store that does not answer is told by `onLost` and by the next call; a bug is not to be lost here. */
function ignoreStorage(error: unknown): void {
  if (!(error instanceof RejoinError)) throw error
}

function closedError(name: string): RejoinError {
  return new RejoinError(
    'closed',
    { what: name },
    `the journal of ${name} was closed; open the replica again`,
  )
}
