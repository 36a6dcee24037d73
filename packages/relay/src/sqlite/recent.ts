/**
 * What was read or written lately, in front of a store, within a bound of bytes; and within a far smaller one, what was
 * not used for a second or two. Two generations, young and old: what is read moves to the young one, and in its turn
 * that becomes the old one, whose entries are let go. (A Map that evicts its first key walks over all that it deleted
 * before, each time.)
 */
import type { Runtime } from '@rejoin/core'

export interface Recent<T> {
  get(key: string): T | undefined
  /** `bytes` as it is stored; what it costs as objects comes on top. */
  set(key: string, value: T, bytes: number): void
  /** Lets go of one. */
  drop(key: string): void
  /** Lets go of everything. */
  clear(): void
}

interface Entry<T> {
  readonly value: T
  readonly bytes: number
}

export interface RecentBounds {
  readonly bytesMax: number
  /** Of what is not in use. Most spaces are idle, and a row as objects is many times what it is on disk. */
  readonly restBytesMax: number
  /** What an entry costs in objects beyond its bytes, roughly. */
  readonly overheadBytes: number
}

const youngMs = 1000

export function createRecent<T>(bounds: RecentBounds, runtime: Runtime): Recent<T> {
  const { bytesMax, restBytesMax, overheadBytes } = bounds
  let young = new Map<string, Entry<T>>()
  let old = new Map<string, Entry<T>>()
  let youngBytes = 0
  let oldBytes = 0
  /** Of the next turnover, while there is more than may rest. */
  let cancel: (() => void) | null = null

  function put(key: string, entry: Entry<T>): void {
    const replaced = young.get(key)
    if (replaced !== undefined) youngBytes -= replaced.bytes + overheadBytes
    young.set(key, entry)
    youngBytes += entry.bytes + overheadBytes
    if (youngBytes * 2 > bytesMax) turnOver()
    if (youngBytes + oldBytes > restBytesMax) cancel ??= runtime.after(youngMs, age)
  }

  function turnOver(): void {
    old = young
    oldBytes = youngBytes
    young = new Map()
    youngBytes = 0
  }

  function age(): void {
    turnOver()
    cancel = oldBytes > restBytesMax ? runtime.after(youngMs, age) : null
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
    drop(key) {
      const entry = young.get(key)
      if (entry !== undefined) youngBytes -= entry.bytes + overheadBytes
      young.delete(key)
      old.delete(key)
    },
    clear() {
      cancel?.()
      cancel = null
      turnOver()
      turnOver()
    },
  }
}

/** Names a thing among those of all spaces. The length keeps a space's name and a key from running into each other. */
export function cacheKey(space: string, key: string): string {
  return `${space.length}:${space}${key}`
}
