/**
 * What a tab knows of the journal above the floor: how many bytes and small chunks there are (which tells when a
 * compaction is due), and when positions were stored (which rule D2 counts by). Stale after another tab's fold.
 */
import type { Chunk } from '@rejoin/core'

export interface Tail {
  readonly bytes: number
  readonly smallChunks: number
  /** The position of the last chunk by which rows were forgotten, or 0. */
  readonly forgotten: number
  /** Positions and when they were stored, about one for each day, rising. */
  readonly times: readonly (readonly [position: number, at: number])[]
  add(position: number, bytes: number, isFolded: boolean, chunk: Chunk): void
  /** Everything up to a position is in pages. */
  drop(upTo: number): void
  /** How many small chunks were found to be there. */
  count(smallChunks: number): void
  remember(times: readonly (readonly [position: number, at: number])[]): void
  /** The greatest position that is known to have been stored before a time. */
  storedBefore(time: number): number
}

/** A chunk as large as this is not worth folding. */
export const smallBytes: number = 64 * 1024

const dayMs = 24 * 3_600_000
const timesMax = 128

export function createTail(): Tail {
  let entries: { readonly position: number; readonly bytes: number; readonly isSmall: boolean }[] = []
  let bytes = 0
  let smallChunks = 0
  let forgotten = 0
  let times: (readonly [position: number, at: number])[] = []

  function note(position: number, at: number): void {
    const last = times.at(-1)
    if (last !== undefined && (position <= last[0] || at < last[1] + dayMs)) return
    times.push([position, at])
    // Thinned, never cut: an older pair is what permits to forget.
    if (times.length > timesMax) times = times.filter((_, i) => i % 2 === 0 || i > timesMax / 2)
  }

  return {
    get bytes() {
      return bytes
    },
    get smallChunks() {
      return smallChunks
    },
    get forgotten() {
      return forgotten
    },
    get times() {
      return times
    },
    add(position, size, isFolded, chunk) {
      const isSmall = !isFolded && size < smallBytes
      entries.push({ position, bytes: size, isSmall })
      bytes += size
      if (isSmall) smallChunks += 1
      if (chunk.kind === 'pulled') note(position, chunk.at)
      if (chunk.kind === 'forgotten') forgotten = position
    },
    drop(upTo) {
      entries = entries.filter(entry => entry.position > upTo)
      bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0)
      smallChunks = entries.filter(entry => entry.isSmall).length
    },
    count(found) {
      smallChunks = found
    },
    remember(known) {
      const own = times
      times = [...known]
      for (const [position, at] of own) note(position, at)
    },
    storedBefore(time) {
      let greatest = 0
      for (const [position, at] of times) if (at <= time) greatest = Math.max(greatest, position)
      return greatest
    },
  }
}
