/** Rows and commits that contracts of stores are told by. */
import {
  documentKey,
  emptyFingerprint,
  noPositions,
  partName,
  writerFromBytes,
  type DocumentKey,
  type FeedPart,
  type FeedRow,
  type GenerationId,
  type HeldRow,
  type SpaceCommit,
  type WriterId,
} from '@rejoin/core'

export const alice: WriterId = writerFromBytes(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8))

export function key(id: string): DocumentKey {
  return documentKey('notes', id)
}

/** A row of one value, which tells its position. */
export function row(id: string, position: number): FeedRow {
  const part = partName('lww', 'title')
  const value = new TextEncoder().encode(`at ${position}`)
  const last = { ms: 1000 + position, tick: 0, writer: alice }
  return {
    key: key(id),
    held: {
      row: { cells: new Map([[part, { strategy: 'lww', last, value }]]), deletion: null, revival: last },
      position,
      positions: new Map<FeedPart, number>([
        [part, position],
        ['revival', position],
      ]),
      texts: new Map(),
    },
  }
}

export function commitAt(
  position: number,
  rows: readonly FeedRow[],
  beside: Partial<SpaceCommit> = {},
): SpaceCommit {
  return {
    space: 'team',
    record: {
      position,
      fingerprint: emptyFingerprint,
      frontier: noPositions,
      generation: 'generation' as GenerationId,
      peers: new Map(),
    },
    rows: new Map(rows.map(held)),
    texts: [],
    writers: [],
    generations: [],
    ...beside,
  }
}

export function held({ key: name, held: value }: FeedRow): [DocumentKey, HeldRow] {
  return [name, value]
}
