/**
 * Up to where this feed is on enough disks (SPEC A3): peers and followers say with each of their cuts how much of other
 * feeds they have on disk. What was once on so many disks is told, whoever is there later.
 */
import type { GenerationId, QuorumFrame, RelaySpace, StoreId } from '@rejoin/core'
import type { Attached } from './attached.ts'

export interface Quorum {
  /** What sessions are to be told; null while nothing is known. */
  readonly frame: QuorumFrame | null
  /** Peers may have said something new, or some came or went. Whether there is something to tell. */
  count(sessions: Iterable<Attached>): boolean
  /** A follower heard of its leader's. Whether it is new. */
  hear(frame: QuorumFrame): boolean
}

export function createQuorum(space: RelaySpace, generation: GenerationId, replicas: number): Quorum {
  let frame: QuorumFrame | null = null

  function move(next: QuorumFrame): boolean {
    if (frame?.generation === next.generation && frame.position >= next.position) return false
    frame = next
    return true
  }

  return {
    get frame() {
      return frame
    },
    count(sessions) {
      if (replicas === 0) return false
      const held = new Map<StoreId, number>()
      // Of two links of one relay the later one counts: its disk may have been put back in between.
      for (const { pull, session } of sessions)
        if (pull !== null) held.set(session.replica, pull.held(space.generations, generation, space.position))
      const position = [...held.values()].sort((a, b) => b - a)[replicas - 1] ?? 0
      return position > 0 && move({ type: 'quorum', generation, position })
    },
    hear: move,
  }
}
