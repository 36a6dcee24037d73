/**
 * Folding: many small chunks become one record, since each record costs time at every opening and each byte hardly
 * any. Chunks are put together as they are, each with its own position, not joined: order, positions and own writes
 * stay what they were, and whoever has read some of them applies just the others. Joining them would save bytes of
 * rows that change often; that is the business of pages, which come before the journal has grown much.
 *
 * The record stands under the last of the keys. Between its put and the deletion of the others a reader meets
 * chunks twice, the second time at positions that it has seen.
 */
import type { Storage, StorageRequest } from '@rejoin/core'
import type { Fence } from './fence.ts'
import type { ChunkRecord } from './stores.ts'
import { smallBytes } from './tail.ts'

export interface FoldOptions {
  readonly storage: Storage
  readonly fence: Fence
  readonly floor: number
  /** How many small chunks are worth it. */
  readonly atLeast: number
  readonly step: (name: 'folded') => Promise<void>
}

/** Bytes of one folded record, about. */
const foldedBytes = 1024 * 1024

/** How many small chunks it found, and how many it left. */
export async function foldChunks(
  options: FoldOptions,
): Promise<{ readonly found: number; readonly left: number }> {
  const { storage, fence, floor, atLeast, step } = options
  const range = { lower: floor, lowerOpen: true }
  const [keys, values] = await storage.transact({
    stores: ['journal'],
    mode: 'readonly',
    early: true,
    requests: [
      { op: 'getAllKeys', store: 'journal', range },
      { op: 'getAll', store: 'journal', range },
    ],
  })
  const records = values as readonly ChunkRecord[]
  const found = records.filter(isSmall).length
  if (found < atLeast) return { found, left: found }
  let left = found
  for (const { from, to, chunks } of runsOf(keys as readonly number[], records)) {
    const put: StorageRequest = { op: 'put', store: 'journal', key: to, value: joinRecords(chunks) }
    await fence.transact({ stores: ['journal'], durability: 'strict', early: true, requests: [put] })
    await step('folded')
    const garbage: StorageRequest = {
      op: 'delete',
      store: 'journal',
      range: { lower: from, upper: to, upperOpen: true },
    }
    await storage.transact({
      stores: ['journal'],
      mode: 'readwrite',
      durability: 'relaxed',
      early: true,
      requests: [garbage],
    })
    left -= chunks.length
  }
  return { found, left }
}

function isSmall(record: ChunkRecord): boolean {
  return record.bytes.length < smallBytes
}

interface Run {
  readonly from: number
  readonly to: number
  readonly chunks: readonly (readonly [position: number, record: ChunkRecord])[]
}

/** Neighbouring small records, in portions. */
function runsOf(keys: readonly number[], records: readonly ChunkRecord[]): readonly Run[] {
  const runs: Run[] = []
  let chunks: (readonly [number, ChunkRecord])[] = []
  let size = 0
  const end = (): void => {
    const from = chunks[0]?.[0]
    const to = chunks.at(-1)?.[0]
    if (from !== undefined && to !== undefined && from < to) runs.push({ from, to, chunks })
    chunks = []
    size = 0
  }
  keys.forEach((key, i) => {
    const record = records[i]
    if (record === undefined || !isSmall(record)) return end()
    chunks.push([key, record])
    size += record.bytes.length
    if (size >= foldedBytes) end()
  })
  end()
  return runs
}

/** In between a put and its deletion, perhaps of a tab that crashed there, a chunk is found twice: once is enough. */
function joinRecords(chunks: Run['chunks']): ChunkRecord {
  const parts: Uint8Array[] = []
  const positions: number[] = []
  const ends: number[] = []
  let size = 0
  for (const [key, record] of chunks) {
    const within = record.positions ?? [key]
    const until = record.ends ?? [record.bytes.length]
    for (const [i, position] of within.entries()) {
      if (position <= (positions.at(-1) ?? 0)) continue
      const part = record.bytes.subarray(i === 0 ? 0 : until[i - 1], until[i])
      parts.push(part)
      size += part.length
      positions.push(position)
      ends.push(size)
    }
  }
  const bytes = new Uint8Array(size)
  parts.forEach((part, i) => bytes.set(part, (ends[i] ?? 0) - part.length))
  return { bytes, positions: Float64Array.from(positions), ends: Uint32Array.from(ends) }
}
