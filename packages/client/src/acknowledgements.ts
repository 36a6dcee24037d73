/**
 * Where relays have own writes that left the outbox, since relays tell positions of what is at quorum (SPEC A3). A replica
 * in quorum mode counts itself, and needs none of it.
 *
 * Invariant: of none it is said that it is at quorum unless a relay told that of its position or of a later one.
 */
import {
  addPosition,
  coversPosition,
  coversPositions,
  joinPositions,
  noPositions,
  type Positions,
  type QuorumFrame,
  type ReplicaState,
  type TransactionId,
} from '@rejoin/core'

export type Place = Pick<QuorumFrame, 'generation' | 'position'>

export interface Acknowledgements {
  note(id: TransactionId, at: Place): void
  /** Some were acknowledged there, of which none needs to be known by itself. */
  noteUnnamed(at: Place): void
  /** It left the outbox, and no verdict said where a relay has it. */
  loseSight(id: TransactionId): void
  /** What relays told to be at quorum. */
  atQuorum(told: Positions): void
  isAtQuorum(id: TransactionId): boolean
}

/** Of so many it is known where a relay has each; of older ones, that it is not after some position. */
const acknowledgedMax = 65_536

export function createAcknowledgements({ generations }: Pick<ReplicaState, 'generations'>): Acknowledgements {
  /** The first is the oldest. */
  const acknowledged = new Map<TransactionId, Place>()
  /** Whatever was acknowledged and is not among these stands no later: it is older, or nobody gave a quorum then. */
  let acknowledgedBefore: Positions = noPositions
  const outOfSight = new Set<TransactionId>()
  /** More are out of sight than are remembered: then nothing is told of any. */
  let isBlind = false
  let quorum: Positions = noPositions

  function noteUnnamed({ generation, position }: Place): void {
    acknowledgedBefore = addPosition(generations, acknowledgedBefore, generation, position)
  }

  return {
    note(id, at) {
      acknowledged.set(id, at)
      if (acknowledged.size <= acknowledgedMax) return
      for (const [oldest, place] of acknowledged) {
        noteUnnamed(place)
        return void acknowledged.delete(oldest)
      }
    },
    noteUnnamed,
    loseSight(id) {
      if (outOfSight.size < acknowledgedMax) outOfSight.add(id)
      else isBlind = true
    },
    atQuorum(told) {
      quorum = joinPositions(generations, quorum, told)
    },
    isAtQuorum(id) {
      const at = acknowledged.get(id)
      if (at !== undefined) return coversPosition(generations, quorum, at.generation, at.position)
      if (isBlind || outOfSight.has(id) || acknowledgedBefore.size === 0) return false
      return coversPositions(generations, quorum, acknowledgedBefore)
    },
  }
}
