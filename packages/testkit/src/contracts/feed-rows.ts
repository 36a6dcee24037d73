/** Rows, texts and commits that contracts of stores are told by. */
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
  type PartName,
  type RelayStore,
  type SpaceCommit,
  type WriterId,
  type WriterRecord,
} from '@rejoin/core'

export const alice: WriterId = writerFromBytes(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8))

export const bob: WriterId = writerFromBytes(Uint8Array.of(8, 7, 6, 5, 4, 3, 2, 1))
export const body: PartName = partName('text', 'body')

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

export function text(id: string, update: string): SpaceCommit['texts'][number] {
  return { key: key(id), part: body, update: new TextEncoder().encode(update) }
}

export function strings(updates: readonly Uint8Array[]): readonly string[] {
  return updates.map(update => new TextDecoder().decode(update))
}

export function writerRecord(writer: typeof alice, ms: number): WriterRecord {
  return { writer, user: 'alice', device: 'laptop', highest: { ms, tick: 3, writer } }
}

export async function collect(store: RelayStore, space: string): Promise<readonly FeedRow[]> {
  const rows: FeedRow[] = []
  for await (const slice of store.all(space)) rows.push(...slice)
  return rows
}
