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

export interface Standing extends Omit<SpaceOptions, 'lead'> {
  lead: Lead
  readonly generations: Map<GenerationId, Generation>
  readonly record: SpaceRecord
  readonly position: number
  /** What the record says, and all of its own feed. */
  readonly frontier: Positions
  /** Facts that no commit has brought yet: the first one brings that of this opening. */
  readonly unstored: readonly Generation[]
  /** A commit is on disk. */
  moveOn(record: SpaceRecord): void
  /** Nothing of a commit is on disk, but its facts stay true: the next commit brings them. */
  keep(facts: readonly Generation[]): void
}

export function createStanding(options: SpaceOptions, loaded: LoadedSpace): Standing {
  const { store, generation } = options
  const generations = new Map(loaded.generations.map(fact => [fact.id, fact]))
  let record: SpaceRecord = loaded.record ?? {
    position: 0,
    fingerprint: emptyFingerprint,
    frontier: noPositions,
    generation,
    peers: new Map(),
  }
  let unstored: readonly Generation[] = []
  if (!generations.has(generation)) {
    // A relay appends its generation to a space's lineage with the first commit or hello there.
    const parent = loaded.record?.generation ?? null
    const fact: Generation = { id: generation, store, parent, start: record.position }
    generations.set(generation, fact)
    unstored = [fact]
  }
  const withOwn = (): Positions => addPosition(generations, record.frontier, generation, record.position)
  let frontier = withOwn()

  return {
    ...options,
    generations,
    get record() {
      return record
    },
    get position() {
      return record.position
    },
    get frontier() {
      return frontier
    },
    get unstored() {
      return unstored
    },
    moveOn(next) {
      record = next
      frontier = withOwn()
      unstored = []
    },
    keep(facts) {
      unstored = facts
    },
  }
}
