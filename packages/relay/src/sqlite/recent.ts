/**
 * What was read or written lately, in front of a store, within a bound of bytes and for a second or two. Two
 * generations, young and old: what is read moves to the young one, and when that is full, or has been young for a
 * second, it becomes the old one, whose entries are let go. (A Map that evicts its first key walks over all that it
 * deleted before, each time.)
 */
import type { Runtime } from '@rejoin/core'

export interface Recent<T> {
  get(key: string): T | undefined
  /** `bytes` as it is stored; what it costs as objects comes on top. */
  set(key: string, value: T, bytes: number): void
  /** Lets go of everything. */
  clear(): void
}

interface Entry<T> {
  readonly value: T
  readonly bytes: number
}

// Most spaces are idle, and a row as objects is many times what it is on disk, from where it comes in microseconds.
const youngMs = 1000

/** `overheadBytes`: what an entry costs in objects beyond its bytes, roughly. */
export function createRecent<T>(
  { bytesMax, overheadBytes }: { readonly bytesMax: number; readonly overheadBytes: number },
  runtime: Runtime,
): Recent<T> {
  let young = new Map<string, Entry<T>>()
  let old = new Map<string, Entry<T>>()
  let youngBytes = 0
  /** Set while there is anything. */
  let cancelAging: (() => void) | null = null

  function put(key: string, entry: Entry<T>): void {
    const replaced = young.get(key)
    if (replaced !== undefined) youngBytes -= replaced.bytes + overheadBytes
    young.set(key, entry)
    youngBytes += entry.bytes + overheadBytes
    cancelAging ??= runtime.after(youngMs, age)
    if (youngBytes * 2 > bytesMax) turnOver()
  }

  function turnOver(): void {
    old = young
    young = new Map()
    youngBytes = 0
  }

  function age(): void {
    turnOver()
    cancelAging = old.size === 0 ? null : runtime.after(youngMs, age)
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
    clear() {
      cancelAging?.()
      cancelAging = null
      turnOver()
      turnOver()
    },
  }
}

/** Names a thing among those of all spaces. The length keeps a space's name and a key from running into each other. */
export function cacheKey(space: string, key: string): string {
  return `${space.length}:${space}${key}`
}
