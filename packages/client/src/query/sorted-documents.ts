/**
 * Documents kept in order while they come and go. A few changes are looked up and moved, O(log n) comparisons each;
 * many are merged in one pass, so that a batch of thousands costs no more than sorting it.
 */
import type { AnyDocument } from '../visible-documents.ts'
import type { CompareDocuments } from './document-order.ts'

export interface SortedDocuments {
  /** Takes out and puts in. `removed` must be in it, `added` must not. */
  replace(removed: readonly AnyDocument[], added: readonly AnyDocument[]): void
  /** Rises with everything that was taken out or put in. */
  readonly version: number
  /** The first ones, as a list of its own. */
  first(limit: number): AnyDocument[]
}

/** Up to so many changes are cheaper one by one. */
const fewMax = 8

export function createSortedDocuments(documents: AnyDocument[], compare: CompareDocuments): SortedDocuments {
  let sorted = documents.sort(compare)
  let version = 0

  /** Where a document stands, or would stand. */
  function placeOf(document: AnyDocument): number {
    let low = 0
    let high = sorted.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const other = sorted[middle]
      if (other !== undefined && compare(other, document) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  function merge(removed: readonly AnyDocument[], added: readonly AnyDocument[]): void {
    const gone = new Set(removed)
    const coming = [...added].sort(compare)
    const merged: AnyDocument[] = []
    let next = 0
    for (const document of sorted) {
      if (gone.has(document)) continue
      for (let one = coming[next]; one !== undefined && compare(one, document) < 0; one = coming[++next]) {
        merged.push(one)
      }
      merged.push(document)
    }
    sorted = [...merged, ...coming.slice(next)]
  }

  return {
    get version() {
      return version
    },
    replace(removed, added) {
      version += removed.length + added.length
      if (removed.length + added.length > fewMax) return merge(removed, added)
      for (const document of removed) sorted.splice(placeOf(document), 1)
      for (const document of added) sorted.splice(placeOf(document), 0, document)
    },
    first: limit => sorted.slice(0, limit),
  }
}
