/**
 * The sides of an `ask` field: which of its siblings a person has to choose between (SPEC K2, K4).
 *
 * Two resolutions of the same conflict do not make a new one: of siblings with the same `answers` the greatest
 * counts. Then equal values count once, under the greatest mark that bears them. The greatest sibling always
 * remains, so what reads show provisionally does not depend on any of this.
 */
import { formatMark, isSameMark, keyOfBytes, type AskCell, type Cell, type Sibling } from '@rejoin/core'

export type DoubleResolve = 'greatest' | 'ask'

/** Distinct sides, smallest mark first; the last is the provisional winner. */
export function sidesOf(cell: AskCell, onDoubleResolve: DoubleResolve): readonly Sibling[] {
  const counted = onDoubleResolve === 'ask' ? cell.siblings : lastOfEach(cell.siblings, keyOfAnswers)
  return lastOfEach(counted, sibling => keyOfBytes(sibling.value))
}

/** Resolutions that a greater one of the same conflict overrules: their authors are told, and can take theirs back. */
export function overruledResolutions(cell: Cell | undefined): readonly Sibling[] {
  if (cell?.strategy !== 'ask') return []
  const standing = new Set(lastOfEach(cell.siblings, keyOfAnswers))
  return cell.siblings.filter(sibling => !standing.has(sibling))
}

/** What all sides replaced, if that is one and the same write. Anything else would be a guess. */
export function commonBase(sides: readonly Sibling[]): Sibling['base'] {
  const base = sides[0]?.base ?? null
  if (base === null) return null
  return sides.every(side => isSameMark(side.base?.mark ?? null, base.mark)) ? base : null
}

function keyOfAnswers(sibling: Sibling): string {
  return sibling.answers === null ? formatMark(sibling.mark) : `answers ${keyOfBytes(sibling.answers)}`
}

/** Siblings stand in the order of their marks, so the last of each kind is the greatest. */
function lastOfEach(siblings: readonly Sibling[], keyOf: (sibling: Sibling) => string): readonly Sibling[] {
  const last = new Map<string, Sibling>()
  for (const sibling of siblings) last.set(keyOf(sibling), sibling)
  return siblings.filter(sibling => last.get(keyOf(sibling)) === sibling)
}
