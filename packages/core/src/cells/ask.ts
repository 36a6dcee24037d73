/**
 * `ask`: concurrent writes stand beside each other as siblings until a write that has seen them replaces them.
 *
 * A dotted version vector set (Preguiça et al., "Dotted Version Vectors", 2010): a sibling stays if both
 * copies have it, or if the other copy's context does not cover it.
 */
import { compareBytes, isSameBytes } from '../bytes.ts'
import { contextCovers, joinContexts, type Context } from '../context.ts'
import { compareMarks, isSameMark, type Mark } from '../mark.ts'

export interface Sibling {
  readonly mark: Mark
  readonly value: Uint8Array
  /** The greatest sibling that its writer had seen and replaced (SPEC K1); for people, never for the join. */
  readonly base: { readonly mark: Mark; readonly value: Uint8Array } | null
  /** For a resolution, the hash of the marks that it decided between (SPEC K4). */
  readonly answers: Uint8Array | null
}

export interface AskCell {
  readonly strategy: 'ask'
  /** In the order of their marks, smallest first; the last one is what everybody shows provisionally. */
  readonly siblings: readonly Sibling[]
  readonly context: Context
}

/** Returns `a` itself if `b` adds nothing. */
export function joinAsk(a: AskCell, b: AskCell): AskCell {
  const context = joinContexts(a.context, b.context)
  const siblings: Sibling[] = []
  for (const sibling of a.siblings) {
    const twin = findSibling(b, sibling.mark)
    if (twin !== undefined) siblings.push(greaterSibling(sibling, twin))
    else if (!contextCovers(b.context, sibling.mark)) siblings.push(sibling)
  }
  for (const sibling of b.siblings) {
    if (findSibling(a, sibling.mark) === undefined && !contextCovers(a.context, sibling.mark))
      siblings.push(sibling)
  }
  siblings.sort((x, y) => compareMarks(x.mark, y.mark))
  const same =
    siblings.length === a.siblings.length && siblings.every((sibling, i) => sibling === a.siblings[i])
  return same && context === a.context ? a : { strategy: 'ask', siblings, context }
}

function findSibling(cell: AskCell, mark: Mark): Sibling | undefined {
  return cell.siblings.find(sibling => isSameMark(sibling.mark, mark))
}

/** Of two copies under one mark (a forger's), the greater by value, answers, base. Returns `a` if they are alike. */
function greaterSibling(a: Sibling, b: Sibling): Sibling {
  const order =
    compareBytes(b.value, a.value) || compareOptional(b.answers, a.answers) || compareBases(b.base, a.base)
  return order > 0 ? b : a
}

function compareOptional(a: Uint8Array | null, b: Uint8Array | null): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1
  return isSameBytes(a, b) ? 0 : compareBytes(a, b)
}

function compareBases(a: Sibling['base'], b: Sibling['base']): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1
  return compareMarks(a.mark, b.mark) || compareBytes(a.value, b.value)
}
