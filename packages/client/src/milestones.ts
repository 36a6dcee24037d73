/**
 * How far each write has come (SPEC A2): visible, on this device's disk, on a relay's, on enough relays'; or refused, in
 * the quarantine.
 *
 * Nothing is remembered that the state tells: the outbox says where a write stands, and what a chunk took out of it without
 * refusing it was acknowledged, by as many relays as were wanted. Only where is remembered, since relays tell positions of
 * what is at quorum (SPEC A3); a replica in quorum mode counts itself. A write that is made anew keeps its promises under
 * its new name.
 */
import {
  addPosition,
  coversPosition,
  coversPositions,
  joinPositions,
  noPositions,
  RejoinError,
  type Chunk,
  type Failure,
  type Level,
  type Positions,
  type QuorumFrame,
  type ReplicaState,
  type Runtime,
  type Transaction,
  type TransactionId,
} from '@rejoin/core'
import { unsupported } from './field-errors.ts'
import { fateOf } from './overtaken.ts'
import { errorOfRefusal } from './refusal-words.ts'

export interface Milestones {
  /**
   * Resolves at the level. Rejects with `ack-timeout` (the write stands), `ack-unavailable`, `closed`, or the failure
   * that put the write into the quarantine. Whoever does not wait for the promise hears nothing of its rejection.
   */
  reached(
    id: TransactionId,
    level: Level,
    options?: { readonly timeoutMs?: number | undefined },
  ): Promise<void>
  /** A chunk was applied. */
  follow(chunk: Chunk): void
  /** These left the outbox, and no chunk said what became of them. */
  overtaken(transactions: readonly Transaction[]): void
  /** What relays told to be at quorum. */
  atQuorum(told: Positions): void
  /** The state was taken over as a whole, or other levels are to be had. */
  recheck(): void
  /** Own writes cannot be stored any more. */
  unsaved(id: TransactionId, error: unknown): void
  /** Refuses whatever waits, from now on too. */
  close(error: RejoinError): void
}

type Stage = 'visible' | Level

interface Waiter {
  readonly level: Stage
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

const rank: Readonly<Record<Stage, number>> = { visible: 0, local: 1, relay: 2, quorum: 3 }

/** Of so many writes that left the outbox it is known where a relay has each; of older ones, that it is not after some position. */
const acknowledgedMax = 65_536

export function createMilestones(
  state: ReplicaState,
  runtime: Pick<Runtime, 'after'>,
  levels: () => readonly Level[],
  awaitsLevels: () => boolean,
): Milestones {
  const waiting = new Map<TransactionId, Set<Waiter>>()
  const renamed = new Map<TransactionId, TransactionId>()
  const refused = new Map<TransactionId, Failure>()
  const lost = new Map<TransactionId, unknown>()
  /** Made anew, and nothing was left to be written: all that they took away is gone. */
  const done = new Set<TransactionId>()
  /** They left the outbox, and it cannot be known whether a relay has them. */
  const unknown = new Set<TransactionId>()
  /** The first is the oldest. */
  const acknowledged = new Map<TransactionId, Pick<QuorumFrame, 'generation' | 'position'>>()
  /** Whatever was acknowledged and is not among these stands no later: it is older, or nobody gave a quorum then. */
  let acknowledgedBefore: Positions = noPositions
  /** They left the outbox, and no verdict said where a relay has them. Beyond a bound, nothing is told of any. */
  const outOfSight = new Set<TransactionId>()
  let isBlind = false
  let quorum: Positions = noPositions
  let closed: RejoinError | null = null

  function nameOf(id: TransactionId): TransactionId {
    let current = id
    for (let next = renamed.get(current); next !== undefined; next = renamed.get(current)) current = next
    return current
  }

  function stageOf(id: TransactionId): Stage | { readonly error: unknown } {
    const failure = refused.get(id) ?? state.quarantine.get(id)?.error
    if (failure !== undefined) return { error: errorOfRefusal(failure) }
    if (done.has(id)) return 'quorum'
    const entry = state.outbox.get(id)
    if (unknown.has(id)) return 'local'
    const copies = entry === undefined ? state.copies.wanted : state.copiesOf(entry)
    if (copies > 0) return isAtQuorum(id, copies) ? 'quorum' : 'relay'
    if (entry !== undefined && entry.position > 0) return 'local'
    return lost.has(id) ? { error: lost.get(id) } : 'visible'
  }

  /** What is on a relay is there, whatever the token may do by now; what is in memory alone is on no disk. */
  function isBeyond(id: TransactionId, level: Level): boolean {
    const stage = stageOf(nameOf(id))
    return level !== 'local' && typeof stage === 'string' && rank[stage] >= rank[level]
  }

  function mayBeGiven(level: Level): boolean {
    return levels().includes(level) || (level === 'quorum' && awaitsLevels())
  }

  function isAtQuorum(id: TransactionId, copies: number): boolean {
    if (state.copies.level === 'quorum') return copies >= state.copies.wanted
    const { generations } = state
    const ack = acknowledged.get(id)
    if (ack !== undefined) return coversPosition(generations, quorum, ack.generation, ack.position)
    if (isBlind || outOfSight.has(id) || acknowledgedBefore.size === 0) return false
    return coversPositions(generations, quorum, acknowledgedBefore)
  }

  function acknowledge(id: TransactionId, at: Pick<QuorumFrame, 'generation' | 'position'>): void {
    acknowledged.set(id, at)
    if (acknowledged.size <= acknowledgedMax) return
    for (const [oldest, { generation, position }] of acknowledged) {
      forgetBefore(generation, position)
      return void acknowledged.delete(oldest)
    }
  }

  function forgetBefore(generation: QuorumFrame['generation'], position: number): void {
    acknowledgedBefore = addPosition(state.generations, acknowledgedBefore, generation, position)
  }

  function loseSight(id: TransactionId): void {
    if (outOfSight.size < acknowledgedMax) outOfSight.add(id)
    else isBlind = true
  }

  function rename(from: TransactionId, to: TransactionId): void {
    renamed.set(from, to)
    const waiters = waiting.get(from)
    if (waiters === undefined) return
    waiting.delete(from)
    waiting.set(to, new Set([...waiters, ...(waiting.get(to) ?? [])]))
    check(to)
  }

  function check(id: TransactionId): void {
    const waiters = waiting.get(id)
    if (waiters === undefined) return
    const stage = stageOf(id)
    // Whoever is told goes on later, so none comes meanwhile.
    for (const waiter of waiters) if (settle(waiter, id, stage)) waiters.delete(waiter)
    if (waiters.size === 0) waiting.delete(id)
  }

  function recheck(): void {
    for (const id of [...waiting.keys()]) check(id)
  }

  function settle(
    { level, resolve, reject }: Waiter,
    id: TransactionId,
    stage: ReturnType<typeof stageOf>,
  ): boolean {
    if (typeof stage === 'string') {
      if (rank[stage] >= rank[level]) resolve()
      else if (level === 'quorum' && !mayBeGiven(level)) reject(unavailable(level, levels()))
      else return false
    } else if (level === 'local' && !lost.has(id)) {
      // What is in the quarantine is on this disk.
      resolve()
    } else reject(stage.error)
    return true
  }

  function wait(id: TransactionId, level: Stage, timeoutMs: number | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      let cancel = (): void => {}
      const waiter: Waiter = {
        level,
        resolve: () => {
          cancel()
          resolve()
        },
        reject: error => {
          cancel()
          reject(error)
        },
      }
      const current = nameOf(id)
      const waiters = waiting.get(current)
      if (waiters === undefined) waiting.set(current, new Set([waiter]))
      else waiters.add(waiter)
      check(current)
      if (timeoutMs === undefined || waiting.get(current)?.has(waiter) !== true) return
      cancel = runtime.after(timeoutMs, () => {
        const now = nameOf(id)
        waiting.get(now)?.delete(waiter)
        const stage = stageOf(now)
        const isGiven = typeof stage === 'string' && (stage !== 'local' || levels().includes('local'))
        reject(timeout(isGiven ? stage : 'visible', level, timeoutMs))
      })
    })
  }

  return {
    reached(id, level, options) {
      const timeoutMs = options?.timeoutMs
      const promise =
        closed !== null
          ? Promise.reject(closed)
          : !mayBeGiven(level) && !isBeyond(id, level)
            ? Promise.reject(unavailable(level, levels()))
            : timeoutMs !== undefined && !(typeof timeoutMs === 'number' && timeoutMs >= 0)
              ? Promise.reject(unsupported('timeoutMs', 'it is milliseconds, 0 or more'))
              : wait(id, level, timeoutMs)
      promise.catch(() => {})
      return promise
    },
    follow(chunk) {
      switch (chunk.kind) {
        case 'met':
          return recheck()
        case 'pulled':
          // What is learned of a lineage decides which acknowledgements count (SPEC L2).
          if (chunk.generations.length > 0) recheck()
          return
        case 'settled':
          for (const id of chunk.ids) check(id)
          return
        case 'own':
          // Thousands may come at once, and few are waited for.
          if (waiting.size < chunk.transactions.length) recheck()
          else for (const { id } of chunk.transactions) check(id)
          return
        case 'verdicts': {
          const { generation, position } = chunk
          const at = mayBeGiven('quorum') ? { generation, position } : null
          let isForgotten = false
          for (const { id, outcome } of chunk.verdicts) {
            if (outcome.kind === 'acknowledged') {
              if (at === null) isForgotten = true
              else acknowledge(id, at)
            } else if (state.quarantine.has(id)) refused.set(id, outcome.error)
          }
          if (isForgotten) forgetBefore(generation, position)
          if (waiting.size > 0) for (const { id } of chunk.verdicts) check(id)
          return
        }
        case 'remade':
          for (const { from, to } of chunk.transactions) {
            if (to.writes.length === 0) done.add(to.id)
            else if (state.outbox.get(to.id) === undefined) continue
            rename(from, to.id)
          }
          for (const { id, error } of chunk.quarantined) {
            if (state.quarantine.has(id)) refused.set(id, error)
            check(id)
          }
          return
        default:
      }
    },
    overtaken(transactions) {
      for (const transaction of transactions) {
        const { id } = transaction
        const fate = fateOf(state, transaction)
        if (fate.kind === 'unknown') unknown.add(id)
        if (fate.kind === 'taken') loseSight(id)
        if (fate.kind !== 'there') continue
        const error = state.quarantine.get(fate.as)?.error
        if (error !== undefined) refused.set(fate.as, error)
        if (fate.as !== id) rename(id, fate.as)
      }
    },
    atQuorum(told) {
      quorum = joinPositions(state.generations, quorum, told)
      recheck()
    },
    recheck,
    unsaved(id, error) {
      lost.set(id, error)
      check(id)
    },
    close(error) {
      closed = error
      const all = [...waiting.values()]
      waiting.clear()
      for (const waiters of all) for (const waiter of waiters) waiter.reject(error)
    },
  }
}

function timeout(reached: string, wanted: Level | Stage, ms: number): RejoinError<'ack-timeout'> {
  const message = `the write is ${reached}, not yet ${wanted}, after ${ms} ms; it stands, and goes on its way`
  return new RejoinError('ack-timeout', { reached, wanted }, message)
}

/** A level that nothing here gives, and what it gives. */
export function unavailable(wanted: Level, given: readonly Level[]): RejoinError<'ack-unavailable'> {
  const available = [...new Set(given)].filter(level => level !== wanted)
  const message = `nothing here gives '${wanted}'; it gives ${available.join(', ') || 'no level'}`
  return new RejoinError('ack-unavailable', { wanted, available }, message)
}
