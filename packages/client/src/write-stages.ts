/**
 * How far each own write has come: visible, on this device's disk, on a relay's, on enough relays'; or refused, or lost.
 *
 * Nothing is remembered that the state tells: the outbox says where a write stands, and what a chunk took out of it without
 * refusing it was acknowledged, by as many relays as were wanted. A write that is made anew stands under its new name.
 */
import type { Chunk, Failure, Level, Positions, ReplicaState, Transaction, TransactionId } from '@rejoin/core'
import { createAcknowledgements } from './acknowledgements.ts'
import { fateOf } from './overtaken.ts'
import { errorOfRefusal } from './refusal-words.ts'

export type Stage = 'visible' | Level

export interface WriteStages {
  /** The name that it has by now. */
  nameOf(id: TransactionId): TransactionId
  /** Of a write, by the name that it has by now; or why it comes no further. */
  stageOf(id: TransactionId): Stage | { readonly error: unknown }
  /** Verdicts came. `isQuorumGiven`: whether relays will tell of some that they are at quorum. */
  judged(chunk: Extract<Chunk, { readonly kind: 'verdicts' }>, isQuorumGiven: boolean): void
  /** Whether the promises of the one are to be kept under the name of the other. */
  remade(from: TransactionId, to: Transaction): boolean
  /** It may have been put into the quarantine. */
  refused(id: TransactionId, error: Failure): void
  /** It left the outbox, and no chunk said what became of it. The name that it has by now. */
  overtaken(transaction: Transaction): TransactionId
  /** What relays told to be at quorum. */
  atQuorum(told: Positions): void
  /** It cannot be stored any more. */
  unsaved(id: TransactionId, error: unknown): void
  isUnsaved(id: TransactionId): boolean
}

const rank: Readonly<Record<Stage, number>> = { visible: 0, local: 1, relay: 2, quorum: 3 }

export function hasReached(stage: Stage, wanted: Stage): boolean {
  return rank[stage] >= rank[wanted]
}

export function createWriteStages(state: ReplicaState): WriteStages {
  const acknowledgements = createAcknowledgements(state)
  const renamed = new Map<TransactionId, TransactionId>()
  const refusals = new Map<TransactionId, Failure>()
  const lost = new Map<TransactionId, unknown>()
  /** Made anew, and nothing was left to be written: all that they took away is gone. */
  const done = new Set<TransactionId>()
  /** They left the outbox, and it cannot be known whether a relay has them. */
  const unknown = new Set<TransactionId>()

  function isAtQuorum(id: TransactionId, copies: number): boolean {
    return state.copies.level === 'quorum' ? copies >= state.copies.wanted : acknowledgements.isAtQuorum(id)
  }

  return {
    nameOf(id) {
      let current = id
      for (let next = renamed.get(current); next !== undefined; next = renamed.get(current)) current = next
      return current
    },
    stageOf(id) {
      const failure = refusals.get(id) ?? state.quarantine.get(id)?.error
      if (failure !== undefined) return { error: errorOfRefusal(failure) }
      if (done.has(id)) return 'quorum'
      const entry = state.outbox.get(id)
      if (unknown.has(id)) return 'local'
      const copies = entry === undefined ? state.copies.wanted : state.copiesOf(entry)
      if (copies > 0) return isAtQuorum(id, copies) ? 'quorum' : 'relay'
      if (entry !== undefined && entry.position > 0) return 'local'
      return lost.has(id) ? { error: lost.get(id) } : 'visible'
    },
    judged({ verdicts, generation, position }, isQuorumGiven) {
      const at = { generation, position }
      let isForgotten = false
      for (const { id, outcome } of verdicts) {
        if (outcome.kind === 'acknowledged') {
          if (isQuorumGiven) acknowledgements.note(id, at)
          else isForgotten = true
        } else if (state.quarantine.has(id)) refusals.set(id, outcome.error)
      }
      if (isForgotten) acknowledgements.noteUnnamed(at)
    },
    remade(from, to) {
      if (to.writes.length === 0) done.add(to.id)
      else if (state.outbox.get(to.id) === undefined) return false
      renamed.set(from, to.id)
      return true
    },
    refused(id, error) {
      if (state.quarantine.has(id)) refusals.set(id, error)
    },
    overtaken(transaction) {
      const { id } = transaction
      const fate = fateOf(state, transaction)
      if (fate.kind === 'unknown') unknown.add(id)
      if (fate.kind === 'taken') acknowledgements.loseSight(id)
      if (fate.kind !== 'there') return id
      const error = state.quarantine.get(fate.as)?.error
      if (error !== undefined) refusals.set(fate.as, error)
      if (fate.as !== id) renamed.set(id, fate.as)
      return fate.as
    },
    atQuorum: acknowledgements.atQuorum,
    unsaved: (id, error) => void lost.set(id, error),
    isUnsaved: id => lost.has(id),
  }
}
