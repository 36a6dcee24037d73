/**
 * A bounded cache of decoded rows in front of a store. Two generations, young and old: what is read moves to the young
 * one, and when that is full it becomes the old one, whose rows are let go. (A Map that evicts its first key walks over
 * all that it deleted before, each time.) Weights are the rows' encoded bytes, so the bound is one of memory.
 */
import type { DocumentKey, HeldRow } from '@rejoin/core'

export interface RowCache {
  get(key: string): HeldRow | undefined
  set(key: string, held: HeldRow, bytes: number): void
}

interface Entry {
  readonly held: HeldRow
  readonly bytes: number
}

// What a row costs in objects beyond its bytes, roughly.
const rowOverheadBytes = 256

export function createRowCache(bytesMax: number): RowCache {
  let young = new Map<string, Entry>()
  let old = new Map<string, Entry>()
  let youngBytes = 0

  function put(key: string, entry: Entry): void {
    const replaced = young.get(key)
    if (replaced !== undefined) youngBytes -= replaced.bytes + rowOverheadBytes
    young.set(key, entry)
    youngBytes += entry.bytes + rowOverheadBytes
    if (youngBytes * 2 <= bytesMax) return
    old = young
    young = new Map()
    youngBytes = 0
  }

  return {
    get(key) {
      const fresh = young.get(key)
      if (fresh !== undefined) return fresh.held
      const entry = old.get(key)
      if (entry === undefined) return undefined
      put(key, entry)
      return entry.held
    },
    set(key, held, bytes) {
      put(key, { held, bytes })
    },
  }
}

/** Names a row among those of all spaces. The length keeps a space's name and a key from running into each other. */
export function cacheKey(space: string, key: DocumentKey): string {
  return `${space.length}:${space}${key}`
}
