/**
 * Range-based set reconciliation (Meyer, "Range-Based Set Reconciliation", 2023) over all rows in the order of
 * (greatest mark, key): it costs differences times log n, and downloads nothing that is equal (SPEC R1).
 *
 * One side asks, the other answers. The asker sends sums of ranges; the answerer skips what is equal, names the
 * items of a small range, and splits a large one; of what still differs the asker splits a large one again, so each
 * message is a step. Ordered by time, recent differences lie together and are cheap.
 */
import { formatDigest, digestOfRow } from './digest.ts'
import type { Range, RangeBound, RangeItem } from './frames.ts'
import { compareMarks, type Mark } from './mark.ts'
import { lastOfRow, type DocumentKey, type Row } from './row.ts'

/** A range with no more rows than this is named item by item. */
const itemsMax = 32
/** How many ranges a larger one is split into. */
const splitInto = 32
/** Where so many ranges are asked for already, more of them gain nothing: those are asked for as they are. */
const askedRangesMax = 1024
/** About how many rows one answer names, and in how many ranges, so that it fits in a frame; of the rest it tells the sum. */
const answerItemsMax = 8192
const answerRangesMax = 8192

export interface RowIndex {
  /** In the order of (greatest mark, key). */
  readonly items: readonly IndexItem[]
  /** Sums of the digests of all items before each index, a lane each. */
  readonly high: Uint32Array
  readonly low: Uint32Array
}

interface IndexItem {
  readonly mark: Mark
  readonly key: DocumentKey
  readonly high: number
  readonly low: number
}

export function createRowIndex(rows: Iterable<readonly [DocumentKey, Row]>): RowIndex {
  const items: IndexItem[] = []
  for (const [key, row] of rows) {
    const mark = lastOfRow(row)
    if (mark !== null) items.push({ mark, key, ...digestOfRow(row) })
  }
  items.sort(compareBounds)
  const high = new Uint32Array(items.length + 1)
  const low = new Uint32Array(items.length + 1)
  items.forEach((item, i) => {
    high[i + 1] = (high[i] ?? 0) + item.high
    low[i + 1] = (low[i] ?? 0) + item.low
  })
  return { items, high, low }
}

/** What an asker begins with: all of its rows, in a few ranges. */
export function firstRanges(index: RowIndex): readonly Range[] {
  return splitRange(index, 0, index.items.length, null)
}

/** Whether each range begins where the one before ended, so that no row is in two of them. */
export function rangesRise(ranges: readonly Range[]): boolean {
  return ranges.every(({ end }, i) => {
    const before = i === 0 ? undefined : ranges[i - 1]?.end
    return before !== null && (end === null || before === undefined || compareBounds(before, end) <= 0)
  })
}

/** The answer to ranges that were asked for. */
export function answerRanges(index: RowIndex, ranges: readonly Range[]): readonly Range[] {
  const answer: Range[] = []
  let room = answerItemsMax
  let from = 0
  /** Where those began that are told as one, since there is no room for more; what was named before is none of them. */
  let left: number | null = null
  for (const { end, content } of ranges) {
    const to = endOf(index, end)
    const isFull = answer.length >= answerRangesMax && content.kind !== 'skip'
    if (isFull && left !== null) answer.pop()
    left = isFull ? (left ?? from) : null
    if (left !== null || (room <= 0 && content.kind === 'sum')) {
      answer.push({ end, content: sumOf(index, left ?? from, to) })
    } else if (content.kind === 'sum' && !isSameSum(index, from, to, content)) {
      if (to - from <= itemsMax || content.count === 0) {
        answer.push(...nameRange(index, from, to, end, room))
        room -= to - from
      } else answer.push(...splitRange(index, from, to, end))
    } else {
      pushSkip(answer, end)
    }
    from = to
  }
  return answer
}

export interface Comparison {
  /** Ranges to ask for next; empty when everything was found. */
  readonly next: readonly Range[]
  /** Rows that this side has and the other side lacks or has otherwise. */
  readonly mine: readonly DocumentKey[]
  /** Rows that the other side has and this side lacks or has otherwise. */
  readonly theirs: readonly DocumentKey[]
}

/** What an asker learns from an answer. */
export function compareRanges(index: RowIndex, ranges: readonly Range[]): Comparison {
  const next: Range[] = []
  const mine: DocumentKey[] = []
  const theirs: DocumentKey[] = []
  let from = 0
  let asks = false
  for (const { end, content } of ranges) {
    const to = endOf(index, end)
    if (content.kind === 'items') {
      compareItems(index.items.slice(from, to), content.items, mine, theirs)
      pushSkip(next, end)
    } else if (content.kind === 'sum' && !isSameSum(index, from, to, content)) {
      const isLarge = Math.min(to - from, content.count) > itemsMax && next.length < askedRangesMax
      if (isLarge) next.push(...splitRange(index, from, to, end))
      else next.push({ end, content: sumOf(index, from, to) })
      asks = true
    } else {
      pushSkip(next, end)
    }
    from = to
  }
  return { next: asks ? next : [], mine, theirs }
}

function compareItems(
  mine: readonly IndexItem[],
  theirs: readonly RangeItem[],
  onlyMine: DocumentKey[],
  onlyTheirs: DocumentKey[],
): void {
  const named = (item: RangeItem): string => `${item.key}\n${item.digest}`
  const held = new Set(mine.map(item => named({ ...item, digest: formatDigest(item) })))
  const told = new Set(theirs.map(named))
  for (const item of mine)
    if (!told.has(named({ ...item, digest: formatDigest(item) }))) onlyMine.push(item.key)
  for (const item of theirs) if (!held.has(named(item))) onlyTheirs.push(item.key)
}

function splitRange(index: RowIndex, from: number, to: number, end: RangeBound | null): readonly Range[] {
  const step = Math.max(1, Math.ceil((to - from) / splitInto))
  const ranges: Range[] = []
  for (let at = from; at + step < to; at += step) {
    ranges.push({ end: boundBefore(index, at + step), content: sumOf(index, at, at + step) })
  }
  const last = from + ranges.length * step
  ranges.push({ end, content: sumOf(index, last, to) })
  return ranges
}

/** Names the items of a range as far as there is room, and sums up the rest. */
function nameRange(
  index: RowIndex,
  from: number,
  to: number,
  end: RangeBound | null,
  room: number,
): readonly Range[] {
  if (from + room >= to) return [{ end, content: itemsOf(index, from, to) }]
  const named = boundBefore(index, from + room)
  const rest: Range = { end, content: sumOf(index, from + room, to) }
  return [{ end: named, content: itemsOf(index, from, from + room) }, rest]
}

/** Between an item and the one before. Ids may be long, so it bears one only if they have the same mark. */
function boundBefore(index: RowIndex, at: number): RangeBound | null {
  const [before, item] = [index.items[at - 1], index.items[at]]
  if (item === undefined) return null
  const isKeyed = before !== undefined && compareMarks(before.mark, item.mark) === 0
  return { mark: item.mark, key: isKeyed ? item.key : null }
}

function sumOf(index: RowIndex, from: number, to: number): { kind: 'sum'; count: number; hash: string } {
  const high = ((index.high[to] ?? 0) - (index.high[from] ?? 0)) >>> 0
  const low = ((index.low[to] ?? 0) - (index.low[from] ?? 0)) >>> 0
  return { kind: 'sum', count: to - from, hash: formatDigest({ high, low }) }
}

function isSameSum(
  index: RowIndex,
  from: number,
  to: number,
  sum: { readonly count: number; readonly hash: string },
): boolean {
  const own = sumOf(index, from, to)
  return own.count === sum.count && own.hash === sum.hash
}

function itemsOf(index: RowIndex, from: number, to: number): { kind: 'items'; items: RangeItem[] } {
  const items = index.items
    .slice(from, to)
    .map(item => ({ mark: item.mark, key: item.key, digest: formatDigest(item) }))
  return { kind: 'items', items }
}

/** Neighbouring skips are one. */
function pushSkip(ranges: Range[], end: RangeBound | null): void {
  if (ranges.at(-1)?.content.kind === 'skip') ranges.pop()
  ranges.push({ end, content: { kind: 'skip' } })
}

function endOf(index: RowIndex, end: RangeBound | null): number {
  return end === null ? index.items.length : positionOf(index, end)
}

/** The index of the first item that is not smaller than a bound. */
function positionOf(index: RowIndex, bound: RangeBound): number {
  let low = 0
  let high = index.items.length
  while (low < high) {
    const middle = (low + high) >> 1
    const item = index.items[middle]
    if (item !== undefined && compareBounds(item, bound) < 0) low = middle + 1
    else high = middle
  }
  return low
}

function compareBounds(a: RangeBound, b: RangeBound): number {
  const [keyOfA, keyOfB] = [a.key ?? '', b.key ?? '']
  return compareMarks(a.mark, b.mark) || (keyOfA < keyOfB ? -1 : keyOfA > keyOfB ? 1 : 0)
}
