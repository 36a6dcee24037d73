/** Looks into the journal: the chunks behind a position, and the floor at that time, in one transaction. */
import type { Storage, StorageRequest } from '@rejoin/core'
import { emptyBase, type BaseRecord, type ChunkRecord, type ReplicaRecord } from './stores.ts'

/** What stands in the journal behind a position, and the floor at that time. */
export interface JournalLook {
  readonly current: BaseRecord
  readonly keys: readonly number[]
  readonly records: readonly ChunkRecord[]
}

/** What an opening asks for, in one transaction: also which replica it is, and whose, if that is known. */
export interface FirstLook extends JournalLook {
  readonly record: ReplicaRecord | undefined
  readonly user: string | undefined
}

/** A chunk as it lies in its record. */
export interface StoredChunk {
  readonly position: number
  readonly bytes: Uint8Array
  readonly isFolded: boolean
}

/** Bounds what one transaction brings into memory. */
export const chunksPerRead = 1000

export async function lookIntoJournal(storage: Storage, seen: number): Promise<JournalLook> {
  return lookOf(await ask(storage, requestsBehind(seen)))
}

export async function lookFirst(storage: Storage): Promise<FirstLook> {
  const [record, user, ...answers] = await ask(storage, [
    { op: 'get', store: 'meta', key: 'replica' },
    { op: 'get', store: 'meta', key: 'user' },
    ...requestsBehind(0),
  ])
  return {
    ...lookOf(answers),
    record: record as ReplicaRecord | undefined,
    user: user as string | undefined,
  }
}

function ask(storage: Storage, requests: readonly StorageRequest[]): Promise<readonly unknown[]> {
  return storage.transact({ stores: ['journal', 'meta'], mode: 'readonly', early: true, requests })
}

function requestsBehind(seen: number): readonly StorageRequest[] {
  const range = { lower: seen, lowerOpen: true }
  return [
    { op: 'get', store: 'meta', key: 'base' },
    { op: 'getAllKeys', store: 'journal', range, limit: chunksPerRead },
    { op: 'getAll', store: 'journal', range, limit: chunksPerRead },
  ]
}

function lookOf([base, keys, records]: readonly unknown[]): JournalLook {
  return {
    current: (base as BaseRecord | undefined) ?? emptyBase,
    keys: keys as readonly number[],
    records: records as readonly ChunkRecord[],
  }
}

/**
 * The chunks above a floor up to a position, which pages of a compaction that has not ended hold in part; and perhaps some
 * behind it. Null if the floor has moved meanwhile.
 */
export async function readAbove(
  storage: Storage,
  { floor }: BaseRecord,
  upTo: number,
): Promise<readonly StoredChunk[] | null> {
  const chunks: StoredChunk[] = []
  for (let at = floor; at < upTo; ) {
    const { current, keys, records } = await lookIntoJournal(storage, at)
    if (current.floor !== floor) return null
    chunks.push(...chunksIn(keys, records))
    at = keys.at(-1) ?? upTo
  }
  return chunks
}

export function* chunksIn(keys: readonly number[], records: readonly ChunkRecord[]): Generator<StoredChunk> {
  for (const [i, key] of keys.entries()) {
    const record = records[i]
    if (record === undefined) continue
    const { bytes, positions, ends } = record
    if (positions === undefined || ends === undefined) yield { position: key, bytes, isFolded: false }
    else
      for (const [at, position] of positions.entries())
        yield { position, bytes: bytes.subarray(at === 0 ? 0 : ends[at - 1], ends[at]), isFolded: true }
  }
}
