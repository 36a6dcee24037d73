/**
 * What is stored of a text, joined into few updates. None is larger than what a relay takes as one (SPEC F4, X8), so a
 * body that has to be given back can be, whatever its length.
 */
import { limits, RejoinError, type DocumentKey, type PartName, type TextSupport } from '@rejoin/core'
import type { MergeTexts } from './journal/text-bodies.ts'

/** Where no text is declared bodies stay as they are: what they are cannot be told. */
export function createBodyMerge(
  supportOf: (key: DocumentKey, part: PartName) => TextSupport | undefined,
): MergeTexts {
  return (key, part, updates) => {
    const support = supportOf(key, part)
    return support === undefined
      ? updates
      : groupUpdates(updates).flatMap(group => mergeGroup(group, support))
  }
}

/** Neighbours, in their order, as many together as one update may hold. */
export function groupUpdates(updates: readonly Uint8Array[]): readonly (readonly Uint8Array[])[] {
  const groups: Uint8Array[][] = []
  let bytes = Infinity
  for (const update of updates) {
    if (bytes + update.length > limits.textUpdateBytesMax) {
      groups.push([])
      bytes = 0
    }
    groups.at(-1)?.push(update)
    bytes += update.length
  }
  return groups
}

/** A group may lack what stands in another one, when updates came out of their order; then it stays as it is. */
function mergeGroup(group: readonly Uint8Array[], support: TextSupport): readonly Uint8Array[] {
  try {
    return [support.merge(group)]
  } catch (error) {
    if (!(error instanceof RejoinError)) throw error
    return group
  }
}
