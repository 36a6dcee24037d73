/**
 * `text`: the context alone. The body, a Yjs document, is beside the row, so that a replica can hold every row
 * and only the bodies that it opened; equal contexts mean the same accepted updates (SPEC X3).
 */
import { joinContexts, type Context } from '../context.ts'

export interface TextCell {
  readonly strategy: 'text'
  readonly context: Context
}

/** Returns `a` itself if `b` adds nothing. */
export function joinTexts(a: TextCell, b: TextCell): TextCell {
  const context = joinContexts(a.context, b.context)
  return context === a.context ? a : { strategy: 'text', context }
}
