/**
 * A space's record as text: small, written with every commit, and readable for a person who looks into the file.
 */
import type {
  Cursor,
  DocumentKey,
  Fingerprint,
  GenerationId,
  PeerState,
  SpaceRecord,
  StoreId,
} from '@rejoin/core'

interface StoredRecord {
  readonly fingerprint: Fingerprint
  readonly frontier: readonly (readonly [GenerationId, number])[]
  readonly generation: GenerationId
  readonly peers: readonly (readonly [StoreId, Cursor, readonly DocumentKey[]])[]
}

export function formatSpaceRecord(record: SpaceRecord): string {
  const stored: StoredRecord = {
    fingerprint: record.fingerprint,
    frontier: [...record.frontier],
    generation: record.generation,
    peers: Array.from(record.peers, ([store, peer]) => [store, peer.cursor, peer.wants]),
  }
  return JSON.stringify(stored)
}

export function parseSpaceRecord(position: number, text: string): SpaceRecord {
  const stored: StoredRecord = JSON.parse(text)
  const peers = new Map<StoreId, PeerState>()
  for (const [store, cursor, wants] of stored.peers) peers.set(store, { cursor, wants })
  return {
    position,
    fingerprint: stored.fingerprint,
    frontier: new Map(stored.frontier),
    generation: stored.generation,
    peers,
  }
}
