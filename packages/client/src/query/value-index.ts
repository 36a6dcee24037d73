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
  return {
    with(value) {
      const alike = byValue.get(value) ?? []
      return value === 0 ? alike.filter(document => Object.is(document[field], value)) : alike
    },
    replace(removed, added) {
      const going = Map.groupBy(removed, valueOf)
      const coming = Map.groupBy(added, valueOf)
      for (const value of new Set([...going.keys(), ...coming.keys()])) {
        const sorted = byValue.get(value) ?? []
        const left = replaceSorted(sorted, going.get(value) ?? [], coming.get(value) ?? [], compareIds)
        if (left.length === 0) byValue.delete(value)
        else byValue.set(value, left)
      }
    },
  }
}
