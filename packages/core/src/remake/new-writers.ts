/**
 * The writers of one pass (SPEC W6 (2)): each old writer gets one that nobody used, so that a context, which covers up to
 * a mark of each writer, covers after the pass what it covered before it, and of another tab's writes nothing more.
 */
import type { WriterId } from '../mark.ts'

/** The one that stands for an old one in this pass. */
export type NewWriters = (old: WriterId) => WriterId

export function createNewWriters(draw: () => WriterId): NewWriters {
  const newByOld = new Map<WriterId, WriterId>()
  return old => {
    let now = newByOld.get(old)
    if (now === undefined) newByOld.set(old, (now = draw()))
    return now
  }
}
