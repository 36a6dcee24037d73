/**
 * `ask`: concurrent writes stand beside each other until somebody decides (SPEC K1-K5).
 *
 * A write replaces exactly the siblings that its writer saw. While there are several, reads show the greatest, or
 * what the field's `merge` function makes of them; nothing is written for that, so every replica that declares the
 * field alike shows the same.
 */
import {
  addToContext,
  emptyContext,
  isSameBytes,
  limits,
  type AskCell,
  type Cell,
  type Field,
  type FieldConflict,
  type FieldResolution,
  type FieldWrite,
} from '@rejoin/core'
import {
  defaultOf,
  encodeAbsent,
  encodeInput,
  memoize,
  showValue,
  tooLarge,
  unsupported,
  validateValue,
} from './field-value.ts'
import { hashOfMarks } from './mark-hash.ts'
import { commonBase, sidesOf, type DoubleResolve } from './sides.ts'
import type { StandardSchema } from './standard-schema.ts'

/**
 * Settles a conflict without a person: the same value from the same base and sides, on every replica. `base` is what
 * all sides replaced, undefined if they did not replace one and the same write; sides have distinct values, smallest
 * mark first. If it throws, or gives what the schema refuses, a person is asked.
 */
export type MergeValues<Value> = (base: Value | undefined, sides: readonly Value[]) => Value

export interface AskOptions<Value> {
  /** Whether two people who settle one conflict at once make a new, smaller one. Else the greater resolution counts. */
  readonly onDoubleResolve?: 'ask' | undefined
  readonly merge?: MergeValues<Value> | undefined
  /** How several values become one that keeps them all. Without it, `{ keep: 'all' }` cannot be chosen. */
  readonly keepAll?: ((sides: readonly Value[]) => Value) | undefined
}

/** What a conflicting cell comes to. */
interface Verdict<Value> {
  readonly shown: Value
  readonly conflict: FieldConflict<Value> | null
}

/** A field of which concurrent writes are a conflict. The schema must accept what it gives out. */
export function ask<Input, Output>(
  schema: StandardSchema<Input, Output>,
  options: AskOptions<Output> = {},
): Field<Output, Input, Input> {
  const doubleResolve: DoubleResolve = options.onDoubleResolve ?? 'greatest'
  const nothing = defaultOf(schema)
  const judge = memoize((cell: AskCell) => judgeCell(cell, schema, doubleResolve, options.merge))
  const conflictOf = (cell: Cell | undefined): FieldConflict<Output> | null =>
    cell?.strategy === 'ask' ? judge(cell).conflict : null
  return {
    strategy: 'ask',
    passive: false,
    insert(input, write) {
      const isSeen = write.seen !== undefined
      const bytes = input === undefined ? encodeAbsent(schema, isSeen) : encodeInput(schema, input)
      return bytes === null ? null : replaceSiblings(bytes, null, write)
    },
    update(patch, write) {
      const bytes = encodeInput(schema, patch)
      return isSettledAs(bytes, write.seen) ? null : replaceSiblings(bytes, null, write)
    },
    read(cell) {
      if (cell?.strategy !== 'ask' || cell.siblings.length === 0) return nothing
      return judge(cell).shown
    },
    conflict: conflictOf,
    settle(resolution, write) {
      const conflict = conflictOf(write.seen)
      if (conflict === null || write.seen?.strategy !== 'ask')
        throw unsupported('', 'the conflict is settled')
      const value = chosenValue(resolution, conflict, options.keepAll)
      const answers = hashOfMarks(write.seen.siblings.map(sibling => sibling.mark))
      return replaceSiblings(encodeInput(schema, value), answers, write)
    },
  }
}

function replaceSiblings(value: Uint8Array, answers: Uint8Array | null, { mark, seen }: FieldWrite): AskCell {
  const known = seen?.strategy === 'ask' ? seen : null
  const replaced = known?.siblings.at(-1)
  const context = addToContext(known?.context ?? emptyContext, mark)
  const limit = limits.contextWritersMax
  if (context.size > limit) throw tooLarge('writers in a context', limit, context.size)
  const base = replaced === undefined ? null : { mark: replaced.mark, value: replaced.value }
  return { strategy: 'ask', siblings: [{ mark, value, base, answers }], context }
}

/** Writing the one value that stands changes nothing; writing it over several siblings settles them. */
function isSettledAs(value: Uint8Array, seen: Cell | undefined): boolean {
  if (seen?.strategy !== 'ask' || seen.siblings.length !== 1) return false
  return seen.siblings.every(sibling => isSameBytes(sibling.value, value))
}

function judgeCell<Output>(
  cell: AskCell,
  schema: StandardSchema<unknown, Output>,
  onDoubleResolve: DoubleResolve,
  merge: MergeValues<Output> | undefined,
): Verdict<Output> {
  const siblings = sidesOf(cell, onDoubleResolve)
  const sides = siblings.map(({ mark, value }) => ({ mark, value: showValue<Output>(value) }))
  const winner = sides.at(-1)?.value as Output
  if (sides.length < 2) return { shown: winner, conflict: null }
  const replaced = commonBase(siblings)
  const base = replaced === null ? null : { mark: replaced.mark, value: showValue<Output>(replaced.value) }
  const merged = merge === undefined ? null : tryMerge(schema, merge, base?.value, sides)
  return {
    shown: merged === null ? winner : merged.value,
    conflict: { base, sides, settledBy: merged === null ? 'person' : 'function' },
  }
}

function tryMerge<Output>(
  schema: StandardSchema<unknown, Output>,
  merge: MergeValues<Output>,
  base: Output | undefined,
  sides: FieldConflict<Output>['sides'],
): { readonly value: Output } | null {
  try {
    const values = sides.map(side => side.value)
    return { value: validateValue(schema, merge(base, values)) }
  } catch {
    // The function is the application's: a fault in it must neither stop a reader nor hide the conflict.
    return null
  }
}

function chosenValue<Output>(
  resolution: FieldResolution<Output>,
  conflict: FieldConflict<Output>,
  keepAll: AskOptions<Output>['keepAll'],
): Output {
  if ('value' in resolution) return resolution.value
  if ('pick' in resolution) {
    const side = conflict.sides[resolution.pick]
    if (side === undefined) throw unsupported('pick', `the conflict has ${conflict.sides.length} sides`)
    return side.value
  }
  if (resolution.keep !== 'all')
    throw unsupported('resolution', 'it is { pick }, { value } or { keep: `all` }')
  if (keepAll === undefined) throw unsupported('keep', 'the field does not say how to keep all (`keepAll`)')
  return keepAll(conflict.sides.map(side => side.value))
}
