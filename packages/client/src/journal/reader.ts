/**
 * Reading: how a tab takes in what it and others wrote, each chunk once, in the order of positions.
 *
 * Three ways, cheapest first, by the rule that a peer's cursor obeys too. A tab that has seen the floor applies the
 * journal's chunks; one behind it joins the pages that changed since; one behind `purged` (rows that it holds were
 * perhaps forgotten since), and a new one, takes all pages into a new map. A message with the very next position is applied
 * at once, since that proves that nothing lies between; any other one only says that there is something to read.
 *
 * Floor and journal are read in one transaction, so what a compaction moves is met on one side or the other. Where one has
 * written some pages and not moved the floor yet, what they hold shows together with the chunks that brought it (SPEC W2).
 */
import {
  assert,
  type RejoinError,
  type Chunk,
  type DocumentKey,
  type Row,
  type Runtime,
  type SnapshotChunk,
  type Storage,
  type StorageRequest,
} from '@rejoin/core'
import { createLazyRows } from './lazy-rows.ts'
import {
  chunksIn,
  chunksPerRead,
  lookIntoJournal,
  readAbove,
  type JournalLook,
  type StoredChunk,
} from './look.ts'
import { keysOfPage, rowOfPage, type PageRecord } from './page.ts'
import type { JournalSink } from './sink.ts'
import { decodeStoredChunk, decodeStoredRow, isUnreadable, unreadableStore } from './stored.ts'
import { emptyBase, type BaseRecord } from './stores.ts'
import { createTail, type Tail } from './tail.ts'

export interface Reader {
  readonly seen: number
  readonly base: BaseRecord
  /** What is known of the journal above the floor. */
  readonly tail: Tail
  /** Whether chunks were met that pages hold: their deletion is going on, or was lost with the power or its tab. */
  readonly meetsGarbage: boolean
  /** They are gone. */
  discarded(): void
  /** Applies everything that is in the journal at the time of the call. */
  read(): Promise<void>
  /** Reads until a position is applied, or until a whole read did not bring it. */
  readTo(position: number): Promise<void>
  /** Applies a chunk if it is the very next one and nothing is being read; says whether it is applied. */
  take(position: number, bytes: number, chunk: () => Chunk): boolean
  /** After a compaction of this tab: everything up to the new floor is in pages. */
  rebase(base: BaseRecord): void
}

/** Bounds what one transaction brings into memory. */
const pagesPerRead = 32
/** So long chunks are applied in one go: then the page may draw, and hear who uses it. */
const sliceMs = 30

/** Who is told of what was met. */
export interface ReadingHeed {
  /** A chunk was read from the disk, and is applied. */
  read(position: number, chunk: Chunk): void
  /** It comes no further, whatever it tries. */
  unreadable(error: RejoinError): void
  /** A row cannot be read; told when it is touched, in the middle of whatever does so. */
  damaged(key: DocumentKey): void
}

/** `first`: a look that was begun as soon as the storage was open. */
export function createReader(
  storage: Storage,
  sink: JournalSink,
  runtime: Pick<Runtime, 'monotonic'>,
  first: Promise<JournalLook> | null,
  heed: ReadingHeed,
): Reader {
  const tail = createTail()
  let isOpening = true
  let running: Promise<void> | null = null
  let following: Promise<void> | null = null

  function apply(position: number, bytes: number, isFolded: boolean, chunk: Chunk): void {
    tail.add(position, bytes, isFolded, chunk)
    reader.seen = position
    sink.apply(position, chunk)
  }

  function rebase(next: BaseRecord): void {
    if (next.floor > reader.base.floor) {
      sink.written(next.floor)
      tail.drop(next.floor)
      tail.remember(next.times)
    }
    reader.base = next
  }

  async function run(): Promise<void> {
    let isFirst = first !== null
    let looking: Promise<JournalLook> | null = first ?? lookIntoJournal(storage, reader.seen)
    first = null
    while (looking !== null) {
      const { current, keys, records }: JournalLook = await looking
      if (reader.seen < current.floor) {
        reader.meetsGarbage ||= (keys[0] ?? Number.POSITIVE_INFINITY) <= current.floor
        await readPages(current)
        looking = lookIntoJournal(storage, reader.seen)
      } else {
        if (current !== emptyBase) rebase(current)
        // Since the first look, which came before anything else, others may have stored something and told nobody. The
        // next one is made while what this one found is applied.
        const isMore: boolean = isFirst || keys.length === chunksPerRead
        looking = isMore ? lookIntoJournal(storage, keys.at(-1) ?? reader.seen) : null
        looking?.catch(() => {})
        await applyAll(chunksIn(keys, records))
      }
      isFirst = false
    }
    isOpening = false
  }

  async function applyAll(chunks: Iterable<StoredChunk>): Promise<void> {
    let since = runtime.monotonic()
    for (const chunk of chunks) {
      if (chunk.position <= reader.seen) continue
      if (runtime.monotonic() - since > sliceMs) {
        await breathe()
        since = runtime.monotonic()
      }
      applyStored(chunk)
    }
  }

  function applyStored({ position, bytes, isFolded }: StoredChunk): void {
    const chunk = decodeStoredChunk(bytes)
    apply(position, bytes.length, isFolded, chunk)
    heed.read(position, chunk)
  }

  /** All is as of the floor; of a compaction that has not ended, some rows are as of a later position. */
  function stand(current: BaseRecord, above: readonly StoredChunk[], newest: number): void {
    reader.seen = current.floor
    rebase(current)
    for (const chunk of above)
      if (chunk.position > reader.seen && chunk.position <= newest) applyStored(chunk)
  }

  /** By a look into the store, since a page that is hidden would wait a second for a timer. */
  async function breathe(): Promise<void> {
    const look: StorageRequest = { op: 'get', store: 'meta', key: 'base' }
    await storage.transact({ stores: ['meta'], mode: 'readonly', early: true, requests: [look] })
  }

  /** Moves `seen` to the floor, unless the floor moved meanwhile: then it is looked at again. */
  async function readPages(current: BaseRecord): Promise<void> {
    const { seen } = reader
    if (seen === 0 || seen < current.purged || !(await readChangedPages(current))) await readAllPages(current)
  }

  async function readChangedPages(current: BaseRecord): Promise<boolean> {
    const { seen } = reader
    const limit = Math.max(pagesPerRead, Math.ceil(current.pages / 4))
    const [found, after, stored] = await storage.transact({
      stores: ['pages', 'meta'],
      mode: 'readonly',
      early: true,
      requests: [
        { op: 'getAll', store: 'pages', index: 'at', range: { lower: seen, lowerOpen: true }, limit },
        { op: 'get', store: 'meta', key: 'base' },
        { op: 'get', store: 'meta', key: ['snapshot', current.floor] },
      ],
    })
    if ((after as BaseRecord).floor !== current.floor || (after as BaseRecord).purged !== current.purged)
      return true
    const pages = found as readonly PageRecord[]
    // Many changed: to take all of them undecoded is cheaper than to join these.
    if (pages.length === limit) return false
    const changed = changedRows(pages, seen)
    if (changed === null) return false
    const newest = newestOf(pages)
    const above = await readAbove(storage, current, newest)
    if (above === null) return true
    sink.skip(changed, decodeSnapshot(stored), current.floor)
    stand(current, above, newest)
    return true
  }

  /** Null if one is damaged: who takes all pages finds out which. */
  function changedRows(
    pages: readonly PageRecord[],
    since: number,
  ): readonly (readonly [DocumentKey, Row])[] | null {
    const changed: (readonly [DocumentKey, Row])[] = []
    for (const page of pages) {
      for (const [i, key] of keysOfPage(page).entries()) {
        if (Math.abs(page.positions[i] ?? 0) <= since) continue
        const row = decodeStoredRow(rowOfPage(page, i))
        if (row === undefined) return null
        changed.push([key, row])
      }
    }
    return changed
  }

  async function readAllPages(current: BaseRecord): Promise<void> {
    const [after, stored] = await storage.transact({
      stores: ['meta'],
      mode: 'readonly',
      early: true,
      requests: [
        { op: 'get', store: 'meta', key: 'base' },
        { op: 'get', store: 'meta', key: ['snapshot', current.floor] },
      ],
    })
    // Another compaction has ended meanwhile.
    if ((after as BaseRecord).floor !== current.floor) return
    const snapshot = decodeSnapshot(stored)
    const rows = createLazyRows(heed.damaged)
    let newest = 0
    for (let lo: string | null = null; ; ) {
      const range: { lower: string; lowerOpen: boolean } | undefined =
        lo === null ? undefined : { lower: lo, lowerOpen: true }
      const [found] = await storage.transact({
        stores: ['pages'],
        mode: 'readonly',
        early: true,
        requests: [{ op: 'getAll', store: 'pages', range, limit: pagesPerRead }],
      })
      const pages = found as readonly PageRecord[]
      for (const page of pages) rows.addPage(page)
      newest = Math.max(newest, newestOf(pages))
      if (pages.length < pagesPerRead) break
      lo = pages.at(-1)?.lo ?? null
    }
    // Nobody looks at what is being opened.
    const above = isOpening ? [] : await readAbove(storage, current, newest)
    if (above === null) return
    sink.load(rows, snapshot, current.floor, newest > current.floor)
    stand(current, above, newest)
  }

  function decodeSnapshot(stored: unknown): SnapshotChunk {
    if (!(stored instanceof Uint8Array)) throw unreadableStore()
    const chunk = decodeStoredChunk(stored)
    assert(chunk.kind === 'snapshot', 'a snapshot is stored beside a floor')
    return chunk
  }

  function start(): Promise<void> {
    running = run()
      .catch((error: unknown) => {
        if (isUnreadable(error)) heed.unreadable(error)
        throw error
      })
      .finally(() => {
        running = null
      })
    return running
  }

  function read(): Promise<void> {
    if (running === null) return start()
    // The one that runs may have looked before what the caller knows of; whoever asks now shares the next one.
    following ??= running
      .catch(() => {})
      .then(() => {
        following = null
        // Somebody may have begun one between the end of the last and this.
        return running ?? start()
      })
    return following
  }

  const reader = {
    seen: 0,
    base: emptyBase,
    tail,
    meetsGarbage: false,
    discarded() {
      reader.meetsGarbage = false
    },
    read,
    async readTo(position: number) {
      if (reader.seen >= position) return
      if (running !== null) await running.catch(() => {})
      if (reader.seen < position) await read()
    },
    take(position: number, bytes: number, chunk: () => Chunk) {
      if (position <= reader.seen) return true
      if (position !== reader.seen + 1 || running !== null) return false
      apply(position, bytes, false, chunk())
      return true
    },
    rebase,
  }
  return reader
}

/** Up to where the newest of them was written; 0 if there is none. */
function newestOf(pages: readonly PageRecord[]): number {
  return pages.reduce((newest, { at }) => Math.max(newest, at), 0)
}
