/**
 * One space of a store in memory. The feed is a list of (position, key) in the order of commits; an entry counts while
 * its row still has that position, and the list is swept when most entries no longer do. So a feed read costs what it
 * returns, as it does with an index.
 */
import type {
  DocumentKey,
  FeedRow,
  Generation,
  GenerationId,
  HeldRow,
  LoadedSpace,
  PartName,
  SpaceCommit,
  SpaceRecord,
  StoredPage,
  StoredText,
  TextFold,
  WriterId,
  WriterRecord,
} from '@rejoin/core'

export interface SpaceContent {
  apply(commit: SpaceCommit): void
  load(): LoadedSpace
  rows(keys: readonly DocumentKey[]): ReadonlyMap<DocumentKey, HeldRow>
  feed(after: number, limit: number): readonly FeedRow[]
  all(): readonly FeedRow[]
  writers(ids: readonly WriterId[]): readonly WriterRecord[]
  writersAfter(after: number): readonly WriterRecord[]
  textTail(key: DocumentKey, part: PartName, after: number): readonly Uint8Array[] | null
  storedText(key: DocumentKey, part: PartName): StoredText
  fold(fold: TextFold): boolean
  readonly pages: SpacePages
  /** Its maps, to be copied by who takes an image. */
  readonly state: SpaceState
}

/** As a `PageStore` of one space. */
interface SpacePages {
  at(from: number): { readonly page: StoredPage; readonly left: number } | null
  next(position: number): number
  put(page: StoredPage): void
}

interface SpaceState {
  record: SpaceRecord
  log: Logged[]
  readonly rows: Map<DocumentKey, HeldRow>
  readonly generations: Map<GenerationId, Generation>
  readonly writers: Map<WriterId, { readonly record: WriterRecord; readonly position: number }>
  readonly snapshots: Map<string, Appended>
  readonly tails: Map<string, Appended[]>
  /** By where they begin. */
  readonly pages: Map<number, StoredPage>
}

interface Logged {
  readonly position: number
  readonly key: DocumentKey
}

interface Appended {
  readonly position: number
  readonly update: Uint8Array
}

// Below this length the log is not worth sweeping.
const sweptLength = 64

export function createSpaceContent(record: SpaceRecord): SpaceContent {
  return contentOf({
    record,
    log: [],
    rows: new Map(),
    generations: new Map(),
    writers: new Map(),
    snapshots: new Map(),
    tails: new Map(),
    pages: new Map(),
  })
}

/** The same content, apart from the original from now on. */
export function copySpace({ state }: SpaceContent): SpaceContent {
  return contentOf({
    record: state.record,
    log: state.log.slice(),
    rows: new Map(state.rows),
    generations: new Map(state.generations),
    writers: new Map(state.writers),
    snapshots: new Map(state.snapshots),
    tails: new Map(Array.from(state.tails, ([name, tail]) => [name, tail.slice()])),
    pages: new Map(state.pages),
  })
}

function contentOf(state: SpaceState): SpaceContent {
  const { rows, generations, writers, snapshots, tails } = state

  function isCurrent(entry: Logged): boolean {
    return rows.get(entry.key)?.position === entry.position
  }

  return {
    state,
    apply(commit) {
      state.record = commit.record
      const { position } = commit.record
      for (const [key, held] of commit.rows) {
        if (rows.get(key)?.position !== held.position) state.log.push({ position: held.position, key })
        rows.set(key, held)
      }
      const { length } = state.log
      if (length > sweptLength && length > 2 * rows.size) state.log = state.log.filter(isCurrent)
      for (const { key, part, update } of commit.texts) {
        const name = textName(key, part)
        const tail = tails.get(name)
        if (tail === undefined) tails.set(name, [{ position, update }])
        else tail.push({ position, update })
      }
      for (const record of commit.writers) writers.set(record.writer, { record, position })
      for (const fact of commit.generations) if (!generations.has(fact.id)) generations.set(fact.id, fact)
    },
    load: () => ({ record: state.record, generations: [...generations.values()] }),
    rows: keys => {
      const found = new Map<DocumentKey, HeldRow>()
      for (const key of keys) {
        const held = rows.get(key)
        if (held !== undefined) found.set(key, held)
      }
      return found
    },
    feed: (after, limit) => {
      const found: FeedRow[] = []
      const { log } = state
      for (let at = findAfter(log, after); at < log.length; at++) {
        const entry = log[at]
        const held = entry === undefined ? undefined : rows.get(entry.key)
        if (entry === undefined || held?.position !== entry.position) continue
        if (found.length >= limit) {
          // The commit that the limit would cut comes with the next call, or, if it is the first, whole with this one.
          const whole = found.filter(row => row.held.position < entry.position)
          if (whole.length > 0) return whole
        }
        found.push({ key: entry.key, held })
      }
      return found
    },
    all: () => Array.from(rows, ([key, held]) => ({ key, held })),
    writers: ids => ids.flatMap(id => writers.get(id)?.record ?? []),
    writersAfter: after =>
      [...writers.values()].filter(entry => entry.position > after).map(entry => entry.record),
    textTail: (key, part, after) => {
      const name = textName(key, part)
      const folded = snapshots.get(name)?.position ?? 0
      if (folded > after) return null
      return (tails.get(name) ?? []).filter(entry => entry.position > after).map(entry => entry.update)
    },
    storedText,
    fold: ({ key, part, read, snapshot, held }) => {
      const now = storedText(key, part)
      if (now.folded !== read.folded || now.end < read.end) return false
      const name = textName(key, part)
      snapshots.set(name, { position: read.end, update: snapshot })
      tails.set(
        name,
        (tails.get(name) ?? []).filter(entry => entry.position > read.end),
      )
      rows.set(key, held)
      return true
    },
    pages: {
      at: from => {
        const page = state.pages.get(from)
        return page === undefined ? null : { page, left: page.rows - countIn(from, page.to) }
      },
      next: position => Math.min(...[...state.pages.keys()].filter(from => from > position)),
      put: page => {
        for (const { from, to } of [...state.pages.values()])
          if (from < page.to && to > page.from) state.pages.delete(from)
        state.pages.set(page.from, page)
      },
    },
  }

  /** How many rows the feed has behind a position and up to another. */
  function countIn(from: number, to: number): number {
    let count = 0
    const { log } = state
    for (let at = findAfter(log, from); (log[at]?.position ?? Infinity) <= to; at++)
      if (isCurrent(log[at] as Logged)) count += 1
    return count
  }

  function storedText(key: DocumentKey, part: PartName): StoredText {
    const name = textName(key, part)
    const snapshot = snapshots.get(name)
    const tail = tails.get(name) ?? []
    const folded = snapshot?.position ?? 0
    return {
      folded,
      end: tail.at(-1)?.position ?? folded,
      updates: [...(snapshot === undefined ? [] : [snapshot]), ...tail].map(entry => entry.update),
    }
  }
}

/** The index of the first entry with a greater position. */
function findAfter(log: readonly Logged[], position: number): number {
  let low = 0
  let high = log.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((log[middle]?.position ?? 0) > position) high = middle
    else low = middle + 1
  }
  return low
}

function textName(key: DocumentKey, part: PartName): string {
  return `${key.length}:${key}${part}`
}
