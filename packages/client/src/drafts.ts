/**
 * Drafts: the writes of one transaction while it is being made.
 *
 * What reads inside it sees is the visible row joined with the draft's writes. A write is added whole or not at all,
 * and a draft is committed whole or not at all; so a throw anywhere leaves nothing behind (SPEC W2).
 */
import {
  joinRows,
  lastOfRow,
  limits,
  RejoinError,
  sizeOfWrite,
  sizeOfWriteAtMost,
  sizeOfWrites,
  type DocumentKey,
  type Level,
  type Mark,
  type Row,
  type Transaction,
  type Write,
} from '@rejoin/core'
import type { Changes } from './changes.ts'
import type { ReplicaCore } from './replica-core.ts'
import type { Reachable, ReachedOptions } from './write-handle.ts'

export interface Draft {
  row(key: DocumentKey): Row | undefined
  /** A mark for the next write over a row as this draft sees it (SPEC W4). */
  nextMark(row: Row | undefined): Mark
  /** Throws `transaction-too-large` or `limit-exceeded` if there is no room for it. */
  add(write: Write): void
  /** Runs once the draft is committed; what it gives back must reach a level too. */
  afterwards(run: () => Reachable): void
}

export interface Drafts {
  /** Runs in the open draft, or in one of its own that is committed when it returns. */
  run(make: (draft: Draft) => void): Reachable
  /** Opens a draft for the time of a callback. Throws `value-unsupported` if one is open. */
  transact<T>(make: (draft: Draft) => T): { readonly value: T } & Reachable
  /** The row as seen here, the open draft included. */
  row(key: DocumentKey): Row | undefined
  /** Whether a draft is open. */
  isOpen(): boolean
}

/** How far a transaction came, for those who ask how far its writes came: all that is kept of it beside its writes. */
interface Outcome extends Reachable {
  stage: 'open' | 'committed' | 'discarded'
  transaction: Transaction | null
  following: readonly Reachable[]
}

export function createDrafts(core: ReplicaCore, changes: Changes): Drafts {
  // Only one is open at a time, and thousands are in a row; so what they hold is here, and begun anew with each.
  let open: Outcome | null = null
  let writes: Write[] = noWrites
  let later: (() => Reachable)[] | null = null
  /** How many bytes they take at most; and so many of them exactly. */
  let bytes = 0
  let measured = { count: 0, bytes: 0 }
  /** The greatest of the keys that they touch. */
  let lastKey = noKey
  /** Rows as the draft sees them, with its first `joined` writes in them: most drafts are read no more. */
  let rows: Map<DocumentKey, Row> | null = null
  let joined = 0

  const draft: Draft = {
    row(key) {
      // Thousands are as a rule inserted in the order of their ids: then none of them is looked up among the others.
      if (key > lastKey) return core.state.visible(key)
      for (; joined < writes.length; joined++) {
        const write = writes[joined]
        if (write === undefined) continue
        rows ??= new Map()
        const seen = rows.get(write.key) ?? core.state.visible(write.key)
        rows.set(write.key, seen === undefined ? write.delta : joinRows(seen, write.delta))
      }
      return rows?.get(key) ?? core.state.visible(key)
    },
    nextMark: seen => core.nextMark(lastOfRow(seen)),
    add(write) {
      const most = sizeOfWriteAtMost(write)
      let size = bytes + most
      // Most texts take less than they might: of those before it that is known then, so it is seldom asked again.
      if (size > limits.submitBytesMax) size = measure() + most
      if (size > limits.submitBytesMax) size = measured.bytes + sizeOfWrite(write)
      if (size > limits.submitBytesMax) throw tooLarge(size)
      if (writes.length === limits.writesPerTransactionMax) throw tooMany(writes.length + 1)
      bytes = size
      if (write.key > lastKey) lastKey = write.key
      // Most transactions are one write, and stay for long: a list that grew keeps room for sixteen more.
      if (writes.length === 0) writes = [write]
      else writes.push(write)
    },
    afterwards(run) {
      later ??= []
      later.push(run)
    },
  }

  function measure(): number {
    measured.bytes += sizeOfWrites(writes, measured.count)
    measured.count = writes.length
    return measured.bytes
  }

  function begin(): Outcome {
    writes = noWrites
    later = null
    bytes = 0
    if (measured.count > 0) measured = { count: 0, bytes: 0 }
    lastKey = noKey
    rows = null
    joined = 0
    const outcome: Outcome = {
      stage: 'open',
      transaction: null,
      following: nothingFollows,
      reached: (level, options) => reachOf(core, outcome, level, options),
    }
    return outcome
  }

  function commit(outcome: Outcome): void {
    if (writes.length > 0) {
      const { transaction, changed } = core.commit(writes, bytes)
      outcome.transaction = transaction
      changes.note(changed)
    }
    outcome.stage = 'committed'
    if (later !== null) outcome.following = later.map(run => run())
  }

  function within<T>(outcome: Outcome, make: (draft: Draft) => T): T {
    open = outcome
    try {
      const value = make(draft)
      if (isThenable(value)) throw asynchronous(value)
      commit(outcome)
      return value
    } catch (error) {
      outcome.stage = 'discarded'
      throw error
    } finally {
      open = null
    }
  }

  return {
    isOpen: () => open !== null,
    row: key => (open === null ? core.state.visible(key) : draft.row(key)),
    run(make) {
      if (core.closed) throw closed('replica')
      const outcome = open ?? begin()
      if (open === null) within(outcome, make)
      else make(draft)
      return outcome
    },
    transact(make) {
      if (core.closed) throw closed('replica')
      if (open !== null) throw misuse('a transaction cannot be made inside another one')
      const outcome = begin()
      return { value: within(outcome, make), reached: outcome.reached }
    },
  }
}

const noWrites: Write[] = []
/** Before all others. */
const noKey = '' as DocumentKey
const nothingFollows: Outcome['following'] = []

function reachOf(
  core: ReplicaCore,
  outcome: Outcome,
  level: Level,
  options: ReachedOptions | undefined,
): Promise<void> {
  const { stage, transaction, following } = outcome
  // Nearly all that is asked for is one transaction, which who waits for each write waits for as briefly as can be.
  if (stage === 'committed' && transaction !== null && following.length === 0)
    return core.reached(transaction.id, level, options)
  const reaching = reach(core, outcome, level, options)
  // Whoever does not wait for it is not told that it failed.
  reaching.catch(() => undefined)
  return reaching
}

async function reach(
  core: ReplicaCore,
  outcome: Outcome,
  level: Level,
  options: ReachedOptions | undefined,
): Promise<void> {
  // Asked for inside a transaction, it waits for its end, which comes before any microtask.
  if (outcome.stage === 'open') await Promise.resolve()
  const { stage, transaction, following } = outcome
  if (stage !== 'committed') throw closed('transaction')
  const all = following.map(one => one.reached(level, options))
  if (transaction !== null) all.push(core.reached(transaction.id, level, options))
  await Promise.all(all)
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

/** What an asynchronous callback still does after this comes too late, and so does what it throws. */
function asynchronous(value: PromiseLike<unknown>): RejoinError<'value-unsupported'> {
  value.then(undefined, () => undefined)
  return misuse('the callback of a transaction is synchronous: await before or after it, not inside')
}

function misuse(reason: string): RejoinError<'value-unsupported'> {
  return new RejoinError('value-unsupported', { path: 'transact', reason }, reason)
}

function closed(what: string): RejoinError<'closed'> {
  return new RejoinError(
    'closed',
    { what },
    `the ${what} is closed, so nothing can be written by it any more`,
  )
}

function tooLarge(bytes: number): RejoinError<'transaction-too-large'> {
  const limit = limits.submitBytesMax
  const advice = 'write it as several transactions'
  return new RejoinError(
    'transaction-too-large',
    { bytes, limit },
    `about ${bytes} bytes, at most ${limit}: ${advice}`,
  )
}

function tooMany(actual: number): RejoinError<'limit-exceeded'> {
  const limit = limits.writesPerTransactionMax
  const details = { what: 'writes of a transaction', limit, actual }
  return new RejoinError('limit-exceeded', details, `a transaction has at most ${limit} writes`)
}
