/**
 * Writing pages: what the journal holds up to a position moves into pages, texts and a snapshot; the floor follows.
 *
 * Invariant: whoever reads from `base` (pages, texts, the snapshot of its floor, the journal above it) gets the state
 * that all chunks make. It rests on three things.
 * - A tab that has read the whole journal under the fence holds in memory the join of pages and journal, so a row of
 *   it *replaces* the row of a page. Everything that is written is of one moment, in which `seen` is `upTo`; rows are
 *   immutable, so holding on to that moment costs nothing.
 * - Appends touch only `journal`; this touches only the other stores until the floor has moved. What is deleted then
 *   is garbage by definition, so a deletion may be lost, repeated, or come late.
 * - Each step is on disk before the next begins, and each is guarded by the fence, which was taken before reading: a
 *   second compactor makes the first one collide, and the floor never moves back.
 *
 * | stopped after   | state                                    | why it is harmless                                  |
 * | 'read'          | perhaps `purged` too high                | a tab far behind takes all pages instead of some    |
 * | 'page', 'texts' | some pages or bodies newer than the floor | join is idempotent; the next run writes them again  |
 * | 'snapshot'      | a snapshot that no base names            | the next run deletes it                             |
 * | 'floor'         | garbage at or below the floor            | nobody reads it; the next run deletes it            |
 */
import {
  encodeChunk,
  rowExists,
  type BodyUpdates,
  type DocumentKey,
  type Storage,
  type StorageRequest,
  type StoreKey,
} from '@rejoin/core'
import type { Fence } from './fence.ts'
import type { CompactionStep } from './journal.ts'
import { rewritePage, sizeOfPage, type PageChange, type PageRecord } from './page.ts'
import type { Reader } from './reader.ts'
import type { JournalSink } from './sink.ts'
import type { BaseRecord } from './stores.ts'
import { moveBodies, type MergeTexts } from './text-bodies.ts'

export interface CompactionOptions {
  readonly storage: Storage
  readonly fence: Fence
  /** Has just read everything. */
  readonly reader: Reader
  readonly sink: JournalSink
  readonly mergeTexts: MergeTexts | undefined
  readonly step: (name: CompactionStep) => Promise<void>
}

/** Pages read or rewritten in one transaction. */
const pagesPerStep = 16
/** Rows written in one transaction, so that a page which is filled for the first time is no long task. */
const rowsPerStep = 2048
/** Chunks deleted in one transaction, during which appends wait. */
const chunksPerDeletion = 1000

/** What is to be written, all of one moment. */
interface Cut {
  readonly upTo: number
  /** By key, in order. */
  readonly changes: readonly PageChange[]
  /** Rows that were forgotten since the last time, be they back or not. */
  readonly forgotten: readonly DocumentKey[]
  readonly bodies: readonly BodyUpdates[]
  readonly snapshot: Uint8Array
}

export async function writePages(options: CompactionOptions): Promise<boolean> {
  const { storage, fence, reader, sink, mergeTexts, step } = options
  const { base } = reader
  if (reader.seen === base.floor) {
    await discardBelow(options)
    return false
  }
  const cut = takeCut(reader, sink)
  // Pages join for who has seen this much. For who has not, a row may be gone, or come back with less than it had.
  const purged = Math.max(base.purged, reader.tail.forgotten)
  if (purged > base.purged) await putBase(fence, { ...base, purged })
  await step('read')
  const rows = await replaceRows(options, cut)
  await step('pages')
  await moveBodies({ storage, fence, bodies: cut.bodies, forgotten: cut.forgotten, merge: mergeTexts })
  await step('texts')
  await putGuarded(fence, ['snapshot', cut.upTo], cut.snapshot)
  await step('snapshot')
  const next: BaseRecord = {
    floor: cut.upTo,
    purged,
    pages: rows.pages,
    pageBytes: Math.max(0, base.pageBytes + rows.grownBytes),
    snapshotBytes: cut.snapshot.length,
    times: reader.tail.times,
  }
  await putBase(fence, next)
  reader.rebase(next)
  await step('floor')
  await discardBelow(options)
  await step('deleted')
  return true
}

function takeCut(reader: Reader, sink: JournalSink): Cut {
  const keys = [...sink.changedAfter(reader.base.floor)].sort()
  const changes = keys.map((key): PageChange => ({ key, row: sink.confirmed(key) }))
  return {
    upTo: reader.seen,
    changes,
    forgotten: sink.bodies.forgottenUpTo(reader.seen),
    bodies: sink.bodies.upTo(reader.seen),
    snapshot: encodeChunk(sink.snapshot()),
  }
}

/**
 * The rows that changed, page by page, a few pages or rows in each transaction. How many pages there are then, and by how
 * much they have grown: of what a run wrote that did not come to its end, only their number is known.
 */
async function replaceRows(
  { storage, fence, step }: CompactionOptions,
  cut: Cut,
): Promise<{ readonly pages: number; readonly grownBytes: number }> {
  const [found] = await storage.transact({
    stores: ['pages'],
    mode: 'readonly',
    early: true,
    requests: [{ op: 'getAllKeys', store: 'pages' }],
  })
  const bounds = [...(found as readonly string[])]
  if (bounds.length === 0) bounds.push('')
  let pages = (found as readonly string[]).length
  let grownBytes = 0
  for (let place: Place = { change: 0, page: 0 }; place.change < cut.changes.length; ) {
    const portion = takePortion(bounds, cut.changes, place)
    const old = (await storage.transact({
      stores: ['pages'],
      mode: 'readonly',
      early: true,
      requests: portion.plan.map(({ lo }): StorageRequest => ({ op: 'get', store: 'pages', key: lo })),
    })) as readonly (PageRecord | undefined)[]
    const rewritten = portion.plan.map(({ lo, changes }, n) =>
      rewritePage(old[n], lo, cut.upTo, changes, rowExists),
    )
    const records = rewritten.flat()
    // Several requests: without an early commit, so that they are one transaction in Firefox too.
    await fence.transact({
      stores: ['pages'],
      durability: 'strict',
      requests: records.map(
        (page): StorageRequest => ({ op: 'put', store: 'pages', key: page.lo, value: page }),
      ),
    })
    pages += records.length - old.filter(page => page !== undefined).length
    for (const record of records) grownBytes += sizeOfPage(record)
    for (const page of old) grownBytes -= sizeOfPage(page)
    // What follows may belong to a page that has just been split off from the last one.
    const last = rewritten.at(-1) ?? []
    bounds.splice(portion.next.page + 1, 0, ...last.slice(1).map(({ lo }) => lo))
    place = portion.next
    await step('page')
  }
  return { pages, grownBytes }
}

/** How far the changes are written, and the page that the last of them is in. */
interface Place {
  readonly change: number
  readonly page: number
}

/** As many changes as go in one step, with the pages that they belong to. */
function takePortion(
  bounds: readonly string[],
  changes: readonly PageChange[],
  { change: from, page: first }: Place,
): {
  readonly plan: readonly { readonly lo: string; readonly changes: readonly PageChange[] }[]
  readonly next: Place
} {
  const plan: { readonly lo: string; readonly changes: PageChange[] }[] = []
  let page = first
  let change = from
  for (; change < changes.length && change < from + rowsPerStep; change++) {
    const one = changes[change]
    if (one === undefined) break
    let at = page
    for (let next = bounds[at + 1]; next !== undefined && next <= one.key; next = bounds[at + 1]) at++
    const lo = bounds[at] ?? ''
    const last = plan.at(-1)
    if (last?.lo !== lo) {
      if (plan.length === pagesPerStep) break
      plan.push({ lo, changes: [one] })
    } else {
      last.changes.push(one)
    }
    page = at
  }
  return { plan, next: { change, page } }
}

function putBase(fence: Fence, base: BaseRecord): Promise<unknown> {
  return putGuarded(fence, 'base', base)
}

function putGuarded(fence: Fence, key: StoreKey, value: unknown): Promise<unknown> {
  const put: StorageRequest = { op: 'put', store: 'meta', key, value }
  return fence.transact({ stores: ['meta'], durability: 'strict', early: true, requests: [put] })
}

/** Takes away chunks at or below the floor and snapshots of other floors. Nobody reads them, so it needs no fence. */
export async function discardBelow({
  storage,
  reader,
}: Pick<CompactionOptions, 'storage' | 'reader'>): Promise<void> {
  const { floor } = reader.base
  for (;;) {
    const [found] = await storage.transact({
      stores: ['journal'],
      mode: 'readonly',
      early: true,
      requests: [{ op: 'getAllKeys', store: 'journal', range: { upper: floor }, limit: chunksPerDeletion }],
    })
    const last = (found as readonly number[]).at(-1)
    if (last === undefined) break
    await remove(storage, { op: 'delete', store: 'journal', range: { upper: last } })
  }
  await remove(storage, {
    op: 'delete',
    store: 'meta',
    range: { lower: ['snapshot'], upper: ['snapshot', floor], upperOpen: true },
  })
  reader.discarded()
}

function remove(storage: Storage, request: StorageRequest): Promise<unknown> {
  return storage.transact({
    stores: [request.store],
    mode: 'readwrite',
    durability: 'relaxed',
    early: true,
    requests: [request],
  })
}
