/**
 * Documents by the value of a field, so that a query for those that equal something need not look at all of them. Only
 * of values that are no objects. 0 and -0 stand together, and are told apart when they are asked for.
 */
import type { AnyDocument } from '../visible-documents.ts'
import { compareIds } from './document-order.ts'
import { replaceSorted } from './sorted-documents.ts'

export interface ValueIndex {
  /** In the order of ids; not to be changed, and true until the next change. */
  with(value: unknown): readonly AnyDocument[]
  /** Documents went and came. */
  replace(removed: readonly AnyDocument[], added: readonly AnyDocument[]): void
}

/** Of documents in the order of ids. */
export function createValueIndex(field: string, documents: readonly AnyDocument[]): ValueIndex {
  const valueOf = (document: AnyDocument): unknown => document[field]
  // By one call of the engine, since this runs once, cold, over thousands. Values that are objects are never asked for.
  const byValue = Map.groupBy(documents, valueOf)

  /** Of those that have one value. */
  function change(value: unknown, going: readonly AnyDocument[], coming: readonly AnyDocument[]): void {
    const left = replaceSorted(byValue.get(value) ?? [], going, coming, compareIds)
    if (left.length === 0) byValue.delete(value)
    else byValue.set(value, left)
  }

  return {
    with(value) {
      const alike = byValue.get(value) ?? []
      return value === 0 ? alike.filter(document => Object.is(document[field], value)) : alike
    },
    replace(removed, added) {
      const [before] = removed
      const [after] = added
      // Most changes are of one document: nothing is to be put together.
      if (removed.length <= 1 && added.length <= 1) {
        const old = before === undefined ? undefined : valueOf(before)
        if (before !== undefined && after !== undefined && Object.is(old, valueOf(after)))
          return change(old, removed, added)
        if (before !== undefined) change(old, removed, none)
        if (after !== undefined) change(valueOf(after), none, added)
        return
      }
      const going = Map.groupBy(removed, valueOf)
      const coming = Map.groupBy(added, valueOf)
      for (const value of new Set([...going.keys(), ...coming.keys()]))
        change(value, going.get(value) ?? none, coming.get(value) ?? none)
    },
  }
}

const none: readonly AnyDocument[] = []
