/**
 * Documents by the value of a field, so that a query for those that equal something need not look at all of them. Only
 * of values that are no objects; who asks tests what it finds, since 0 and -0 stand together.
 */
import type { AnyDocument } from '../visible-documents.ts'

export interface ValueIndex {
  with(value: unknown): Iterable<AnyDocument>
  /** A document came, changed or went. */
  replace(before: AnyDocument | undefined, after: AnyDocument | undefined): void
}

export function createValueIndex(field: string, documents: Iterable<AnyDocument>): ValueIndex {
  const byValue = new Map<unknown, Set<AnyDocument>>()

  function add(document: AnyDocument): void {
    const value = document[field]
    if (!isIndexed(value)) return
    const alike = byValue.get(value)
    if (alike === undefined) byValue.set(value, new Set([document]))
    else alike.add(document)
  }

  function remove(document: AnyDocument): void {
    const value = document[field]
    const alike = byValue.get(value)
    alike?.delete(document)
    if (alike?.size === 0) byValue.delete(value)
  }

  for (const document of documents) add(document)
  return {
    with: value => byValue.get(value) ?? [],
    replace(before, after) {
      if (before !== undefined) remove(before)
      if (after !== undefined) add(after)
    },
  }
}

/** Whether a value is found by it. */
export function isIndexed(value: unknown): boolean {
  return typeof value !== 'object' || value === null
}
