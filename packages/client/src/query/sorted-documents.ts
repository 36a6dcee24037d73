/**
 * Lists of documents kept in order while they come and go. A few changes are looked up and moved, O(log n) comparisons
 * each; many are merged in one pass, so that a batch of thousands costs no more than sorting it.
 */
import type { AnyDocument } from '../visible-documents.ts'
import { compareIds, type CompareDocuments } from './document-order.ts'

/** Up to so many changes are cheaper one by one. */
const fewMax = 8

/** The list itself in the order of ids: as most are that were read from a disk, where rows lie in it. */
export function sortById(documents: AnyDocument[]): AnyDocument[] {
  for (let i = 1; i < documents.length; i++)
    if ((documents[i - 1]?.id ?? '') > (documents[i]?.id ?? '')) return documents.sort(compareIds)
  return documents
}

/** Of a list in the order of ids. */
export function findById(sorted: readonly AnyDocument[], id: string): AnyDocument | undefined {
  const found = sorted[placeOfId(sorted, id)]
  return found?.id === id ? found : undefined
}

/** The document in the place of the one that has its id, if there is one. */
export function putInPlace(sorted: AnyDocument[], document: AnyDocument): void {
  const place = placeOfId(sorted, document.id)
  if (sorted[place]?.id === document.id) sorted[place] = document
}

/** As `placeIn`, which is a call more at each step: thousands are looked for. */
function placeOfId(sorted: readonly AnyDocument[], id: string): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const other = sorted[middle]
    if (other !== undefined && other.id < id) low = middle + 1
    else high = middle
  }
  return low
}

/**
 * The list after some were taken out and others put in: the same one changed, or another. `removed` must be in it,
 * `added` must not.
 */
export function replaceSorted(
  sorted: AnyDocument[],
  removed: readonly AnyDocument[],
  added: readonly AnyDocument[],
  compare: CompareDocuments,
): AnyDocument[] {
  if (removed.length + added.length > fewMax) return merge(sorted, removed, added, compare)
  const [before] = removed
  const [after] = added
  if (removed.length === 1 && added.length === 1 && before !== undefined && after !== undefined)
    if (replaceInPlace(sorted, before, after, compare)) return sorted
  for (const document of removed) takeOut(sorted, document, compare)
  for (const document of added) sorted.splice(placeIn(sorted, document, compare), 0, document)
  return sorted
}

/** Most changes are of one document, and leave it where it stands. */
function replaceInPlace(
  sorted: AnyDocument[],
  before: AnyDocument,
  after: AnyDocument,
  compare: CompareDocuments,
): boolean {
  if (compare(before, after) !== 0) return false
  const place = placeIn(sorted, before, compare)
  if (sorted[place] !== before) return false
  sorted[place] = after
  return true
}

function takeOut(sorted: AnyDocument[], document: AnyDocument, compare: CompareDocuments): void {
  const place = placeIn(sorted, document, compare)
  // Bytes that it shows may have been changed in place, and it stands where they were before.
  const at = sorted[place] === document ? place : sorted.indexOf(document)
  if (at >= 0) sorted.splice(at, 1)
}

/** Where a document stands, or would stand. */
function placeIn(sorted: readonly AnyDocument[], document: AnyDocument, compare: CompareDocuments): number {
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

function merge(
  sorted: readonly AnyDocument[],
  removed: readonly AnyDocument[],
  added: readonly AnyDocument[],
  compare: CompareDocuments,
): AnyDocument[] {
  const gone = new Set(removed)
  const coming = [...added].sort(compare)
  const merged: AnyDocument[] = []
  let next = 0
  for (const document of sorted) {
    if (gone.has(document)) continue
    for (let one = coming[next]; one !== undefined && compare(one, document) < 0; one = coming[++next])
      merged.push(one)
    merged.push(document)
  }
  for (; next < coming.length; next++) {
    const one = coming[next]
    if (one !== undefined) merged.push(one)
  }
  return merged
}
