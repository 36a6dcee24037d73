/**
 * What was read or written lately, in front of a store, within a bound of bytes. Two generations, young and old: what
 * is read moves to the young one, and when that is full it becomes the old one, whose entries are let go. (A Map that
 * evicts its first key walks over all that it deleted before, each time.)
 */

export interface Recent<T> {
  get(key: string): T | undefined
  /** `bytes` as it is stored; what it costs as objects comes on top. */
  set(key: string, value: T, bytes: number): void
}

interface Entry<T> {
  readonly value: T
  readonly bytes: number
}

/** `overheadBytes`: what an entry costs in objects beyond its bytes, roughly. */
export function createRecent<T>(bytesMax: number, overheadBytes: number): Recent<T> {
  let young = new Map<string, Entry<T>>()
  let old = new Map<string, Entry<T>>()
  let youngBytes = 0

  function put(key: string, entry: Entry<T>): void {
    const replaced = young.get(key)
    if (replaced !== undefined) youngBytes -= replaced.bytes + overheadBytes
    young.set(key, entry)
    youngBytes += entry.bytes + overheadBytes
    if (youngBytes * 2 <= bytesMax) return
    old = young
    young = new Map()
    youngBytes = 0
  }

  return {
    get(key) {
      const fresh = young.get(key)
      if (fresh !== undefined) return fresh.value
      const entry = old.get(key)
      if (entry === undefined) return undefined
      put(key, entry)
      return entry.value
    },
    set(key, value, bytes) {
      put(key, { value, bytes })
    },
  }
}

/** Names a thing among those of all spaces. The length keeps a space's name and a key from running into each other. */
export function cacheKey(space: string, key: string): string {
  return `${space.length}:${space}${key}`
}
