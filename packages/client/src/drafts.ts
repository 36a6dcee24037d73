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
  run<T>(make: (draft: Draft) => T): { readonly value: T } & Reachable
  /** Opens a draft for the time of a callback. Throws `value-unsupported` if one is open. */
  transact<T>(make: () => T): { readonly value: T } & Reachable
  /** The row as seen here, the open draft included. */
  row(key: DocumentKey): Row | undefined
  /** Whether a draft is open. */
  readonly open: boolean
}

interface OpenDraft extends Draft, Reachable {
  commit(): void
  discard(): void
}

export function createDrafts(core: ReplicaCore, changes: Changes): Drafts {
  let open: OpenDraft | null = null

  function within<T>(draft: OpenDraft, make: () => T): { readonly value: T } & Reachable {
    open = draft
    try {
      const value = make()
      if (isThenable(value)) throw asynchronous(value)
      draft.commit()
      return { value, reached: draft.reached }
    } catch (error) {
      draft.discard()
      throw error
    } finally {
      open = null
    }
  }

  return {
    get open() {
      return open !== null
    },
    row: key => open?.row(key) ?? core.state.visible(key),
    run(make) {
      if (core.closed) throw closed('replica')
      if (open === null) {
        const draft = openDraft(core, changes)
        return within(draft, () => make(draft))
      }
      return { value: make(open), reached: open.reached }
    },
    transact(make) {
      if (core.closed) throw closed('replica')
      if (open !== null) throw misuse('a transaction cannot be made inside another one')
      return within(openDraft(core, changes), make)
    },
  }
}

function openDraft(core: ReplicaCore, changes: Changes): OpenDraft {
  /** Rows as this draft sees them, with its first `joined` writes in them: most drafts are read no more. */
  const rows = new Map<DocumentKey, Row>()
  let joined = 0
  const writes: Write[] = []
  const later: (() => Reachable)[] = []
  let following: readonly Reachable[] = []
  let transaction: Transaction | null = null
  let stage: 'open' | 'committed' | 'discarded' = 'open'
  let bytes = 0

  function row(key: DocumentKey): Row | undefined {
    for (; joined < writes.length; joined++) {
      const write = writes[joined]
      if (write === undefined) continue
      const seen = rows.get(write.key) ?? core.state.visible(write.key)
      rows.set(write.key, seen === undefined ? write.delta : joinRows(seen, write.delta))
    }
    return rows.get(key) ?? core.state.visible(key)
  }

  return {
    row,
    nextMark: seen => core.nextMark(lastOfRow(seen)),
    add(write) {
      const size = bytes + sizeOfWrite(write)
      if (size > limits.submitBytesMax) throw tooLarge(size)
      if (writes.length === limits.writesPerTransactionMax) throw tooMany(writes.length + 1)
      bytes = size
      writes.push(write)
    },
    afterwards: run => void later.push(run),
    commit() {
      if (writes.length > 0) {
        transaction = core.commit(writes)
        changes.note(writes.map(write => write.key))
      }
      stage = 'committed'
      following = later.map(run => run())
    },
    discard() {
      stage = 'discarded'
    },
    reached(level, options) {
      const reaching = reach(level, options)
      // Whoever does not wait for it is not told that it failed.
      reaching.catch(() => undefined)
      return reaching
    },
  }

  async function reach(level: Level, options: ReachedOptions | undefined): Promise<void> {
    // Asked for inside a transaction, it waits for its end, which comes before any microtask.
    if (stage === 'open') await Promise.resolve()
    if (stage !== 'committed') throw closed('transaction')
    const all = following.map(one => one.reached(level, options))
    if (transaction !== null) all.push(core.reached(transaction.id, level, options))
    await Promise.all(all)
  }
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
