/**
 * Writing commits, a group of them in one transaction: what is new is put in its place, what changed goes to the log
 * (log.ts), where a commit is one short entry and not a page here and there for each row.
 */
import {
  compareMarks,
  encodeHeldRow,
  encodeHeldRows,
  encodeRowChanges,
  RejoinError,
  sizeOfChanged,
  type ChangedRow,
  type DocumentKey,
  type EncodedHeldRow,
  type HeldRow,
  type Mark,
  type RowChanges,
  type SpaceCommit,
  type TextFold,
  type WriterId,
  type WriterRecord,
} from '@rejoin/core'
import { numberOf } from './columns.ts'
import type { Database } from './database.ts'
import { changeOf } from './row-change.ts'
import { putRow, putWriter } from './settling.ts'
import { formatSpaceRecord } from './space-record.ts'
import type { Statements } from './statements.ts'
import { writeFold } from './texts.ts'

/** What is written in one transaction, with others. */
export type Entry = { readonly kind: 'commit'; readonly commit: SpaceCommit } | FoldEntry

export interface FoldEntry {
  readonly kind: 'fold'
  readonly fold: TextFold
  /** Whether it was written, once its transaction is. */
  isWritten: boolean
}

/** What became of an entry, once its transaction is on disk. */
export interface Written {
  readonly space: string
  readonly number: number
  readonly commit: SpaceCommit | null
  /** Whether the log has an entry of it, with its record. */
  readonly isLogged: boolean
  readonly bytes: number
  readonly placed: readonly EncodedHeldRow[]
  readonly logged: readonly DocumentKey[]
  readonly placedWriters: readonly WriterRecord[]
  readonly loggedWriters: readonly WriterRecord[]
}

/** What a store has at hand without reading a table. */
export interface AtHand {
  /** The number of a space, or 0 for one that the store has never seen. */
  number(space: string): number
  row(space: string, key: DocumentKey): HeldRow | undefined
  writer(space: string, id: WriterId): WriterRecord | undefined
  /** For how many more rows the log has room. */
  room(): number
  /** Whether the log has something of a space. */
  isUnsettled(space: string): boolean
  isLogged(space: string, key: DocumentKey): boolean
}

/** What has the same owner is written together or not at all. A fold is nobody's write: it takes none along if it fails. */
export function ownerOf(entry: Entry): string {
  return entry.kind === 'commit' ? entry.commit.space : `fold in ${entry.fold.space}`
}

/** Whether another program has locked the files, or taken them away: neither is for what was to be written. */
export function keepsAllOut(error: unknown): boolean {
  return (
    error instanceof RejoinError &&
    error.code === 'storage-closed' &&
    outOfAll.has((error as RejoinError<'storage-closed'>).details.reason)
  )
}

const outOfAll: ReadonlySet<string> = new Set(['locked', 'gone'])

export function createCommitter(
  database: Database,
  statements: Statements,
  atHand: AtHand,
): (entries: readonly Entry[]) => readonly Written[] {
  return entries => {
    try {
      return database.transact(() => {
        const group: Group = { written: [], commitsBySpace: new Map(), room: atHand.room() }
        for (const entry of entries) {
          if (entry.kind === 'commit') writeCommit(statements, atHand, group, entry.commit)
          else writeFolded(statements, group, entry)
        }
        return group.written
      })
    } catch (error) {
      if (!(error instanceof RejoinError) || error.code !== 'storage-blocked') throw error
      // Whoever waits for a commit is told of two ways to fail; this one may pass like a full disk, but is not one.
      throw new RejoinError(
        'storage-closed',
        { reason: 'locked' },
        'Another program has locked the store.',
        error,
      )
    }
  }
}

/** What a transaction has written so far. */
interface Group {
  readonly written: Written[]
  /** With the number of the space. */
  readonly commitsBySpace: Map<string, { readonly number: number; readonly commits: SpaceCommit[] }>
  /** For how many more rows the log has room. */
  room: number
}

function writeCommit(statements: Statements, atHand: AtHand, group: Group, commit: SpaceCommit): void {
  const { space, record, texts, generations } = commit
  const { position } = record
  const text = formatSpaceRecord(record)
  const before = group.commitsBySpace.get(space)
  const earlier = before?.commits ?? noCommits
  const known = before?.number ?? atHand.number(space)
  const number = known > 0 ? known : numberOf(statements.addSpace.get(space, position, text), 'space')
  const { placedRows, rows, logged } = splitRows(atHand, group, commit, earlier)
  const { placedWriters, marks, loggedWriters } = splitWriters(atHand, commit, earlier)
  // What the log says of a space stands above the tables, so what comes behind it goes there too.
  const isBehind = earlier.length > 0 || atHand.isUnsettled(space)
  const isLogged = known > 0 && (isBehind || rows.length + marks.length > 0)
  let bytes = 0
  if (isLogged) {
    const changes = encodeRowChanges({ rows, marks })
    statements.addToLog.run(number, position, text, changes)
    bytes = text.length + changes.length
  } else if (known > 0) statements.putSpace.run(position, text, number)
  const placed = encodeHeldRows(placedRows)
  for (const row of placed) putRow(statements, number, row)
  for (const writer of placedWriters) putWriter(statements, number, writer, position)
  for (const [n, { key, part, update }] of texts.entries())
    statements.addToTail.run(number, key, part, position, n, update)
  for (const { id, store, parent, start } of generations)
    statements.addGeneration.run(number, id, store, parent, start)
  if (before === undefined) group.commitsBySpace.set(space, { number, commits: [commit] })
  else before.commits.push(commit)
  group.written.push({ space, number, commit, isLogged, bytes, placed, logged, placedWriters, loggedWriters })
}

const noCommits: readonly SpaceCommit[] = []

/** A row that was there before, is not large and has no texts, is left to the log while that has room. */
function splitRows(
  atHand: AtHand,
  group: Group,
  { space, rows }: SpaceCommit,
  earlier: readonly SpaceCommit[],
): {
  readonly placedRows: ReadonlyMap<DocumentKey, HeldRow>
  readonly rows: RowChanges['rows']
  readonly logged: readonly DocumentKey[]
} {
  const placedRows = new Map<DocumentKey, HeldRow>()
  const changes: RowChanges['rows'][number][] = []
  const logged: DocumentKey[] = []
  rows.forEach((held, key) => {
    const before = rowIn(earlier, key) ?? atHand.row(space, key)
    const isLogged = atHand.isLogged(space, key)
    const mayBe = isLogged || (group.room > 0 && !isLarge(key, held))
    const changed = before === undefined || !mayBe ? null : changeOf(before, held)
    if (changed === null) return void placedRows.set(key, held)
    if (!isLogged) group.room -= 1
    changes.push({ key, changed })
    logged.push(key)
  })
  return { placedRows, rows: changes, logged }
}

/** All rows that are unsettled are put in their places in one go. */
function isLarge(key: DocumentKey, { row }: HeldRow): boolean {
  return sizeOfChanged({ key, delta: row, parts: 0, texts: noTexts }) > largeBytes
}

const largeBytes = 4096
const noTexts: ChangedRow['texts'] = new Map()

function rowIn(earlier: readonly SpaceCommit[], key: DocumentKey): HeldRow | undefined {
  for (let i = earlier.length - 1; i >= 0; i--) {
    const held = earlier[i]?.rows.get(key)
    if (held !== undefined) return held
  }
  return undefined
}

/** T4: marks of a writer rise. */
function splitWriters(
  atHand: AtHand,
  { space, writers }: SpaceCommit,
  earlier: readonly SpaceCommit[],
): {
  readonly placedWriters: readonly WriterRecord[]
  readonly marks: readonly Mark[]
  readonly loggedWriters: readonly WriterRecord[]
} {
  const placedWriters: WriterRecord[] = []
  const loggedWriters: WriterRecord[] = []
  for (const record of writers) {
    const before =
      earlier.flatMap(one => one.writers).findLast(({ writer }) => writer === record.writer) ??
      atHand.writer(space, record.writer)
    const isRaised =
      before !== undefined &&
      before.user === record.user &&
      before.device === record.device &&
      compareMarks(record.highest, before.highest) > 0
    if (isRaised) loggedWriters.push(record)
    else placedWriters.push(record)
  }
  return { placedWriters, marks: loggedWriters.map(({ highest }) => highest), loggedWriters }
}

function writeFolded(statements: Statements, { written }: Group, entry: FoldEntry): void {
  const { space, key, held } = entry.fold
  const number = numberOf(statements.findSpace.get(space), 'space')
  entry.isWritten = writeFold(statements, number, entry.fold)
  if (!entry.isWritten) return
  const row = { key, held, state: encodeHeldRow(held) }
  putRow(statements, number, row)
  const nothing = {
    commit: null,
    isLogged: false,
    bytes: 0,
    logged: [],
    placedWriters: [],
    loggedWriters: [],
  }
  written.push({ ...nothing, space, number, placed: [row] })
}
