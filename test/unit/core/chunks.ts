/** Chunks as a session stores them, of which a test names only what it is about. */
import type { PulledChunk, StoreId } from '@rejoin/core'

export function pulledChunk(
  store: StoreId,
  more: Partial<Omit<PulledChunk, 'kind' | 'store'>> = {},
): PulledChunk {
  return {
    kind: 'pulled',
    store,
    rows: [],
    texts: [],
    cursor: null,
    wants: [],
    writers: [],
    generations: [],
    frontier: null,
    reach: null,
    at: 0,
    ...more,
  }
}
