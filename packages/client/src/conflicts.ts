/**
 * The list of what a person has to decide: `ask` fields with several sides, and disputed deletions (SPEC K1-K5).
 *
 * A conflict is data, the same on every replica, so it appears once however many tabs are open, survives a restart,
 * and goes when somebody anywhere has settled it. A decision replaces exactly the sides that its maker was shown.
 */
import {
  documentKey,
  formatMark,
  isDeletionDisputed,
  isSameBytes,
  rowExists,
  type AskCell,
  type DocumentKey,
  type Row,
  type WriterId,
} from '@rejoin/core'
import type { Changes } from './changes.ts'
import type { AnyField, Collection, Collections, Fields } from './collection.ts'
import type { ConflictList } from './conflict-list.ts'
import { writeCells, writeDeletion, writeRevival } from './document-writes.ts'
import type { Draft, Drafts } from './drafts.ts'
import { inField, unsupported } from './field-errors.ts'
import { createLive, type Live } from './live.ts'
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
   * for a side that does not exist or a value that the field refuses, `limit-exceeded` for one that is too large.
   */
  resolve<Open extends Conflict<C>>(conflict: Open, resolution: Resolution<Open>): ResolveHandle
}

/** What settling conflicts needs. */
export interface ConflictContext {
  readonly collections: Collections
  readonly drafts: Drafts
  readonly changes: Changes
  readonly list: ConflictList
}

export function createConflicts<C extends Collections>(context: ConflictContext): Conflicts<C> {
  const { changes, list } = context
  const live = createLive<readonly Conflict[]>(changes, { read: () => list.read() })
  function resolve(conflict: Conflict, resolution: AnyResolution): ResolveHandle {
    if (typeof conflict !== 'object' || conflict === null)
      throw unsupported('conflict', 'it is one of those in the list of conflicts')
    if (typeof resolution !== 'object' || resolution === null)
      throw unsupported('resolution', 'it is { pick }, { value } or { keep }')
    return conflict.kind === 'deletion'
      ? settleDeletion(context, conflict, resolution)
      : settleField(context, conflict, resolution)
  }
  const conflicts: Live<readonly Conflict[]> & { readonly resolve: typeof resolve } = { ...live, resolve }
  // The list is found by the names of the declared fields, so its members are what their types say.
  return conflicts as unknown as Conflicts<C>
}

type AnyResolution = { readonly pick: number } | { readonly value: unknown } | { readonly keep: 'all' }

function settleField(
  context: ConflictContext,
  conflict: FieldConflictOf,
  resolution: AnyResolution,
): ResolveHandle {
  const { collection, key, shown } = siteOf(context, conflict)
  const declared = collection.parts.find(({ name }) => name === conflict.field)
  const settle = declared?.field.settle
  if (declared === undefined || settle === undefined)
    throw unsupported(conflict.field, 'no such field can conflict')
  const { part, field } = declared
  return change(context, conflict.id, draft => {
    const seen = draft.row(key)
    const cell = seen?.cells.get(part)
    if (cell?.strategy !== 'ask' || !rowExists(seen)) return false
    const then = shown?.cells.get(part)
    const decided = then?.strategy === 'ask' ? then : onlyShown(cell, conflict)
    const standing = new Set(cell.siblings.map(sibling => formatMark(sibling.mark)))
    const isOpen = decided.siblings.some(sibling => standing.has(formatMark(sibling.mark)))
    if (!isOpen || (field.conflict?.(cell) ?? null) === null) return false
    const mark = draft.nextMark(seen)
    // A resolution is typed by the field of its conflict; here fields are a record by name.
    const chosen = shown === undefined ? byValue(resolution, conflict) : resolution
    const settled = inField(collection, conflict.field, () =>
      settle(chosen as never, { mark, seen: decided }),
    )
    draft.add(writeCells({ collection, key, seen, mark }, new Map([[part, settled]])))
    return true
  })
}

/** Of a conflict that is known by what it says alone: the sides that it shows, and no other that came since. */
function onlyShown(cell: AskCell, { sides }: FieldConflictOf): AskCell {
  const shown = cell.siblings.filter(({ mark }) =>
    sides.some(({ writer, when }) => writer === mark.writer && when === mark.ms),
  )
  // K2: of equal values one is shown.
  const siblings = cell.siblings.filter(({ value }) => shown.some(one => isSameBytes(one.value, value)))
  return { ...cell, siblings, context: new Map(siblings.map(({ mark }) => [mark.writer, mark])) }
}

/** An index is one into the sides that were shown; other ones may stand now. */
function byValue(resolution: AnyResolution, { sides }: FieldConflictOf): AnyResolution {
  if (!('pick' in resolution)) return resolution
  const side = sides[resolution.pick]
  if (side === undefined) throw unsupported('pick', `the conflict has ${sides.length} sides`)
  return { value: side.value }
}

function settleDeletion(
  context: ConflictContext,
  conflict: DeletionConflictOf,
  resolution: AnyResolution,
): ResolveHandle {
  const { collection, key, shown } = siteOf(context, conflict)
  const choice =
    'pick' in resolution ? conflict.sides[resolution.pick]?.value : 'value' in resolution && resolution.value
  if (choice !== 'delete' && choice !== 'keep') throw unsupported('resolution', "it is 'delete' or 'keep'")
  return change(context, conflict.id, draft => {
    const seen = draft.row(key)
    if (seen === undefined || !isDeletionDisputed(seen)) return false
    if (shown === undefined && choice === 'delete')
      throw unsupported('conflict', 'it was edited since, or by others: decide upon what the list shows now')
    const mark = draft.nextMark(seen)
    const site = { collection, key, mark, seen: shown ?? seen }
    draft.add(choice === 'keep' ? writeRevival(site) : writeDeletion(site, collection.onDelete))
    return true
  })
}

function siteOf(
  { collections, list }: ConflictContext,
  conflict: Conflict,
): { readonly collection: Collection; readonly key: DocumentKey; readonly shown: Row | undefined } {
  const collection = Object.values(collections).find(({ name }) => name === conflict.collection)
  if (collection === undefined) throw unsupported(conflict.collection, 'the replica has no such collection')
  return { collection, key: documentKey(conflict.collection, conflict.id), shown: list.sourceOf(conflict) }
}

function change({ drafts }: ConflictContext, id: string, make: (draft: Draft) => boolean): ResolveHandle {
  let isSettled = false
  const { reached } = drafts.run(draft => {
    isSettled = make(draft)
  })
  return { id, reached, outcome: isSettled ? 'settled' : 'already-settled' }
}
