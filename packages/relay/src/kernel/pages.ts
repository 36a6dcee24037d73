/**
 * Pages: a session's pull walks the feed from its place to the end, and what it asks for is answered whole
 * (SPEC P2, P4, X6). Every frame is bounded by bytes; a place is told only between commits. What is asked for may be
 * more than a connection takes, so it is answered a frame at a time, each when there is room (SPEC F3).
 */
import {
  emptyRow,
  encodeFrame,
  sizeOfChanged,
  type ChangedRow,
  type DocumentKey,
  type FeedRow,
  type Frame,
  type HeldRow,
  type PartName,
  type RelaySpace,
  type RelayStore,
  type Runtime,
  type TextHead,
  type TextPart,
  type WantedText,
  type WantFrame,
  type WriterRecord,
} from '@rejoin/core'
import { differingBody, headOfBody, splittingUpdate } from '@rejoin/resolve/screen'
import { hasRoom, isWritable, send, sendBytes, type Attached } from './attached.ts'
import type { KeptFrame, KeptPage, KeptPages } from './kept-pages.ts'
import { slicesOf } from './slices.ts'
import { storedPage } from './stored-pages.ts'
import { createStretch } from './stretch.ts'

const pageRows = 512
/** So many rows are a page of their own in front of one that is kept. */
const gapRowsMin = pageRows / 4
/** Where there was room for fewer, so many are read all the same. */
const rowsAtOnceMin = 8
/** Rows of an answer that are read at once: what a slow reader has not taken is not in memory. */
const answerRows = 64
/** Writers in one frame, of an answer or to a peer. */
const frameWriters = 1024
const frameBytes = 256 * 1024
/** A page that is kept and has no more is sent to its end, whatever the credit: else it would be made anew for each. */
const keptPageFrames = 24
/** Bodies of a row with more than this to send are named by their heads, and sent when they are asked for. */
const tailBytesMax = 64 * 1024

/** How long one step of making an answer may keep everybody waiting. */
const stepMs = 5

/** What answers are made of. */
export interface Asked {
  readonly space: RelaySpace
  readonly store: RelayStore
  readonly runtime: Runtime
}

/** What a walk over the feed stands on. */
export interface Walk {
  readonly space: RelaySpace
  readonly store: RelayStore
  readonly runtime: Runtime
  readonly kept: KeptPages
  /** Null where links cannot be given fewer bytes. */
  readonly deflate: ((frame: Uint8Array) => Uint8Array) | null
}

/**
 * Sends rows from a session's place on: one read of the feed, in as many frames as its bytes demand, while there is room.
 * The rest is read again when there is, and less of it at once. Of how many rows it made a page that others will be sent.
 */
export async function sendPage(walk: Walk, attached: Attached): Promise<number> {
  const { space, store } = walk
  const { session, begun } = attached
  if (await sendKept(walk, attached)) return 0
  const { place } = session
  const limit = Math.min(pageRows, attached.rowsAtOnce)
  const read = place >= space.position ? noRows : await store.feed(space.name, place, limit)
  if (begun !== null || read.length === 0 || !isAlike(attached)) return sendRows(walk, attached, read)
  const next = await nextPage(walk, place)
  const isGapEmpty = (read[0]?.held.position ?? 0) > next
  const rows = isGapEmpty ? await beginEarlier(walk, next, place) : 0
  if (rows > 0 && (await sendKept(walk, attached))) return rows
  return sendRows(walk, attached, upToNext(read, next))
}

/** Sends what is behind a session's place, which was read before. */
export async function sendRows(walk: Walk, attached: Attached, page: readonly FeedRow[]): Promise<number> {
  const { space, store } = walk
  const { session, begun } = attached
  const from = session.place
  const head = space.position
  const frames: KeptFrame[] | null = begun === null && page.length > 0 && isAlike(attached) ? [] : null
  const stretch = createStretch(walk.runtime)
  let rows: ChangedRow[] = []
  let rowCount = 0
  let bytes = 0
  const sendFrame = (): void => {
    const { place } = session
    const frame: Frame = { type: 'changes', rows, place, head, cut: null, answer: false, writers: [] }
    if (frames === null) send(attached, frame)
    else frames.push(sendToKeep(walk, attached, frame))
    rowCount += rows.length
    rows = []
    bytes = 0
  }
  let isFull = false
  for (const [i, row] of page.entries()) {
    const { position } = row.held
    const wasSent = begun?.position === position && begun.keys.has(row.key)
    // Most rows have no texts, and none is waited for in vain.
    const texts = wasSent || row.held.texts.size === 0 ? noTexts : await tailsOf(walk, attached, row)
    const changed = wasSent ? null : space.changedRow(session, row, texts)
    if (changed !== null) {
      rows.push(changed)
      bytes += sizeOfChanged(changed)
    }
    const endsCommit = page[i + 1]?.held.position !== position
    if (endsCommit) {
      session.place = position
      attached.begun = null
    }
    if (bytes < frameBytes) continue
    sendFrame()
    if (stretch.isOver()) await stretch.letOthersGo()
    const goesOn = frames !== null && frames.length < keptPageFrames && isWritable(attached)
    isFull = i + 1 < page.length && !goesOn && !hasRoom(attached)
    if (!isFull) continue
    if (!endsCommit) attached.begun = beginOf(page.slice(0, i + 1), position)
    attached.rowsAtOnce = Math.max(rowsAtOnceMin, i + 1)
    break
  }
  if (!isFull) attached.rowsAtOnce *= 2
  const atEnd = !isFull && (session.place >= head || page.length === 0)
  if (rows.length > 0 && (frames !== null || !atEnd)) sendFrame()
  const isKept = frames !== null && attached.begun === null
  if (isKept)
    walk.kept.keep(space.name, {
      from,
      to: session.place,
      frames,
      isLast: atEnd && page.length < pageRows / 2,
      spared: session.fresh,
      rows: rowCount,
      left: 0,
      stretchRows: page.length,
      soundUpTo: Number.POSITIVE_INFINITY,
      isStored: false,
    })
  const made = isKept ? rowCount : 0
  if (!atEnd) return made
  attached.begun = null
  // What is remembered of writers alone has the position of the commit before.
  const isPeer = session.role === 'peer'
  let writers = isPeer ? await store.writersAfter(space.name, session.toldWriters - 1) : noWriters
  const end = { type: 'changes', place: head, head, answer: false } as const
  for (; writers.length > frameWriters; writers = writers.slice(frameWriters)) {
    send(attached, { ...end, rows, cut: null, writers: writers.slice(0, frameWriters) })
    rows = []
  }
  const cut = space.cutFor(session, true)
  session.place = session.cut = head
  session.told = space.frontier
  session.toldWriters = head
  session.live = true
  send(attached, { ...end, rows, cut, writers })
  return made
}

const noRows: readonly FeedRow[] = []
const noWriters: readonly WriterRecord[] = []

/** A place is told only between commits; of one that is more than there is room for, what was sent is noted. */
function beginOf(sent: readonly FeedRow[], position: number): NonNullable<Attached['begun']> {
  return {
    position,
    keys: new Set(sent.filter(({ held }) => held.position === position).map(({ key }) => key)),
  }
}

/** Whether any new replica is sent the same: it has brought nothing that is not sent back. */
function isAlike({ session }: Attached): boolean {
  const { fresh, cut, submitted, givenCount } = session
  return fresh > 0 && cut === 0 && submitted + givenCount === 0
}

/** Where the next page that is kept or stored begins behind a place. */
async function nextPage({ space, store, kept }: Walk, place: number): Promise<number> {
  return Math.min(kept.next(space.name, place), await store.pages.next(space.name, place))
}

/** All that was in between has left. Of how many rows the page is. */
async function beginEarlier(walk: Walk, from: number, place: number): Promise<number> {
  const { space, kept } = walk
  const page = kept.at(space.name, from) ?? (await fromStore(walk, from))
  if (page === null) return 0
  kept.keep(space.name, { ...page, from: place, isStored: false })
  return page.rows
}

/**
 * A page that is made where one was dropped ends where the next one begins, so that all behind it stay. Where few rows
 * are left in between, it takes some of that one's.
 */
function upToNext(page: readonly FeedRow[], next: number): readonly FeedRow[] {
  const gap = page.findIndex(({ held }) => held.position > next)
  if (gap < 0) return page
  const least = gap < gapRowsMin ? pageRows / 2 : gap
  const end = page.findIndex(({ held }, i) => i >= least && held.position !== page[i - 1]?.held.position)
  return end < 0 ? page : page.slice(0, end)
}

/** Sends the page that begins at a session's place, if it is kept. */
async function sendKept(walk: Walk, attached: Attached): Promise<boolean> {
  const { space, kept } = walk
  const { session } = attached
  const { place } = session
  if (!isAlike(attached)) return false
  const page = kept.at(space.name, place) ?? (place < space.position ? await fromStore(walk, place) : null)
  if (page === null || page.spared > session.fresh || (page.isLast && page.to < space.position)) return false
  for (const { bytes, length } of page.frames) sendBytes(attached, bytes, length)
  session.place = page.to
  // P4: what was deleted since is there in what it was sent.
  session.fresh = Math.min(session.fresh, page.soundUpTo)
  return true
}

/** The page that begins at a place, which is in memory from now on. */
async function fromStore({ space, store, kept, deflate }: Walk, place: number): Promise<KeptPage | null> {
  const page = await storedPage(store.pages, space.name, place, deflate !== null)
  if (page !== null) kept.keep(space.name, page)
  return page
}

function sendToKeep({ deflate }: Walk, attached: Attached, frame: Frame): KeptFrame {
  const encoded = encodeFrame(frame)
  const bytes = deflate === null ? encoded : deflate(encoded)
  sendBytes(attached, bytes, encoded.length)
  return { bytes, length: encoded.length }
}

const noTexts: ReadonlyMap<PartName, TextPart> = new Map()

async function tailsOf(
  { space, store }: Walk,
  attached: Attached,
  row: FeedRow,
): Promise<ReadonlyMap<PartName, TextPart>> {
  const { key } = row
  return partsOf(space, store, key, space.textsToSend(attached.session, row), part =>
    store.textTail(space.name, key, part, attached.session.cut),
  )
}

/** What is sent of bodies at once: their tails, as long as these are short together. */
async function partsOf(
  { name }: RelaySpace,
  store: RelayStore,
  key: DocumentKey,
  parts: Iterable<PartName>,
  tailOf: (part: PartName) => Promise<readonly Uint8Array[] | null>,
): Promise<ReadonlyMap<PartName, TextPart>> {
  const texts = new Map<PartName, TextPart>()
  let left = tailBytesMax
  for (const part of parts) {
    const tail = await tailOf(part)
    const bytes = tail === null ? Infinity : bytesOf(tail)
    if (tail !== null && bytes <= left) {
      left -= bytes
      texts.set(part, { kind: 'tail', updates: tail })
    } else texts.set(part, { kind: 'head', head: toldHead(await store.textBody(name, key, part)) })
  }
  return texts
}

/** Whether it is what is there already is told by the digest, and who lacks something of it says what it has. */
function toldHead(body: readonly Uint8Array[]): TextHead {
  return { ...headOfBody(body), stateVector: new Map() }
}

/**
 * Answers a `want`: rows whole (empty where the relay has none), bodies by what the asker lacks, and who writers are.
 * Each step sends one frame, or lets others go on while that is made.
 */
export async function* answerWant(
  asked: Asked,
  attached: Attached,
  frame: WantFrame,
): AsyncGenerator<undefined, void> {
  const { space, store } = asked
  const tell = (rows: readonly ChangedRow[], writers: readonly WriterRecord[]): void => {
    const end = space.position
    send(attached, { type: 'changes', rows, place: end, head: end, cut: null, answer: true, writers })
  }
  // Whoever asks for a thing twice gets it once.
  for (const keys of slicesOf([...new Set(frame.keys)], answerRows)) {
    const held = await store.rows(space.name, keys)
    let rows: ChangedRow[] = []
    let bytes = 0
    for (const [i, key] of keys.entries()) {
      const changed = await wholeRow(space, store, key, held.get(key))
      rows.push(changed)
      bytes += sizeOfChanged(changed)
      if (bytes < frameBytes && i + 1 < keys.length) continue
      tell(rows, [])
      yield
      rows = []
      bytes = 0
    }
  }
  for (const ids of slicesOf([...new Set(frame.writers)], frameWriters)) {
    const writers = await store.writers(space.name, ids)
    if (writers.length === 0) continue
    tell([], writers)
    yield
  }
  const texts = new Map(frame.texts.map(text => [`${text.key}\n${text.part}`, text]))
  for (const text of texts.values()) {
    yield* answerText(asked, attached, text)
    yield
  }
}

async function wholeRow(
  space: RelaySpace,
  store: RelayStore,
  key: DocumentKey,
  held: HeldRow | undefined,
): Promise<ChangedRow> {
  const texts = await partsOf(space, store, key, held?.texts.keys() ?? [], part =>
    store.textBody(space.name, key, part),
  )
  return { key, delta: held?.row ?? emptyRow, parts: 0, texts }
}

async function* answerText(
  { space, store, runtime }: Asked,
  attached: Attached,
  { key, part, stateVector }: WantedText,
): AsyncGenerator<undefined, void> {
  const body = await store.textBody(space.name, key, part)
  const difference = yield* inSteps(differingBody(body, stateVector), runtime)
  const updates = yield* inSteps(splittingUpdate(difference), runtime)
  updates.forEach((update, i) => {
    send(attached, { type: 'text', key, part, update, more: i + 1 < updates.length })
  })
}

/** Takes steps one after the other, and lets everybody have their turn when that has taken a while. */
async function* inSteps<Value>(
  steps: Generator<undefined, Value>,
  runtime: Runtime,
): AsyncGenerator<undefined, Value> {
  for (let began = runtime.monotonic(); ; ) {
    const step = steps.next()
    if (step.done === true) return step.value
    if (runtime.monotonic() - began < stepMs) continue
    await new Promise<void>(resolve => void runtime.after(0, resolve))
    yield
    began = runtime.monotonic()
  }
}

function bytesOf(updates: readonly Uint8Array[]): number {
  let bytes = 0
  for (const update of updates) bytes += update.length + 4
  return bytes
}
