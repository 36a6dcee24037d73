/**
 * Pages of feeds as they were sent to new replicas, encoded and deflated, for the next new one: to make them anew takes
 * ten times what it takes to send them.
 *
 * A page holds what existed of the rows whose positions were in its stretch of the feed. A row that changes leaves that
 * stretch for the end of the feed, where it comes again as it is now, so a page in which some are as they were does no
 * harm; it costs bytes, and once a quarter of it has left it goes. Who is sent such a page hears of every deletion
 * since (SPEC P4). No two pages of a space overlap, and one that is made in a gap ends where the next one begins. All
 * spaces share one bound; what was not sent for the longest time goes first, and is still in the store (stored-pages.ts).
 */

/** A frame as its link sends it, and how long it is before it was deflated, which is what credit counts (SPEC F3). */
export interface KeptFrame {
  readonly bytes: Uint8Array
  readonly length: number
}

/** What a new replica is sent of the rows behind `from`, up to `to` and with it. */
export interface KeptPage {
  readonly from: number
  readonly to: number
  readonly frames: readonly KeptFrame[]
  /** Whether it is short and ended where the feed did. Once the feed goes on, there is a longer one. */
  readonly isLast: boolean
  /** It has no row that was deleted up to here. */
  readonly spared: number
  /** How many rows it has, and how many of its stretch have left that since. */
  readonly rows: number
  left: number
  /** How many its stretch had when it was made, those that did not exist any more among them. */
  readonly stretchRows: number
  /** Up to where it is what would be made anew: the end of the feed before the first of them left. */
  soundUpTo: number
  /** Whether the store was given it, which may have no room. */
  isStored: boolean
}

export interface KeptPages {
  at(space: string, from: number): KeptPage | undefined
  /** Where the next one begins behind a position; infinity if there is none. */
  next(space: string, position: number): number
  /** Takes the place of those that it overlaps. */
  keep(space: string, page: KeptPage): void
  /** A row that was at this position is about to change, where the feed ends at `end`. */
  leaves(space: string, position: number, end: number): void
}

export const keptBytesMax: number = 8 * 1024 * 1024
/** What is sent of a page in vain is no more than this share of it. */
const leftShareMax = 1 / 4
/** What a page costs beside its frames: of what was deleted there are none. */
const pageBytes = 256

export function createKeptPages(): KeptPages {
  /** The space of each; the first is the one that was sent least lately. */
  const spaceByPage = new Map<KeptPage, string>()
  /** In the order of the feed. */
  const pagesBySpace = new Map<string, KeptPage[]>()
  let bytes = 0

  /** Those in a stretch of the feed go. Gives back where they were. */
  function clear(space: string, pages: KeptPage[], from: number, to: number): number {
    const start = firstBehind(pages, from)
    let end = start
    for (; (pages[end]?.from ?? to) < to; end++);
    for (const page of pages.splice(start, end - start)) {
      spaceByPage.delete(page)
      bytes -= bytesOf(page)
    }
    if (pages.length === 0) pagesBySpace.delete(space)
    return start
  }

  return {
    at(space, from) {
      const pages = pagesBySpace.get(space) ?? []
      const page = pages[firstBehind(pages, from)]
      if (page?.from !== from) return undefined
      spaceByPage.delete(page)
      spaceByPage.set(page, space)
      return page
    },
    next(space, position) {
      const pages = pagesBySpace.get(space) ?? []
      const at = firstBehind(pages, position)
      const isBehind = (pages[at]?.from ?? 0) > position
      return pages[isBehind ? at : at + 1]?.from ?? Number.POSITIVE_INFINITY
    },
    keep(space, page) {
      const pages = pagesBySpace.get(space) ?? []
      pages.splice(clear(space, pages, page.from, page.to), 0, page)
      pagesBySpace.set(space, pages)
      spaceByPage.set(page, space)
      bytes += bytesOf(page)
      for (const [oldest, its] of spaceByPage) {
        if (bytes <= keptBytesMax) return
        clear(its, pagesBySpace.get(its) ?? [], oldest.from, oldest.to)
      }
    },
    leaves(space, position, end) {
      const pages = pagesBySpace.get(space)
      const page = pages?.[firstBehind(pages, position - 1)]
      if (pages === undefined || page === undefined || page.from >= position) return
      page.left += 1
      page.soundUpTo = Math.min(page.soundUpTo, end)
      if (isWorn(page)) clear(space, pages, page.from, page.to)
    },
  }
}

/** Whether too many of its rows have left. */
export function isWorn({ left, rows }: KeptPage): boolean {
  return left > rows * leftShareMax
}

/** The index of the first that ends behind a position. */
function firstBehind(pages: readonly KeptPage[], position: number): number {
  let [low, high] = [0, pages.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((pages[middle]?.to ?? 0) > position) high = middle
    else low = middle + 1
  }
  return low
}

function bytesOf(page: KeptPage): number {
  return page.frames.reduce((sum, frame) => sum + frame.bytes.length, pageBytes)
}
