/**
 * Settling: what commits left to the log is put in its place once in a while, a row that changed a hundred times once.
 *
 *   commit --> log (on disk) --> unsettled, in memory --> settle: tables, a thousand rows at a time; with the last of
 *                  │                                      them, the log is empty
 *                  └── a store that was killed reads it when it opens (log.ts), but for what is in its place by then
 */
import {
  collectionOfKey,
  encodeHeldRows,
  idOfKey,
  RejoinError,
  type EncodedHeldRow,
  type HeldRow,
  type Runtime,
  type WriterRecord,
} from '@rejoin/core'
import type { Written } from './commit.ts'
import type { Database } from './database.ts'
import { cacheKey, type Recent } from './recent.ts'
import { formatSpaceRecord } from './space-record.ts'
import type { Statements } from './statements.ts'
import {
  clearUnsettled,
  forgetRow,
  noteRecord,
  noteRow,
  type Unsettled,
  type UnsettledSpace,
} from './unsettled.ts'

export interface Settling {
  /** A commit is on disk: what it left to the log is unsettled from now on. */
  note(written: Written): void
  /** Makes room in the log, if that is full. Throws if what is in the way is neither a full disk nor a lock. */
  makeRoom(): void
  /** Settles what was read from the log; what a full disk does not take stays there, and is read from here. */
  begin(): void
  /** Leaves to the log what it has. */
  stop(): void
  /** Settles what the disk takes. */
  close(): void
}

/** A row that changes again and again meanwhile is put there once, and what a store that was killed reads is within bounds. */
const settleMs = 5000
/** So many rows are put in their places at once. More of them, and what comes meanwhile would wait too long. */
const sliceRows = 1024
/** Where the disk is locked, each try makes everybody wait. */
const retryMs = 10_000
const logBytesMax = 1024 * 1024

export function createSettling(
  database: Database,
  statements: Statements,
  unsettled: Unsettled,
  rows: Recent<HeldRow>,
  runtime: Runtime,
): Settling {
  /** Of the next time, while anything is unsettled. */
  let cancel: (() => void) | null = null
  /** Why the last try failed. */
  let failure: RejoinError | null = null

  /** So many rows at most; the rest of what is unsettled with the last of them. */
  function settle(rowsMax: number): void {
    if (unsettled.spaces.size === 0) return
    const isAll = unsettled.rows <= rowsMax
    const placed: Placed[] = []
    database.transact(() => {
      // In a file that cannot grow, what the log took is room for what it held.
      if (isAll) statements.clearLog.run()
      let left = rowsMax
      for (const [name, space] of unsettled.spaces) {
        const rows = firstOf(space.rows, left)
        left -= rows.size
        const encoded = encodeHeldRows(rows)
        for (const row of encoded) putRow(statements, space.number, row)
        if (isAll) putBeside(statements, space)
        placed.push({ name, space, encoded })
      }
    })
    for (const { name, space, encoded } of placed)
      for (const { key, held, state } of encoded) {
        rows.set(cacheKey(name, key), held, state.length)
        forgetRow(unsettled, space, key)
      }
    if (isAll) clearUnsettled(unsettled)
  }

  function stop(): void {
    cancel?.()
    cancel = null
  }

  /** What cannot be settled stays in the log. */
  function trySettling(rowsMax: number): void {
    stop()
    try {
      settle(rowsMax)
      failure = null
      if (unsettled.spaces.size > 0) cancel = runtime.after(0, settleSlice)
    } catch (error) {
      if (!(error instanceof RejoinError)) throw error
      // What the log takes is room only for all that it holds.
      if (error.code === 'storage-full' && rowsMax < unsettled.rows) return settleAll()
      failure = error
      cancel = runtime.after(retryMs, settleSlice)
    }
  }

  function settleSlice(): void {
    trySettling(sliceRows)
  }

  function settleAll(): void {
    trySettling(Number.POSITIVE_INFINITY)
  }

  /** A full disk and a locked one commits meet themselves; of anything else they would say nothing, in a log without end. */
  function assertSound(): void {
    if (failure?.code === 'storage-closed') throw failure
  }

  return {
    note(written) {
      const { space: name, number, commit } = written
      const space =
        written.isLogged && commit !== null
          ? noteRecord(unsettled, name, number, commit.record)
          : unsettled.spaces.get(name)
      if (space === undefined) return
      for (const { key } of written.placed) forgetRow(unsettled, space, key)
      if (commit === null) return
      for (const { writer } of written.placedWriters) space.writers.delete(writer)
      for (const key of written.logged) {
        const held = commit.rows.get(key)
        if (held === undefined) continue
        if (noteRow(unsettled, space, key, held)) rows.drop(cacheKey(name, key))
      }
      const { position } = commit.record
      for (const record of written.loggedWriters) space.writers.set(record.writer, { record, position })
      unsettled.bytes += written.bytes
      cancel ??= runtime.after(settleMs, settleSlice)
    },
    makeRoom() {
      if (unsettled.bytes <= logBytesMax) return
      if (failure === null) settleAll()
      assertSound()
    },
    begin: settleAll,
    stop,
    close() {
      settleAll()
      stop()
    },
  }
}

/** What was put in its place of a space. */
interface Placed {
  readonly name: string
  readonly space: UnsettledSpace
  readonly encoded: readonly EncodedHeldRow[]
}

/** The first so many of them, which are all as a rule. */
function firstOf(rows: UnsettledSpace['rows'], count: number): UnsettledSpace['rows'] {
  return rows.size <= count ? rows : new Map([...rows].slice(0, count))
}

/** What is unsettled of a space beside its rows. */
function putBeside(statements: Statements, { number, record, writers }: UnsettledSpace): void {
  statements.putSpace.run(record.position, formatSpaceRecord(record), number)
  for (const { record, position } of writers.values()) putWriter(statements, number, record, position)
}

export function putRow(statements: Statements, space: number, { key, held, state }: EncodedHeldRow): void {
  statements.putRow.run(space, collectionOfKey(key), idOfKey(key), held.position, state)
}

export function putWriter(
  statements: Statements,
  space: number,
  { writer, user, device, highest }: WriterRecord,
  position: number,
): void {
  statements.putWriter.run(space, writer, user, device, highest.ms, highest.tick, position)
}
