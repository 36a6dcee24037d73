/**
 * Loss of the store: how a replica learns that its database is not the one it had, and how it keeps an engine's torn
 * log from becoming such a loss.
 *
 * The marker stands outside of the database, in what survived when Chromium dropped all databases of an origin. But it
 * comes to the disk some five seconds late, so by itself it cannot tell that a browser went down just now: for that see
 * holdings.ts.
 */
import {
  RejoinError,
  StorageCollision,
  writerFromBytes,
  type Runtime,
  type Storage,
  type StorageRequest,
  type StoreId,
} from '@rejoin/core'
import type { ReplicaRecord } from './stores.ts'

/** What is known of a replica outside of its database. */
export interface MarkerRecord {
  readonly replica: StoreId
  /** The holding of the tab lock that ended in order; null while one goes on. */
  readonly left: string | null
  /** How many own transactions no relay had, when last told: what a loss of the store costs. */
  readonly unsent: number
}

/** A place that outlives the database. Never throws; a marker that cannot be kept is read as none. */
export interface Marker {
  /** Its own, or that of another database of the origin. */
  read(name?: string): MarkerRecord | null
  write(record: MarkerRecord): void
}

export interface OpenedReplica extends ReplicaRecord {
  /** Not null if the database was lost: what was not on a relay then. To be told as `storage-evicted`. */
  readonly evicted: RejoinError<'storage-evicted'> | null
}

/** The replica's id, drawn when its database was made; all tabs agree on it. `stored`: what stands there. */
export async function openReplicaRecord(
  storage: Storage,
  marker: Marker,
  runtime: Runtime,
  stored: Promise<ReplicaRecord | undefined> = readRecord(storage),
  space?: string,
): Promise<OpenedReplica> {
  const known = marker.read()
  const record = (await stored) ?? (await makeRecord(storage, runtime, space))
  const isLost = known !== null && known.replica !== record.id
  return { ...record, evicted: isLost ? evictedError(known.unsent) : null }
}

export function evictedError(unsent: number): RejoinError<'storage-evicted'> {
  const message = `the browser dropped the database; ${unsent} transactions were on this device alone`
  return new RejoinError('storage-evicted', { unsent }, message)
}

/** Which replica's database it is; undefined of one that nobody has named yet. */
export async function readRecord(storage: Storage): Promise<ReplicaRecord | undefined> {
  const [stored] = await storage.transact({
    stores: ['meta'],
    mode: 'readonly',
    early: true,
    requests: [{ op: 'get', store: 'meta', key: 'replica' }],
  })
  return stored as ReplicaRecord | undefined
}

async function makeRecord(
  storage: Storage,
  runtime: Runtime,
  space: string | undefined,
): Promise<ReplicaRecord> {
  const id = writerFromBytes(runtime.randomBytes(8)) as string as StoreId
  const record: ReplicaRecord = { id, opened: runtime.now(), space }
  try {
    await storage.transact({
      stores: ['meta'],
      mode: 'readwrite',
      durability: 'strict',
      early: true,
      requests: [{ op: 'add', store: 'meta', key: 'replica', value: record }],
    })
    return record
  } catch (error) {
    if (!(error instanceof StorageCollision)) throw error
    return (await readRecord(storage)) ?? record
  }
}

/** More than LevelDB keeps in one log (4 MB), in values that it keeps inline. */
const scratchValues = 120
const scratchBytes = 50_000

/**
 * Makes the engine begin a new log and drop a torn one, before it appends behind a torn record: the next opening but
 * one would find that record in the middle and delete every database of the origin. Random bytes, since an engine
 * that compresses its values would write less than it must. Takes about 0.1 s.
 */
export async function scrubLog(storage: Storage, runtime: Runtime): Promise<void> {
  const value = runtime.randomBytes(scratchBytes)
  const requests = Array.from(
    { length: scratchValues },
    (_, i): StorageRequest => ({ op: 'put', store: 'meta', key: ['scratch', i], value }),
  )
  await storage.transact({ stores: ['meta'], mode: 'readwrite', durability: 'relaxed', requests })
  await storage.transact({
    stores: ['meta'],
    mode: 'readwrite',
    durability: 'relaxed',
    early: true,
    requests: [
      { op: 'delete', store: 'meta', range: { lower: ['scratch'], upper: ['scratch', scratchValues] } },
    ],
  })
}
