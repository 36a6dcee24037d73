/**
 * A deletion: a mark, a policy, and for each field what its writer saw. It hides cells, it does not remove them.
 * Of two, the greater gives mark and policy; what they saw joins place by place.
 */
import { joinSeen, type Seen } from './cells/cell.ts'
import { compareMarks, type Mark } from './mark.ts'
import type { PartName } from './row.ts'

/** Who wins when a document was deleted and, unseen, edited. */
export type DeletePolicy = 'edit-wins' | 'delete-wins' | 'ask'

/** In the order of their numbers on the wire; also the order that decides between two under one (forged) mark. */
export const deletePolicies: readonly DeletePolicy[] = ['edit-wins', 'delete-wins', 'ask']

export interface Deletion {
  readonly mark: Mark
  readonly policy: DeletePolicy
  readonly seen: ReadonlyMap<PartName, Seen>
}

/** Returns `a` itself if `b` adds nothing. */
export function joinDeletions(a: Deletion, b: Deletion): Deletion {
  if (a === b) return a
  let seen: Map<PartName, Seen> | null = null
  for (const [name, theirs] of b.seen) {
    const mine = a.seen.get(name)
    const joined = mine === undefined ? theirs : joinSeen(mine, theirs)
    if (joined === mine) continue
    seen ??= new Map(a.seen)
    seen.set(name, joined)
  }
  const order = compareMarks(b.mark, a.mark)
  const greater = order > 0 || (order === 0 && rank(b.policy) > rank(a.policy)) ? b : a
  if (greater === a && seen === null) return a
  return { mark: greater.mark, policy: greater.policy, seen: seen ?? a.seen }
}

function rank(policy: DeletePolicy): number {
  return deletePolicies.indexOf(policy)
}
