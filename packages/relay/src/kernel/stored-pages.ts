/**
 * Pages in the store, so that the first new replicas after the relay has begun anew are sent what others were sent before,
 * and so that a large space need not have all of its pages in memory. What was made before anybody came is stored at once
 * (newcomer.ts), what was made for somebody at rest (resting.ts). A page that is read back is what it was, since rows only
 * leave a stretch of the feed, and how many did is counted.
 */
import { protocolVersion, type PageStore, type StoredPage } from '@rejoin/core'
import { isWorn, type KeptPage } from './kept-pages.ts'

/** What is said of a page beside its stretch. */
interface Head {
  /** As its frames are: another version of the relay may make others. */
  readonly form: string
  /** How long each of its frames is before it is deflated. */
  readonly lengths: readonly number[]
  readonly isLast: boolean
  readonly spared: number
  readonly rows: number
  /** Up to where it is what would be made anew, as far as that was known when it was stored. */
  readonly soundUpTo: number
}

/** `end`: of the feed now. */
export async function storePage(
  pages: PageStore,
  space: string,
  page: KeptPage,
  end: number,
  isDeflated: boolean,
): Promise<void> {
  const { from, to, frames, isLast, spared, rows, stretchRows } = page
  const head: Head = {
    form: formOf(isDeflated),
    lengths: frames.map(({ length }) => length),
    isLast,
    spared,
    rows,
    soundUpTo: Math.min(page.soundUpTo, end),
  }
  await pages.put(space, {
    from,
    to,
    rows: stretchRows,
    head: JSON.stringify(head),
    frames: frames.map(({ bytes }) => bytes),
  })
  page.isStored = true
}

/** Null if there is none, or none that is to be sent as it is. */
export async function storedPage(
  pages: PageStore,
  space: string,
  from: number,
  isDeflated: boolean,
): Promise<KeptPage | null> {
  const found = await pages.at(space, from)
  const head = found === null ? null : headOf(found.page)
  if (found === null || head === null || head.form !== formOf(isDeflated)) return null
  const { page, left } = found
  const { isLast, spared, rows, lengths } = head
  const kept: KeptPage = {
    from,
    to: page.to,
    frames: page.frames.map((bytes, i) => ({ bytes, length: lengths[i] ?? bytes.length })),
    isLast,
    spared,
    rows,
    left,
    stretchRows: page.rows,
    // When the first of them left, nobody knows any more.
    soundUpTo: left > 0 ? head.soundUpTo : Number.POSITIVE_INFINITY,
    isStored: true,
  }
  return isWorn(kept) ? null : kept
}

/** One more where frames change and the protocol keeps its number, as before the first release. 2: times byte by byte. */
const framesVersion = 2

function formOf(isDeflated: boolean): string {
  return `${protocolVersion}.${framesVersion}${isDeflated ? ' deflated' : ''}`
}

function headOf({ head }: StoredPage): Head | null {
  try {
    return JSON.parse(head) as Head
  } catch {
    // Of a damaged file: what was made of rows can be made again.
    return null
  }
}
