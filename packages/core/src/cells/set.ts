/**
 * `set`: for each element the greatest mark that added it and the greatest that its removers had seen.
 * An element is in while added > removed; so a removal takes what its writer saw, and an unseen later add stays.
 */
import { joinContexts, type Context } from '../context.ts'
import { compareMarks, greaterMark, type Mark } from '../mark.ts'

export interface SetElement {
  readonly value: Uint8Array
  readonly added: Mark | null
  readonly removed: Mark | null
}

export interface SetCell {
  readonly strategy: 'set'
  /** By `keyOfBytes` of the element's value. Elements that are out stay, as what their removers had seen. */
  readonly elements: ReadonlyMap<string, SetElement>
  readonly context: Context
}

/** Returns `a` itself if `b` adds nothing. */
export function joinSet(a: SetCell, b: SetCell): SetCell {
  const context = joinContexts(a.context, b.context)
  let elements: Map<string, SetElement> | null = null
  for (const [key, theirs] of b.elements) {
    const mine = a.elements.get(key)
    const joined = mine === undefined ? theirs : joinElement(mine, theirs)
    if (joined === mine) continue
    elements ??= new Map(a.elements)
    elements.set(key, joined)
  }
  if (elements === null && context === a.context) return a
  return { strategy: 'set', elements: elements ?? a.elements, context }
}

function joinElement(a: SetElement, b: SetElement): SetElement {
  const added = greaterMark(a.added, b.added)
  const removed = greaterMark(a.removed, b.removed)
  return added === a.added && removed === a.removed ? a : { value: a.value, added, removed }
}

/** Whether readers see the element. */
export function isInSet(element: SetElement): boolean {
  return (
    element.added !== null && (element.removed === null || compareMarks(element.added, element.removed) > 0)
  )
}
