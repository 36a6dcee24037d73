/**
 * Looking for tombstones that may be forgotten (SPEC D2): rows of pages that do not exist, last written at a position
 * that is known to have been stored before a time. Rows that changed since their page was written are left out.
 */
import type { DocumentKey, Storage } from '@rejoin/core'
import { keysOfPage, type PageRecord } from './page.ts'
import type { Reader } from './reader.ts'
import type { JournalSink } from './sink.ts'

const pagesPerRead = 32
/** More wait for the next time. */
const tombstonesMax = 10_000

export async function readTombstones(
  storage: Storage,
  sink: JournalSink,
  reader: Reader,
  before: number,
): Promise<readonly DocumentKey[]> {
  const upTo = Math.min(reader.base.floor, reader.tail.storedBefore(before))
  if (upTo === 0) return []
  const found: DocumentKey[] = []
  for (let lo: string | null = null; found.length < tombstonesMax; ) {
    const range: { lower: string; lowerOpen: boolean } | undefined =
      lo === null ? undefined : { lower: lo, lowerOpen: true }
    const [answer] = await storage.transact({
      stores: ['pages'],
      mode: 'readonly',
      early: true,
      requests: [{ op: 'getAll', store: 'pages', range, limit: pagesPerRead }],
    })
    const pages = answer as readonly PageRecord[]
    for (const page of pages) {
      for (const [i, key] of keysOfPage(page).entries()) {
        const position = page.positions[i] ?? 0
        if (position < 0 && -position <= upTo) found.push(key)
      }
    }
    if (pages.length < pagesPerRead) break
    lo = pages.at(-1)?.lo ?? null
  }
  const changed = new Set(sink.changedAfter(reader.base.floor))
  return found.filter(key => !changed.has(key)).slice(0, tombstonesMax)
}
