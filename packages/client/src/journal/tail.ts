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

  function note(position: number, at: number): void {
    const { times } = tail
    const last = times.at(-1)
    if (last !== undefined && (position <= last[0] || at < last[1] + dayMs)) return
    times.push([position, at])
    // Thinned, never cut: an older pair is what permits to forget.
    if (times.length > timesMax) tail.times = times.filter((_, i) => i % 2 === 0 || i > timesMax / 2)
  }

  const tail = {
    bytes: 0,
    smallChunks: 0,
    forgotten: 0,
    times: [] as (readonly [position: number, at: number])[],
    add(position: number, size: number, isFolded: boolean, chunk: Chunk) {
      const isSmall = !isFolded && size < smallBytes
      entries.push({ position, bytes: size, isSmall })
      tail.bytes += size
      if (isSmall) tail.smallChunks += 1
      if (chunk.kind === 'pulled') note(position, chunk.at)
      if (chunk.kind === 'forgotten') tail.forgotten = position
    },
    drop(upTo: number) {
      entries = entries.filter(entry => entry.position > upTo)
      tail.bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0)
      tail.smallChunks = entries.filter(entry => entry.isSmall).length
    },
    count(found: number) {
      tail.smallChunks = found
    },
    remember(known: Tail['times']) {
      const own = tail.times
      tail.times = [...known]
      for (const [position, at] of own) note(position, at)
    },
    storedBefore(time: number) {
      let greatest = 0
      for (const [position, at] of tail.times) if (at <= time) greatest = Math.max(greatest, position)
      return greatest
    },
  }
  return tail
}
