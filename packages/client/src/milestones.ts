/**
 * Who waits until an own write has come so far (SPEC A2), and is told when it has, or comes no further.
 *
 * Invariant: whoever waits is looked at whenever the stage of that write may have changed (write-stages.ts); so a promise
 * that can be kept is kept at once. A write that is made anew keeps its promises under its new name.
 */
import {
  RejoinError,
  type Chunk,
  type Level,
  type Positions,
  type ReplicaState,
  type Runtime,
  type Transaction,
  type TransactionId,
} from '@rejoin/core'
import { unsupported } from './field-errors.ts'
import { createWriteStages, hasReached, type Stage } from './write-stages.ts'

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

interface Waiter {
  readonly level: Stage
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

export function createMilestones(
  state: ReplicaState,
  runtime: Pick<Runtime, 'after'>,
  levels: () => readonly Level[],
  awaitsLevels: () => boolean,
): Milestones {
  const waiting = new Map<TransactionId, Set<Waiter>>()
  const stages = createWriteStages(state)
  let closed: RejoinError | null = null

  /** What is on a relay is there, whatever the token may do by now; what is in memory alone is on no disk. */
  function isBeyond(id: TransactionId, level: Level): boolean {
    const stage = stages.stageOf(stages.nameOf(id))
    return level !== 'local' && typeof stage === 'string' && hasReached(stage, level)
  }

  function mayBeGiven(level: Level): boolean {
    return levels().includes(level) || (level === 'quorum' && awaitsLevels())
  }

  function moveWaiters(from: TransactionId, to: TransactionId): void {
    const waiters = waiting.get(from)
    if (waiters === undefined) return
    waiting.delete(from)
    waiting.set(to, new Set([...waiters, ...(waiting.get(to) ?? [])]))
    check(to)
  }

  function check(id: TransactionId): void {
    const waiters = waiting.get(id)
    if (waiters === undefined) return
    const stage = stages.stageOf(id)
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
    stage: ReturnType<typeof stages.stageOf>,
  ): boolean {
    if (typeof stage === 'string') {
      if (hasReached(stage, level)) resolve()
      else if (level === 'quorum' && !mayBeGiven(level)) reject(unavailable(level, levels()))
      else return false
    } else if (level === 'local' && !stages.isUnsaved(id)) {
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
      const current = stages.nameOf(id)
      const waiters = waiting.get(current)
      if (waiters === undefined) waiting.set(current, new Set([waiter]))
      else waiters.add(waiter)
      check(current)
      if (timeoutMs === undefined || waiting.get(current)?.has(waiter) !== true) return
      cancel = runtime.after(timeoutMs, () => {
        const now = stages.nameOf(id)
        waiting.get(now)?.delete(waiter)
        const stage = stages.stageOf(now)
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
        case 'verdicts':
          stages.judged(chunk, mayBeGiven('quorum'))
          if (waiting.size > 0) for (const { id } of chunk.verdicts) check(id)
          return
        case 'remade':
          for (const { from, to } of chunk.transactions) if (stages.remade(from, to)) moveWaiters(from, to.id)
          for (const { id, error } of chunk.quarantined) {
            stages.refused(id, error)
            check(id)
          }
          return
        default:
      }
    },
    overtaken(transactions) {
      for (const transaction of transactions) {
        const name = stages.overtaken(transaction)
        if (name !== transaction.id) moveWaiters(transaction.id, name)
      }
    },
    atQuorum(told) {
      stages.atQuorum(told)
      recheck()
    },
    recheck,
    unsaved(id, error) {
      stages.unsaved(id, error)
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
