/** Where a space stands: everything of it but its rows, as of the last commit on disk. */
import { emptyFingerprint } from '../fingerprint.ts'
import type { Level } from '../frames.ts'
import {
  addPosition,
  noPositions,
  type Generation,
  type GenerationId,
  type Positions,
  type StoreId,
} from '../generations.ts'
import type { ScreenText } from '../judge/texts.ts'
import type { LoadedSpace, SpaceRecord } from '../relay-store.ts'
import { createOrigins, type Origins } from './origins.ts'

export interface SpaceOptions {
  readonly name: string
  readonly store: StoreId
  /** Of this opening of the store. */
  readonly generation: GenerationId
  readonly screen: ScreenText
  /** How it begins: a relay that follows none is its own leader. */
  readonly lead: Lead
}

/** Who judges here, and which levels that gives (SPEC Q2, A3). */
export interface Lead {
  /** Null where a follower has not met its leader yet. */
  readonly leader: StoreId | null
  readonly levels: readonly Level[]
}

/** Plain fields, since spaces are many: an object with getters of its own takes a kilobyte more. */
export interface Standing extends SpaceOptions {
  lead: Lead
  readonly generations: Map<GenerationId, Generation>
  record: SpaceRecord
  /** The record's. */
  position: number
  /** What the record says, and all of its own feed. */
  frontier: Positions
  /** Facts that no commit has brought yet: the first one brings that of this opening. They stay true if it fails. */
  unstored: readonly Generation[]
  readonly origins: Origins
}

export function standingOf(options: SpaceOptions, loaded: LoadedSpace): Standing {
  const { store, generation } = options
  const generations = new Map<GenerationId, Generation>()
  for (const fact of loaded.generations) generations.set(fact.id, fact)
  const record: SpaceRecord = loaded.record ?? {
    position: 0,
    fingerprint: emptyFingerprint,
    frontier: noPositions,
    generation,
    peers: noPeers,
  }
  let unstored = nothingUnstored
  if (!generations.has(generation)) {
    // A relay appends its generation to a space's lineage with the first commit or hello there.
    const parent = loaded.record?.generation ?? null
    const fact: Generation = { id: generation, store, parent, start: record.position }
    generations.set(generation, fact)
    unstored = [fact]
  }
  const origins = createOrigins()
  const standing = { ...options, generations, record, position: 0, frontier: noPositions, unstored, origins }
  moveOn(standing, record)
  standing.unstored = unstored
  return standing
}

/** A commit is on disk. */
export function moveOn(standing: Standing, record: SpaceRecord): void {
  const { generations, generation } = standing
  standing.record = record
  standing.position = record.position
  standing.frontier = addPosition(generations, record.frontier, generation, record.position)
  standing.unstored = nothingUnstored
}

// Spaces are many: what is empty in most of them is one thing for all.
const nothingUnstored: Standing['unstored'] = []
const noPeers: SpaceRecord['peers'] = new Map()
