/**
 * The tables of a relay's store, and the openings that make its generations.
 *
 * Rows are stored as encoded blobs under (space, collection, id); `feed` finds those that changed after a position. What
 * changed lately is in the log alone (log.ts).
 * A text's body is a snapshot up to a position and a tail of updates after it. Pages are beside the rows that they were made
 * of (pages.ts), and who does not know them loses nothing by that.
 */
import { RejoinError, type GenerationId, type StoreId } from '@rejoin/core'
import type { Database } from './database.ts'

/** 2: the log. */
export const schemaVersion = 2
const versionWithoutLog = 1

const settings = `
  pragma synchronous = full;
  pragma wal_autocheckpoint = 4000;
  pragma journal_size_limit = 67108864;
  pragma cache_size = -65536;
  pragma trusted_schema = off;
`

const tables = `
  create table store (id text not null, version integer not null) strict;
  create table openings (number integer primary key, generation text not null unique) strict;
  create table spaces (space integer primary key, name text not null unique,
    position integer not null, record text not null) strict;
  create table generations (number integer primary key, space integer not null, id text not null,
    store text not null, parent text, start integer not null, unique (space, id)) strict;
  create table writers (space integer not null, id text not null, user text not null, device text not null,
    ms integer not null, tick integer not null, position integer not null,
    primary key (space, id)) strict, without rowid;
  create index writers_feed on writers (space, position);
  create table rows (space integer not null, collection text not null, id text not null,
    position integer not null, state blob not null, primary key (space, collection, id)) strict, without rowid;
  create index feed on rows (space, position);
  create table texts (space integer not null, key text not null, part text not null,
    position integer not null, snapshot blob not null, primary key (space, key, part)) strict, without rowid;
  create table text_tails (space integer not null, key text not null, part text not null,
    position integer not null, n integer not null, bytes blob not null,
    primary key (space, key, part, position, n)) strict, without rowid;
`

const log = `
  create table log (number integer primary key, space integer not null, position integer not null,
    record text not null, changes blob not null) strict;
`

const pages = `
  create table if not exists pages (space integer not null, begins integer not null, ends integer not null,
    rows integer not null, head text not null, lengths text not null, frames blob not null,
    primary key (space, begins)) strict;
`

/** Brings a file to the schema and notes this opening; all of that is on disk when it returns. */
export function openSchema(
  database: Database,
  path: string,
  fresh: { readonly store: StoreId; readonly generation: GenerationId },
): StoreId {
  // The schema is read first: a file that is no store of ours is left as it is.
  const known = database.prepare('select name from sqlite_schema limit 1').get() !== undefined
  const version = known ? readVersion(database, path) : schemaVersion
  if (version !== schemaVersion && version !== versionWithoutLog) {
    const reason = `schema ${version}`
    throw new RejoinError(
      'storage-closed',
      { reason },
      `${path} was written by another version of the relay (${reason}, not ${schemaVersion}); use that version.`,
    )
  }
  if (database.prepare('pragma journal_mode = wal').get()?.['journal_mode'] !== 'wal') {
    throw new RejoinError(
      'storage-closed',
      { reason: 'no wal' },
      `${path} lies on a file system without shared memory, which the store needs; use a local disk.`,
    )
  }
  database.exec(settings)
  return database.transact(() => {
    if (!known) {
      database.exec(tables)
      database.exec(log)
      database.prepare('insert into store (id, version) values (?, ?)').run(fresh.store, schemaVersion)
    }
    if (version === versionWithoutLog) {
      database.exec(log)
      database.prepare('update store set version = ?').run(schemaVersion)
    }
    database.exec(pages)
    database.prepare('insert into openings (generation) values (?)').run(fresh.generation)
    return String(database.prepare('select id from store').get()?.['id']) as StoreId
  })
}

function readVersion(database: Database, path: string): number {
  const ours = database
    .prepare("select name from sqlite_schema where type = 'table' and name = 'openings'")
    .get()
  if (ours === undefined) {
    throw new RejoinError(
      'storage-closed',
      { reason: 'foreign' },
      `${path} is a database, but not a relay's store; use another file.`,
    )
  }
  return Number(database.prepare('select version from store').get()?.['version'])
}
