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
import { createCommitter, keepsAllOut, ownerOf, type Entry, type FoldEntry } from './commit.ts'
import { openDatabase, type Database, type Row } from './database.ts'
import { createGroup } from './group.ts'
import { watchFiles } from './in-place.ts'
import { lockFile } from './lock.ts'
import { readLog } from './log.ts'
import { bytesOf, generationOf, heldOf, keyOf, numberOf, textOf, writerOf } from './columns.ts'
import { cacheKey, createRecent, type Recent } from './recent.ts'
import { createPages } from './pages.ts'
import { openSchema } from './schema.ts'
import { createSettling } from './settling.ts'
import { parseSpaceRecord } from './space-record.ts'
import { findStates } from './stored-rows.ts'
import { prepareStatements } from './statements.ts'
import { readText } from './texts.ts'
import { createUnsettled, mergeFeed, type UnsettledSpace } from './unsettled.ts'

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
/** So many rows that were made together are kept, which is about what may rest in the cache. */
const keptRowsMax = 1024
/** So many rows may be left to the log: what a day offline changes, as a rule. */
const unsettledRowsMax = 4096

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
  const unsettled = createUnsettled()
  const settling = createSettling(database, statements, unsettled, cache, runtime)
  const write = createCommitter(database, statements, {
    number: numberOfSpace,
    row: (space, key) => unsettled.spaces.get(space)?.rows.get(key) ?? cache.get(cacheKey(space, key)),
    writer: (space, writer) => writers.get(cacheKey(space, writer)),
    room: () => unsettledRowsMax - unsettled.rows,
    isUnsettled: space => unsettled.spaces.has(space),
    isLogged: (space, key) => unsettled.spaces.get(space)?.rows.has(key) === true,
  })
  const pages = createPages(database, statements, unsettled, find)
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
      settling.stop()
      tellGone(error)
    }
    if (lost !== null) throw lost
  }

  const group = createGroup<Entry>(
    runtime,
    entries => {
      settling.makeRoom()
      const written = pages.givingWay(() => write(entries))
      for (const one of written) settling.note(one)
      // What was written to files that nobody reads any more is not acknowledged.
      assertKept()
      for (const one of written) {
        for (const { key, held, state } of one.placed) {
          const name = cacheKey(one.space, key)
          // What somebody made is written on as a rule, what came by thousands is not.
          if (one.placed.length <= keptRowsMax || cache.get(name) !== undefined)
            cache.set(name, held, state.length)
        }
        for (const record of one.commit?.writers ?? [])
          writers.set(cacheKey(one.space, record.writer), record, record.writer.length)
      }
    },
    ownerOf,
    keepsAllOut,
  )
  let isOpen = true
  /** Turns of a thousand spaces end in one of the event loop: one look at the files is enough for all. */
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
      record = unsettled.spaces.get(space)?.writers.get(id)?.record ?? storedWriter(number, id)
      if (record === undefined) return undefined
      writers.set(name, record, id.length)
    }
    return record
  }

  function storedWriter(number: number, id: WriterId): WriterRecord | undefined {
    const row = statements.findWriter.get(number, id)
    return row === undefined ? undefined : writerOf(row)
  }

  readLog(statements, unsettled)
  settling.begin()

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
        record:
          unsettled.spaces.get(space)?.record ??
          parseSpaceRecord(numberOf(found, 'position'), textOf(found, 'record')),
        generations: statements.listGenerations.all(numberOf(found, 'space')).map(generationOf),
      }
    },

    rows: async (space, keys) => {
      const number = find(space)
      const rows = new Map<FeedRow['key'], FeedRow['held']>()
      const latest = unsettled.spaces.get(space)?.rows
      const missing: FeedRow['key'][] = []
      for (const key of keys) {
        const held = latest?.get(key) ?? cache.get(cacheKey(space, key))
        if (held === undefined) missing.push(key)
        else rows.set(key, held)
      }
      if (missing.length > 0)
        findStates(statements, number, missing, (key, state) => {
          const held = heldOf(state)
          cache.set(cacheKey(space, key), held, state.length)
          rows.set(key, held)
        })
      return rows
    },

    feed: async (space, after, limit) => {
      const number = find(space)
      const latest = unsettled.spaces.get(space)
      const read = (rows: readonly Row[]): readonly FeedRow[] => rows.map(row => feedRow(space, row, cache))
      const commitAt = (at: number): readonly FeedRow[] =>
        read(settledOf(latest, statements.listCommit.all(number, at)))
      const rows = statements.listFeed.all(number, after, limit + 1 + (latest?.rows.size ?? 0))
      if (latest !== undefined)
        return mergeFeed(latest, read(settledOf(latest, rows).slice(0, limit + 1)), after, limit, commitAt)
      if (rows.length <= limit) return read(rows)
      // The commit that the limit would cut comes with the next call, or, if it is the first, whole with this one.
      const cut = numberOf(rows[limit], 'position')
      const whole = rows.filter(row => numberOf(row, 'position') < cut)
      return whole.length > 0 ? read(whole) : commitAt(cut)
    },

    all: space => listAll(space),

    writers: async (space, ids) => {
      const number = find(space)
      return ids.flatMap(id => findWriter(space, number, id) ?? [])
    },

    writersAfter: async (space, after) => {
      const stored = statements.listWriters.all(find(space), after).map(writerOf)
      const latest = unsettled.spaces.get(space)?.writers
      if (latest === undefined) return stored
      const changed = [...latest.values()].filter(({ position }) => position > after)
      return [...stored.filter(({ writer }) => !latest.has(writer)), ...changed.map(({ record }) => record)]
    },

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

    pages,

    fold: async fold => {
      assertOpen()
      const entry: FoldEntry = { kind: 'fold', fold, isWritten: false }
      await group.add(entry)
      return entry.isWritten
    },

    commit: async commit => {
      assertOpen()
      await group.add({ kind: 'commit', commit })
    },

    assertKept: async () => {
      if (isKeptThisTurn) return
      assertKept()
      isKeptThisTurn = true
      afterThisTurn(() => (isKeptThisTurn = false))
    },

    close: async () => {
      if (!isOpen) return
      isOpen = false
      group.flush()
      if (lost === null) settling.close()
      else settling.stop()
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
      const latest = unsettled.spaces.get(space)
      if (slice.length > 0) yield slice.map(one => walkedRow(one, latest))
      const last = slice.at(-1)
      if (last === undefined || slice.length < sliceRows) return
      collection = textOf(last, 'collection')
      row = textOf(last, 'id')
      // A walk over a large space lets the sockets have their turn.
      await new Promise<void>(afterThisTurn)
    }
  }
}

function feedRow(space: string, row: Row, cache: Recent<HeldRow>): FeedRow {
  const key = keyOf(row)
  return { key, held: cache.get(cacheKey(space, key)) ?? heldOf(bytesOf(row, 'state')) }
}

/** What a walk over everything reads is not kept. */
function walkedRow(row: Row, unsettled: UnsettledSpace | undefined): FeedRow {
  const key = keyOf(row)
  return { key, held: unsettled?.rows.get(key) ?? heldOf(bytesOf(row, 'state')) }
}

function settledOf(unsettled: UnsettledSpace | undefined, rows: readonly Row[]): readonly Row[] {
  return unsettled === undefined ? rows : rows.filter(row => !unsettled.rows.has(keyOf(row)))
}

function limitFile(database: Database, bytes: number): void {
  const page = numberOf(database.prepare('pragma page_size').get(), 'page_size')
  database.exec(`pragma max_page_count = ${Math.max(1, Math.floor(bytes / page))}`)
}
