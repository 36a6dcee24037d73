/**
 * Pages as new replicas were sent them. Nobody is promised that they stay: where the file is full they give way to what is
 * to be stored.
 */
import { RejoinError, type PageStore, type StoredPage } from '@rejoin/core'
import { bytesOf, numberOf, textOf } from './columns.ts'
import type { Database, Row } from './database.ts'
import type { Statements } from './statements.ts'
import type { Unsettled } from './unsettled.ts'

export interface SqlitePages extends PageStore {
  /** Runs what stores something; once more without any pages, if the file had no room for it. */
  givingWay<T>(store: () => T): T
}

export function createPages(
  database: Database,
  statements: Statements,
  unsettled: Unsettled,
  numberOfSpace: (space: string) => number,
): SqlitePages {
  /** From then on none are stored: they would go as soon as something came. */
  let isFull = false

  return {
    at: async (space, from) => {
      const number = numberOfSpace(space)
      // Rows that the log has are in their old stretches in the table.
      if ((unsettled.spaces.get(space)?.rows.size ?? 0) > 0) return null
      const found = statements.findPage.get(number, from)
      const page = found === undefined ? null : pageOf(found)
      if (page === null) return null
      return { page, left: page.rows - numberOf(statements.countStretch.get(number, from, page.to), 'rows') }
    },
    next: async (space, position) => {
      const begins = statements.nextPage.get(numberOfSpace(space), position)?.['begins']
      return typeof begins === 'number' ? begins : Number.POSITIVE_INFINITY
    },
    put: async (space, { from, to, rows, head, frames }) => {
      const number = numberOfSpace(space)
      if (isFull || number === 0) return
      const lengths = frames.map(({ length }) => length).join()
      try {
        database.transact(() => {
          statements.cutPages.run(number, to, from)
          statements.addPage.run(number, from, to, rows, head, lengths, Buffer.concat(frames))
        })
      } catch (error) {
        if (!isStorageFull(error)) throw error
        isFull = true
      }
    },
    givingWay(store) {
      try {
        return store()
      } catch (error) {
        if (!isStorageFull(error) || statements.findAnyPage.get() === undefined) throw error
        database.transact(() => statements.clearPages.run())
        const stored = store()
        isFull = true
        return stored
      }
    },
  }
}

function isStorageFull(error: unknown): boolean {
  return error instanceof RejoinError && error.code === 'storage-full'
}

/** Null for one whose lengths cannot be read. */
function pageOf(found: Row): StoredPage | null {
  const all = bytesOf(found, 'frames')
  const lengths = textOf(found, 'lengths')
  const frames: Uint8Array[] = []
  let at = 0
  if (lengths !== '')
    for (const length of lengths.split(',')) frames.push(all.subarray(at, (at += Number(length))))
  if (at !== all.length) return null
  return {
    from: numberOf(found, 'begins'),
    to: numberOf(found, 'ends'),
    rows: numberOf(found, 'rows'),
    head: textOf(found, 'head'),
    frames,
  }
}
