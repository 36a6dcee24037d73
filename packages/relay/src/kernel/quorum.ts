/**
 * Up to where feeds are on enough disks (SPEC A3): peers and followers say with each of their cuts how much of this feed
 * they have on disk, and which others they know to be on enough, for clients that come from there. What was once on so
 * many disks is told, whoever is there later.
 */
import {
  addPosition,
  noPositions,
  type GenerationId,
  type Positions,
  type QuorumFrame,
  type RelaySpace,
  type StoreId,
} from '@rejoin/core'
import type { Attached } from './attached.ts'

export interface Quorum {
  /** What sessions are to be told. */
  readonly positions: Positions
  /** Peers may have said something new, or some came or went. Whether there is something to tell. */
  count(sessions: Iterable<Attached>): boolean
  /** Another relay knows of it. Whether it is new. */
  hear(frame: QuorumFrame): boolean
}

export function createQuorum(space: RelaySpace, generation: GenerationId, replicas: number): Quorum {
  let positions = noPositions

  function add(id: GenerationId, position: number): boolean {
    const before = positions
    positions = addPosition(space.generations, positions, id, position)
    return positions !== before
  }

  return {
    get positions() {
      return positions
    },
    count(sessions) {
      if (replicas === 0) return false
      const held = new Map<StoreId, number>()
      // Of two links of one relay the later one counts: its disk may have been put back in between.
      for (const { pull, session } of sessions)
        if (pull !== null) held.set(session.replica, pull.held(space.generations, generation, space.position))
      const position = [...held.values()].sort((a, b) => b - a)[replicas - 1] ?? 0
      return add(generation, position)
    },
    hear: frame => add(frame.generation, frame.position),
  }
}
