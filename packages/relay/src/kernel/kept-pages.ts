/**
 * Pages of feeds as they were sent to new replicas, encoded and deflated, for the next new one: to make them anew takes
 * ten times what it takes to send them.
 *
 * A page holds what exists of the rows whose positions are in its stretch of the feed. A row that changes leaves that
 * stretch for the end of the feed, and its page is dropped, before the commit that moves it; so what is kept is what
 * would be made now. All spaces share one bound; what was not sent for the longest time goes first.
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
  /** Whether it ended where the feed did. Once the feed goes on, there is a longer one. */
  readonly isLast: boolean
}

export interface KeptPages {
  at(space: string, from: number): KeptPage | undefined
  keep(space: string, page: KeptPage): void
  /** A row that was at this position is about to change. */
  drop(space: string, position: number): void
}

const keptBytesMax = 8 * 1024 * 1024

export function createKeptPages(): KeptPages {
  /** By space and beginning; the first is the one that was sent least lately. */
  const pages = new Map<string, { readonly space: string; readonly page: KeptPage }>()
  const bySpace = new Map<string, Map<number, KeptPage>>()
  let bytes = 0

  function remove(space: string, page: KeptPage): void {
    pages.delete(nameOf(space, page.from))
    const ofSpace = bySpace.get(space)
    ofSpace?.delete(page.from)
    if (ofSpace?.size === 0) bySpace.delete(space)
    bytes -= bytesOf(page)
  }

  return {
    at(space, from) {
      const name = nameOf(space, from)
      const found = pages.get(name)
      if (found === undefined) return undefined
      pages.delete(name)
      pages.set(name, found)
      return found.page
    },
    keep(space, page) {
      const before = bySpace.get(space)?.get(page.from)
      if (before !== undefined) remove(space, before)
      pages.set(nameOf(space, page.from), { space, page })
      const ofSpace = bySpace.get(space) ?? new Map<number, KeptPage>()
      bySpace.set(space, ofSpace.set(page.from, page))
      bytes += bytesOf(page)
      for (const oldest of pages.values()) {
        if (bytes <= keptBytesMax) return
        remove(oldest.space, oldest.page)
      }
    },
    drop(space, position) {
      const ofSpace = bySpace.get(space)
      if (ofSpace === undefined) return
      for (const page of ofSpace.values())
        if (page.from < position && position <= page.to) remove(space, page)
    },
  }
}

function nameOf(space: string, from: number): string {
  return `${from} ${space}`
}

function bytesOf(page: KeptPage): number {
  return page.frames.reduce((sum, frame) => sum + frame.bytes.length, 0)
}
