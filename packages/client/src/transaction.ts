/**
 * Transactions: several writes, judged as one, seen as one at every cut (SPEC W2).
 *
 * The callback is synchronous, since what it reads must not change under it. If it throws, nothing was written.
 */
import type { Collection, Collections } from './collection.ts'
import type { DocumentWriter } from './documents.ts'
import type { Drafts } from './drafts.ts'
import { unsupported } from './field-errors.ts'
import type { CollectionHandles } from './surface.ts'
import type { Transacted } from './write-handle.ts'

/** The collections inside a transaction. What they read includes what the transaction wrote. */
export type TransactionScope<C extends Collections> = {
  readonly [K in keyof C]: C[K] extends Collection<infer _Name, infer F> ? DocumentWriter<F> : never
}

/** What the compiler says of an asynchronous callback. */
export interface SynchronousOnly {
  readonly 'a transaction is synchronous: await before or after it, not inside': never
}

/**
 * Runs a callback as one transaction. Writes to this replica by other handles during the callback belong to it too.
 * Throws what the callback throws; `value-unsupported` if it returns a promise or is nested; `transaction-too-large`.
 */
export type Transact<C extends Collections> = <T>(
  run: (tx: TransactionScope<C>) => T & (T extends PromiseLike<unknown> ? SynchronousOnly : unknown),
) => Transacted<T>

export function createTransact<C extends Collections>(
  drafts: Drafts,
  handles: CollectionHandles<C>,
): Transact<C> {
  // While the draft is open every handle writes into it and reads from it, so the scope is the handles themselves.
  const scope = handles as unknown as TransactionScope<C>
  return run => {
    if (typeof run !== 'function') throw unsupported('transact', 'a transaction is made by a callback')
    return drafts.transact(() => run(scope))
  }
}
