// A process that commits to a store until it is killed, and prints the position of each commit once it is acknowledged.
import { writeSync } from 'node:fs'
import {
  documentKey,
  emptyFingerprint,
  emptyRow,
  noPositions,
  partName,
  type GenerationId,
  type HeldRow,
  type SpaceCommit,
} from '@rejoin/core'
import { sqlite } from '@rejoin/relay'

const store = await sqlite(process.argv[2] ?? '')()
for (let position = 1; ; ) {
  const group: Promise<void>[] = []
  for (let n = 0; n < 1 + (position % 7); n++) group.push(write(position++))
  await Promise.all(group)
}

async function write(position: number): Promise<void> {
  await store.commit(commitAt(position))
  writeSync(1, `${position}\n`)
}

function commitAt(position: number): SpaceCommit {
  const held: HeldRow = { row: emptyRow, position, positions: new Map(), texts: new Map() }
  const ids = [`${position}`, `${position} again`]
  const record = {
    position,
    fingerprint: emptyFingerprint,
    frontier: noPositions,
    generation: 'generation' as GenerationId,
  }
  return {
    space: 'team',
    record: { ...record, peers: new Map() },
    rows: new Map(ids.map(id => [documentKey('notes', id), held])),
    texts: [
      { key: documentKey('notes', 'shared'), part: partName('text', 'body'), update: Uint8Array.of(1) },
    ],
    writers: [],
    generations: [],
  }
}
