/**
 * Pages: a session's pull walks the feed from its place to the end, and what it asks for is answered whole
 * (SPEC P2, P4, X6). Every frame is bounded by bytes; a place is told only between commits.
 */
import {
  emptyRow,
  limits,
  sizeOfRow,
  type ChangedRow,
  type DocumentKey,
  type FeedRow,
  type PartName,
  type RelaySpace,
  type RelayStore,
  type TextPart,
  type WantedText,
  type WantFrame,
  type WriterRecord,
} from '@rejoin/core'
import { differenceOfBody, headOfBody } from '@rejoin/resolve/screen'
import { send, type Attached } from './attached.ts'

const pageRows = 512
const frameBytes = 256 * 1024
/** A body with more than this to send is named by its head, and sent when it is asked for. */
const tailBytesMax = 64 * 1024

/** Sends rows from a session's place on: one read of the feed, in as many frames as its bytes demand. */
export async function sendPage(space: RelaySpace, store: RelayStore, attached: Attached): Promise<void> {
  const { session } = attached
  const page = await store.feed(space.name, session.place, pageRows)
  const head = space.position
  let rows: ChangedRow[] = []
  let bytes = 0
  const sendRows = (): void => {
    const { place } = session
    send(attached, { type: 'changes', rows, place, head, cut: null, answer: false, writers: [] })
    rows = []
    bytes = 0
  }
  for (const [i, row] of page.entries()) {
    const texts = await tailsOf(space, store, attached, row)
    const changed = space.changedRow(session, row, texts)
    if (changed !== null) {
      rows.push(changed)
      bytes += sizeOfChanged(changed)
    }
    const endsCommit = page[i + 1]?.held.position !== row.held.position
    if (endsCommit) session.place = row.held.position
    if (bytes < frameBytes) continue
    sendRows()
  }
  const atEnd = session.place >= head || page.length === 0
  if (!atEnd) {
    if (rows.length > 0) sendRows()
    return
  }
  const writers = session.role === 'peer' ? await store.writersAfter(space.name, session.toldWriters) : []
  const cut = space.cutFor(session, true)
  session.place = session.cut = head
  session.told = space.frontier
  session.toldWriters = head
  session.live = true
  send(attached, { type: 'changes', rows, place: head, head, cut, answer: false, writers })
}

async function tailsOf(
  space: RelaySpace,
  store: RelayStore,
  attached: Attached,
  row: FeedRow,
): Promise<ReadonlyMap<PartName, TextPart>> {
  const texts = new Map<PartName, TextPart>()
  for (const part of space.textsToSend(attached.session, row)) {
    const tail = await store.textTail(space.name, row.key, part, attached.session.cut)
    texts.set(part, await textPart(space.name, store, row.key, part, tail))
  }
  return texts
}

async function textPart(
  space: string,
  store: RelayStore,
  key: DocumentKey,
  part: PartName,
  tail: readonly Uint8Array[] | null,
): Promise<TextPart> {
  if (tail !== null && bytesOf(tail) <= tailBytesMax) return { kind: 'tail', updates: tail }
  return { kind: 'head', head: headOfBody(await store.textBody(space, key, part)) }
}

/** Answers a `want`: rows whole (empty where the relay has none), bodies by what the asker lacks, and who writers are. */
export async function answerWant(
  space: RelaySpace,
  store: RelayStore,
  attached: Attached,
  frame: WantFrame,
): Promise<void> {
  const held = await store.rows(space.name, frame.keys)
  const writers = frame.writers.length === 0 ? [] : await store.writers(space.name, frame.writers)
  const end = space.position
  let rows: ChangedRow[] = []
  let bytes = 0
  const tell = (who: readonly WriterRecord[]): void => {
    send(attached, { type: 'changes', rows, place: end, head: end, cut: null, answer: true, writers: who })
    rows = []
    bytes = 0
  }
  for (const key of frame.keys) {
    const row = held.get(key)
    const texts = new Map<PartName, TextPart>()
    for (const part of row?.texts.keys() ?? []) {
      const body = await store.textBody(space.name, key, part)
      texts.set(part, await textPart(space.name, store, key, part, body))
    }
    const changed: ChangedRow = { key, delta: row?.row ?? emptyRow, parts: 0, texts }
    rows.push(changed)
    bytes += sizeOfChanged(changed)
    if (bytes >= frameBytes || rows.length >= limits.rowsPerFrameMax) tell([])
  }
  if (rows.length > 0) tell([])
  if (writers.length > 0) tell(writers)
  for (const text of frame.texts) await answerText(space, store, attached, text)
}

async function answerText(
  space: RelaySpace,
  store: RelayStore,
  attached: Attached,
  text: WantedText,
): Promise<void> {
  const { key, part, stateVector } = text
  const body = await store.textBody(space.name, key, part)
  const { digest } = headOfBody(body)
  const difference = differenceOfBody(body, stateVector)
  // What is too large for a frame goes as the updates that it is made of; those that the asker has are harmless.
  const updates = difference.length <= limits.textUpdateBytesMax ? [difference] : body
  updates.forEach((update, i) => {
    send(attached, { type: 'text', key, part, update, digest, more: i + 1 < updates.length })
  })
}

function sizeOfChanged(row: ChangedRow): number {
  let bytes = row.key.length + sizeOfRow(row.delta)
  for (const text of row.texts.values()) bytes += text.kind === 'tail' ? bytesOf(text.updates) : 64
  return bytes
}

function bytesOf(updates: readonly Uint8Array[]): number {
  let bytes = 0
  for (const update of updates) bytes += update.length + 4
  return bytes
}
