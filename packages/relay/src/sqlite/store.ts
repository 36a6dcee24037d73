/**
 * A relay's store in one SQLite file: rows as encoded blobs, WAL, and an fsync for every group of commits, so that what
 * is acknowledged is on disk (SPEC A1). One process writes it; each opening is a new generation (SPEC, Lineage).
 */
import {
  RejoinError,
  writerFromBytes,
  type FeedRow,
  type GenerationId,
  type HeldRow,
  type RelayStore,
  type Runtime,
  type StoreId,
  type WriterId,
  type WriterRecord,
} from '@rejoin/core'
import { afterThisTurn, nodeRuntime } from '../node-runtime.ts'
import type { OpenRelayStore } from '../open-store.ts'
import { createCommitter, ownerOf, prepareCommit, prepareFold, writtenIn, type Prepared } from './commit.ts'
import { openDatabase, type Database, type Row } from './database.ts'
import { createGroup } from './group.ts'
import { watchFiles } from './in-place.ts'
import { lockFile } from './lock.ts'
import { bytesOf, generationOf, heldOf, keyOf, numberOf, textOf, writerOf } from './columns.ts'
import { cacheKey, createRecent, type Recent } from './recent.ts'
import { openSchema } from './schema.ts'
import { parseSpaceRecord } from './space-record.ts'
import { prepareStatements } from './statements.ts'
import { readText } from './texts.ts'

export interface SqliteOptions {
  /** Bytes that the file may take; beyond, commits reject with `storage-full`. */
  readonly fileBytesMax?: number | undefined
  /** Bytes of rows that are kept decoded. */
  readonly cacheBytesMax?: number | undefined
  readonly runtime?: Runtime | undefined
}

// How long a commit waits for another program that has locked the file, such as a person's SQLite shell.
const busyMs = 1000
const cacheBytes = 32 * 1024 * 1024
const cacheRestBytes = 1536 * 1024
// A row of one field is a dozen objects.
const rowObjectsBytes = 896
const recordBounds = { bytesMax: 4 * 1024 * 1024, restBytesMax: 256 * 1024, overheadBytes: 256 }
const sliceRows = 500

/** A store in a file, which is made if it is not there; its folder must be. */
export function sqlite(path: string, options: SqliteOptions = {}): OpenRelayStore {
  return async () => {
    const unlock = lockFile(path)
    let database: Database | null = null
    try {
      database = openDatabase(path, busyMs)
      return openStore(database, path, options, unlock)
    } catch (error) {
      database?.close()
      unlock()
      throw error
    }
  }
}

function openStore(database: Database, path: string, options: SqliteOptions, unlock: () => void): RelayStore {
  const runtime = options.runtime ?? nodeRuntime
  const generation = writerFromBytes(runtime.randomBytes(8)) as string as GenerationId
  const fresh = { store: writerFromBytes(runtime.randomBytes(8)) as string as StoreId, generation }
  const id = openSchema(database, path, fresh)
  if (options.fileBytesMax !== undefined) limitFile(database, options.fileBytesMax)
  const statements = prepareStatements(database)
  const { cacheBytesMax: bytesMax = cacheBytes } = options
  const rowBounds = { bytesMax, restBytesMax: cacheRestBytes, overheadBytes: rowObjectsBytes }
  const cache = createRecent<HeldRow>(rowBounds, runtime)
  const writers = createRecent<WriterRecord>(recordBounds, runtime)
  // A space keeps its number as long as the file.
  const numbers = createRecent<number>(recordBounds, runtime)
  const write = createCommitter(database, statements, numberOfSpace)
  const assertInPlace = watchFiles(path)
  let tellGone: (error: RejoinError) => void = () => {}
  const gone = new Promise<RejoinError>(resolve => (tellGone = resolve))
  let lost: RejoinError | null = null

  /** A1: what went to a file that is no longer there is not on disk. What is in doubt once stays so. */
  function assertKept(): void {
    try {
      if (lost === null) assertInPlace()
    } catch (error) {
      if (!(error instanceof RejoinError)) throw error
      lost = error
      tellGone(error)
    }
    if (lost !== null) throw lost
  }

  const group = createGroup<Prepared>(
    runtime,
    entries => {
      write(entries)
      // What was written to files that nobody reads any more is not acknowledged.
      assertKept()
      for (const entry of entries) {
        const written = writtenIn(entry)
        for (const { key, held, state } of written.rows) {
          const name = cacheKey(written.space, key)
          // What was made is kept once it is asked for: most documents are not written again for long.
          if (cache.get(name) !== undefined) cache.set(name, held, state.length)
        }
        for (const record of written.writers)
          writers.set(cacheKey(written.space, record.writer), record, record.writer.length)
      }
    },
    ownerOf,
  )
  let isOpen = true
  /** Rows of a thousand spaces are looked up in one turn of the event loop: one look at the files is enough for all. */
  let isKeptThisTurn = false

  function assertOpen(): void {
    if (!isOpen) throw new RejoinError('storage-closed', { reason: 'closed' }, `${path} was closed already.`)
  }

  /** The number of a space, or 0 for one that the store has never seen. */
  function numberOfSpace(space: string): number {
    let number = numbers.get(space)
    if (number === undefined) {
      number = numberOf(statements.findSpace.get(space), 'space')
      if (number > 0) numbers.set(space, number, space.length)
    }
    return number
  }

  function find(space: string): number {
    assertOpen()
    return numberOfSpace(space)
  }

  function findWriter(space: string, number: number, id: WriterId): WriterRecord | undefined {
    const name = cacheKey(space, id)
    let record = writers.get(name)
    if (record === undefined) {
      const row = statements.findWriter.get(number, id)
      if (row === undefined) return undefined
      record = writerOf(row)
      writers.set(name, record, id.length)
    }
    return record
  }

  return {
    id,
    generation,
    isNew: id === fresh.store,
    gone,

    loadSpace: async space => {
      assertOpen()
      const found = statements.findSpace.get(space)
      if (found === undefined) return { record: null, generations: [] }
      return {
        record: parseSpaceRecord(numberOf(found, 'position'), textOf(found, 'record')),
        generations: statements.listGenerations.all(numberOf(found, 'space')).map(generationOf),
      }
    },

    rows: async (space, keys) => {
      // Who asks for what is stored already is told so without a commit.
      if (!isKeptThisTurn) {
        assertKept()
        isKeptThisTurn = true
        afterThisTurn(() => (isKeptThisTurn = false))
      }
      const number = find(space)
      const rows = new Map<FeedRow['key'], FeedRow['held']>()
      for (const key of keys) {
        const name = cacheKey(space, key)
        let held = cache.get(name)
        if (held === undefined) {
          const slash = key.indexOf('/')
          const row = statements.findRow.get(number, key.slice(0, slash), key.slice(slash + 1))
          if (row === undefined) continue
          const state = bytesOf(row, 'state')
          held = heldOf(state)
          cache.set(name, held, state.length)
        }
        rows.set(key, held)
      }
      return rows
    },

    feed: async (space, after, limit) => {
      const number = find(space)
      const rows = statements.listFeed.all(number, after, limit + 1)
      if (rows.length <= limit) return rows.map(row => feedRow(space, row, cache))
      // The commit that the limit would cut comes with the next call, or, if it is the first, whole with this one.
      const cut = numberOf(rows[limit], 'position')
      const whole = rows.filter(row => numberOf(row, 'position') < cut)
      const chosen = whole.length > 0 ? whole : statements.listCommit.all(number, cut)
      return chosen.map(row => feedRow(space, row, cache))
    },

    all: space => listAll(space),

    writers: async (space, ids) => {
      const number = find(space)
      return ids.flatMap(id => findWriter(space, number, id) ?? [])
    },

    writersAfter: async (space, after) => statements.listWriters.all(find(space), after).map(writerOf),

    textTail: async (space, key, part, after) => {
      const number = find(space)
      const snapshot = statements.findSnapshot.get(number, key, part)
      if (snapshot !== undefined && numberOf(snapshot, 'position') > after) return null
      return statements.listTail.all(number, key, part, after).map(row => bytesOf(row, 'bytes'))
    },

    textBody: async (space, key, part) => {
      return readText(statements, find(space), key, part).updates
    },

    textSize: async (space, key, part) => {
      const text = [find(space), key, part] as const
      const sizes = statements.sizeText.get(...text, ...text)
      return { snapshot: numberOf(sizes, 'snapshot'), tail: numberOf(sizes, 'tail') }
    },

    storedText: async (space, key, part) => readText(statements, find(space), key, part),

    fold: async fold => {
      assertOpen()
      const prepared = prepareFold(fold)
      await group.add(prepared)
      return prepared.isWritten
    },

    commit: async commit => {
      assertOpen()
      await group.add(prepareCommit(commit))
    },

    close: async () => {
      if (!isOpen) return
      isOpen = false
      group.flush()
      for (const recent of [cache, writers, numbers]) recent.clear()
      database.close()
      unlock()
    },
  }

  async function* listAll(space: string): AsyncGenerator<readonly FeedRow[]> {
    const number = find(space)
    let collection = ''
    let row = ''
    for (;;) {
      assertOpen()
      const slice = statements.listRows.all(number, collection, row, sliceRows)
      if (slice.length > 0) yield slice.map(one => feedRow(space, one, null))
      const last = slice.at(-1)
      if (last === undefined || slice.length < sliceRows) return
      collection = textOf(last, 'collection')
      row = textOf(last, 'id')
      // A walk over a large space lets the sockets have their turn.
      await new Promise<void>(afterThisTurn)
    }
  }
}

function feedRow(space: string, row: Row, cache: Recent<HeldRow> | null): FeedRow {
  const key = keyOf(row)
  const known = cache?.get(cacheKey(space, key))
  return { key, held: known ?? heldOf(bytesOf(row, 'state')) }
}

function limitFile(database: Database, bytes: number): void {
  const page = numberOf(database.prepare('pragma page_size').get(), 'page_size')
  database.exec(`pragma max_page_count = ${Math.max(1, Math.floor(bytes / page))}`)
}
