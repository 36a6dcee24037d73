/**
 * The list of what a person has to decide: `ask` fields with several sides, and disputed deletions (SPEC K1-K5).
 *
 * A conflict is data, the same on every replica, so it appears once however many tabs are open, survives a restart,
 * and goes when somebody anywhere has settled it. A decision replaces exactly the sides that its maker was shown.
 */
import type { WriterId } from '@rejoin/core'
import type { AnyField, Collection, Collections, Fields } from './collection.ts'
import type { Live } from './live.ts'
import type { WriteHandle } from './write-handle.ts'

export interface ConflictSide<Value = unknown> {
  readonly value: Value
  /** The user who wrote it, as relays know them; null while it is not known here. */
  readonly who: string | null
  /** What people call the device that wrote it; null while it is not known here. */
  readonly device: string | null
  /** When it was written, in milliseconds since the epoch. */
  readonly when: number
  readonly writer: WriterId
  /** Whether this device wrote it. */
  readonly mine: boolean
}

interface ConflictPlace<Name extends string> {
  /** Names the conflict for as long as it is open, with the sides that it has. */
  readonly key: string
  readonly collection: Name
  readonly id: string
}

/** Several people wrote one `ask` field without knowing of each other. */
export interface FieldConflictOf<
  Name extends string = string,
  FieldName extends string = string,
  Value = unknown,
> extends ConflictPlace<Name> {
  readonly kind: 'field'
  readonly field: FieldName
  /** What all sides replaced; null if that is not one write. */
  readonly base: { readonly value: Value; readonly when: number } | null
  /** Earliest first. */
  readonly sides: readonly ConflictSide<Value>[]
  /** What everybody reads until it is settled (SPEC K2). */
  readonly provisional: Value
  /** `function`: nobody has to decide; the field's `merge` did, until somebody writes the field. */
  readonly settledBy: 'person' | 'function'
}

/** A document was deleted under the policy `ask`, and edited by somebody who did not know. */
export interface DeletionConflictOf<Name extends string = string> extends ConflictPlace<Name> {
  readonly kind: 'deletion'
  readonly field: null
  readonly base: null
  /** Who deleted, then who edited last. */
  readonly sides: readonly [ConflictSide<'delete'>, ConflictSide<'keep'>]
  readonly provisional: 'keep'
  readonly settledBy: 'person'
}

type AskFieldOf<F extends Fields> = {
  [K in keyof F & string]: 'ask' extends F[K]['strategy'] ? K : never
}[keyof F & string]

type ReadOf<F extends AnyField> = ReturnType<F['read']>

type ConflictIn<C> =
  C extends Collection<infer Name, infer F>
    ?
        | DeletionConflictOf<Name>
        | { [K in AskFieldOf<F>]: FieldConflictOf<Name, K, ReadOf<F[K]>> }[AskFieldOf<F>]
    : never

/** Any conflict of these collections, told apart by `collection`, `kind` and `field`. */
export type Conflict<C extends Collections = Collections> = ConflictIn<C[keyof C]>

/** `pick` is an index into `sides`; `value` a value of the field; `keep` what the field's strategy makes of all. */
export type Resolution<Open> = Open extends { readonly kind: 'deletion' }
  ? { readonly pick: 0 | 1 } | { readonly value: 'delete' | 'keep' }
  : Open extends { readonly provisional: infer Value }
    ? { readonly pick: number } | { readonly value: Value } | { readonly keep: 'all' }
    : never

export interface ResolveHandle extends WriteHandle {
  /** `already-settled`: none of its sides stands any more, so nothing was written. */
  readonly outcome: 'settled' | 'already-settled'
}

/** Open conflicts, the earliest first. */
export interface Conflicts<C extends Collections = Collections> extends Live<readonly Conflict<C>[]> {
  /**
   * Settles a conflict as it was shown; a side that came since stays beside the decision. Throws `value-unsupported`
   * for a side that does not exist or a value that the field refuses.
   */
  resolve<Open extends Conflict<C>>(conflict: Open, resolution: Resolution<Open>): ResolveHandle
}
