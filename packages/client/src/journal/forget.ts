/**
 * Forgetting (SPEC D2): rows that do not exist leave the confirmed layer, at one position for all tabs.
 *
 * Pages say at which position each row was last written, and the journal's times say up to which position everything
 * was stored before a time. What changed since its page was written stays. The last look at a row and the chunk that
 * removes it have nothing of the relay between them: all that the fence's holder stored before is applied, and what
 * it stores afterwards is decided over what is left.
 */
import { rowExists, type DocumentKey, type ForgottenChunk, type Storage } from '@rejoin/core'
import type { Fence } from './fence.ts'
import { keysOfPage, type PageRecord } from './page.ts'
import type { Reader } from './reader.ts'
import type { JournalSink } from './sink.ts'

export interface Forgetting {
  /** The one under which this tab stores what relays send. */
  readonly fence: Fence
  /** T before now, by the corrected clock. */
  readonly before: number
  /** Not if the outbox touches the row, nor if a writer still in use has written it. */
  readonly may: (key: DocumentKey) => boolean
  /** Runs something in which no session stores or decides what to store. */
  readonly inTurn: <T>(run: () => Promise<T>) => Promise<T>
}

const pagesPerRead = 32
/** More wait for the next time. */
const forgottenMax = 10_000

/** Says how many rows were forgotten. */
export async function forgetTombstones(
  options: Forgetting,
  storage: Storage,
  sink: JournalSink,
  reader: Reader,
  append: (chunk: ForgottenChunk) => Promise<unknown>,
): Promise<number> {
  const { fence, before, may } = options
  const { floor } = reader.base
  const found = await readTombstones(storage, Math.min(floor, reader.tail.storedBefore(before)))
  if (found.length === 0) return 0
  return options.inTurn(async () => {
    do {
      await fence.settled()
      await reader.read()
    } while (!fence.isIdle)
    // After another tab's compaction it is no longer known what changed since the pages were read.
    if (reader.base.floor !== floor) return 0
    const changed = new Set(sink.changedAfter(floor))
    const keys = found.filter(key => {
      const row = sink.confirmed(key)
      return row !== undefined && !rowExists(row) && !changed.has(key) && may(key)
    })
    if (keys.length > 0) await append({ kind: 'forgotten', keys })
    return keys.length
  })
}

async function readTombstones(storage: Storage, upTo: number): Promise<readonly DocumentKey[]> {
  const found: DocumentKey[] = []
  for (let lo: string | null = null; upTo > 0 && found.length < forgottenMax; ) {
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
  return found.slice(0, forgottenMax)
}
