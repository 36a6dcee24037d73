/**
 * Makes own text edits anew (SPEC W6, X9): the same edits at the same places, in another text.
 *
 * The old text holds what the edits were made in, with what was refused and what was made anew since; the new one
 * what stands now. One edit after the other is taken into the old text, and what it did there is done to the images
 * of the characters that it did it to (images.ts): what was typed stands behind the nearest character before it that
 * has one, what it deleted or formatted is deleted or formatted where it stands. So what was refused takes nothing
 * along, and nothing depends on both texts showing the same.
 *
 * Two old texts are kept, since a format that stands twice could not be seen to be taken away: one with what was
 * made anew before, for edits that were made in that, and one without, for all others.
 */
import { keyOfBytes, type TextAnew, type TextMove } from '@rejoin/core'
import * as Y from 'yjs'
import { createImages, type Images, type Span } from './images.ts'
import { captureEdit, createLiveText, type LiveText } from './live.ts'

type Attributes = Record<string, unknown> | undefined

/** Yjs joins items after they were told, so what they were is noted before. */
interface Inserted {
  readonly span: Span
  readonly origin: Y.ID | null
  readonly value: string | object
  readonly attributes: Attributes
}

interface Edit {
  /** In the order in which they were typed. */
  readonly inserted: readonly Inserted[]
  readonly formatted: readonly { readonly span: Span; readonly attributes: NonNullable<Attributes> }[]
  readonly deleted: readonly Span[]
}

/** What each of `later` becomes, as the client that is named for it; nothing, if it is one of `gone`. */
export function remakeUpdates(
  now: readonly Uint8Array[],
  before: readonly Uint8Array[],
  moves: readonly TextMove[],
  later: readonly Uint8Array[],
  clientOf: (update: Uint8Array) => number,
  gone: ReadonlySet<Uint8Array> = new Set(),
): readonly TextAnew[] {
  const remade = createLiveText(now, { gc: true })
  const states = Y.getState.bind(null, remade.document.store)
  const known = new Map([...remade.document.store.clients.keys()].map(one => [one, states(one)]))
  const images = createImages(one => known.get(one) ?? 0)
  const old = createLiveText([...now, ...before], { gc: false })
  let older: LiveText | null = null
  for (const move of moves) images.moved(move.old.flatMap(spansOf), move.now.flatMap(spansOf))
  return later.map((update, i) => {
    const isInOld = isWhole(old, update)
    if (!isInOld) older ??= oldTextOf([...now, ...before, ...later.slice(0, i)], moves, later.slice(i))
    const inOlder = older === null ? null : editOf(older, update)
    const edit = isInOld ? editOf(old, update) : inOlder
    const text = isInOld ? old : older
    if (gone.has(update)) return 'nothing'
    if (edit === null || text === null || !hasTaken(text, update)) return 'lost'
    return captureEdit(remade, clientOf(update), () => repeat(edit, text, remade, images)) ?? 'nothing'
  })
}

/**
 * What stands in the place of what was made anew formats nothing here: what it was made from does. What went to the
 * quarantine is among the moves; where it is typed again, it and what was typed upon it come `later`.
 */
function oldTextOf(
  body: readonly Uint8Array[],
  moves: readonly TextMove[],
  later: readonly Uint8Array[],
): LiveText {
  const live = createLiveText(body, { gc: false })
  const comingLater = new Set(later.map(keyOfBytes))
  let left = moves.flatMap(({ old }) => old).filter(update => !comingLater.has(keyOfBytes(update)))
  for (let before = -1; before !== left.length; ) {
    before = left.length
    left = left.filter(update => {
      if (!isWhole(live, update)) return true
      Y.applyUpdate(live.document, update)
      return false
    })
  }
  const originals = new Set(moves.flatMap(({ old }) => old.flatMap(clientsOf)))
  const copies = new Set(moves.flatMap(({ now }) => now.flatMap(clientsOf)))
  live.document.transact(transaction => {
    for (let item = live.text._start; item !== null; item = item.right) {
      const { client } = item.id
      if (item.content instanceof Y.ContentFormat && copies.has(client) && !originals.has(client))
        item.delete(transaction)
    }
  })
  return live
}

function clientsOf(update: Uint8Array): readonly number[] {
  return [...Y.parseUpdateMeta(update).to.keys()]
}

/** The characters that an update brings and does not delete itself, in the order in which they were typed. */
function spansOf(update: Uint8Array): readonly Span[] {
  const { structs, ds } = Y.decodeUpdate(update)
  const spans: Span[] = []
  for (const struct of structs) {
    if (!(struct instanceof Y.Item) || !struct.content.isCountable()) continue
    const { client, clock } = struct.id
    for (let i = 0; i < struct.length; i++) {
      if (Y.isDeleted(ds, Y.createID(client, clock + i))) continue
      const last = spans.at(-1)
      if (last !== undefined && last.client === client && last.clock + last.length === clock + i)
        spans[spans.length - 1] = { ...last, length: last.length + 1 }
      else spans.push({ client, clock: clock + i, length: 1 })
    }
  }
  return spans
}

/** Whether a text has all that an update builds on. */
function isWhole({ document }: LiveText, update: Uint8Array): boolean {
  const { structs, ds } = Y.decodeUpdate(update)
  const states = new Map<number, number>()
  const stateOf = (client: number): number => states.get(client) ?? Y.getState(document.store, client)
  const has = (id: Y.ID | null): boolean => id === null || id.clock < stateOf(id.client)
  for (const struct of structs) {
    const { client, clock } = struct.id
    if (clock > stateOf(client)) return false
    if (struct instanceof Y.Item && !(has(struct.origin) && has(struct.rightOrigin))) return false
    states.set(client, Math.max(stateOf(client), clock + struct.length))
  }
  return [...ds.clients].every(([client, ranges]) =>
    ranges.every(({ clock, len }) => clock + len <= stateOf(client)),
  )
}

/** Whether all that an update inserts is in a text now, and does not wait for what it builds on. */
function hasTaken({ document }: LiveText, update: Uint8Array): boolean {
  return Y.decodeUpdate(update).structs.every(
    ({ id: { client, clock }, length }) => clock + length <= Y.getState(document.store, client),
  )
}

/** What an update does to a text, which it does. */
function editOf({ document, text }: LiveText, update: Uint8Array): Edit {
  let edit: Edit | null = null
  const observe = (event: Y.YTextEvent): void => {
    // Reading what happened tidies formats up, which is an event of its own.
    edit ??= readEvent(event, text, update)
  }
  text.observe(observe)
  Y.applyUpdate(document, update)
  text.unobserve(observe)
  return edit ?? { inserted: [], formatted: [], deleted: [] }
}

/** The characters of a text, and what happened to them, are gone over side by side: Yjs tells formats by places alone. */
function readEvent(event: Y.YTextEvent, text: Y.Text, update: Uint8Array): Edit {
  const inserted: Inserted[] = []
  const formatted: { span: Span; attributes: NonNullable<Attributes> }[] = []
  const take = deltaReader(event)
  for (let item = text._start; item !== null; item = item.right) {
    if (!item.countable) continue
    const isAdded = event.adds(item)
    if (item.deleted && (isAdded || !event.deletes(item))) continue
    for (let passed = 0; passed < item.length; ) {
      const { length, attributes } = take(item.length - passed)
      if (isAdded) inserted.push({ ...noteOf(item), attributes })
      else if (attributes !== undefined && !item.deleted) {
        const { client, clock } = item.id
        formatted.push({ span: { client, clock: clock + passed, length }, attributes })
      }
      passed += length
    }
  }
  inserted.sort((a, b) => a.span.clock - b.span.clock)
  const deleted = [...Y.decodeUpdate(update).ds.clients].flatMap(([client, ranges]) =>
    ranges.map(({ clock, len }) => ({ client, clock, length: len })),
  )
  return { inserted, formatted, deleted }
}

/** Takes so many characters of a delta, or fewer, if not all of them have the same attributes. */
function deltaReader({ delta }: Y.YTextEvent): (most: number) => { length: number; attributes: Attributes } {
  let index = 0
  let used = 0
  return most => {
    const part = delta[index]
    if (part === undefined) return { length: most, attributes: undefined }
    const { insert, attributes } = part
    const whole = part.retain ?? part.delete ?? (typeof insert === 'string' ? insert.length : 1)
    const length = Math.min(most, whole - used)
    used += length
    if (used === whole) {
      index += 1
      used = 0
    }
    return { length, attributes }
  }
}

/** Deletes come last, since what was typed may stand behind what is deleted. */
function repeat(
  { inserted, formatted, deleted }: Edit,
  old: LiveText,
  { document, text }: LiveText,
  images: Images,
): void {
  for (const { span, origin, value, attributes } of inserted) {
    const at = indexBehind(text, anchorOf(origin, old.document.store, images, document.store))
    const part =
      attributes === undefined ? { insert: value } : { insert: value, attributes: { ...attributes } }
    text.applyDelta(at === 0 ? [part] : [{ retain: at }, part])
    images.made([span], [spanAt(text, at, span.length)])
  }
  for (const { span, attributes } of formatted) {
    for (const image of images.of(span))
      for (const { index, length } of runsOf(text, image)) text.format(index, length, { ...attributes })
  }
  for (const span of deleted) {
    for (const image of images.of(span))
      for (const { index, length } of runsOf(text, image).reverse()) text.delete(index, length)
  }
}

function noteOf({ id, length, origin, content }: Y.Item): Omit<Inserted, 'attributes'> {
  const value = content instanceof Y.ContentString ? content.str : (content.getContent()[0] as object)
  return { span: { ...id, length }, origin, value }
}

/**
 * The image of what stood before something when it was typed, or of the nearest before that which shows: of what is
 * deleted the place says nothing, since Yjs inserts behind it.
 */
function anchorOf(
  origin: Y.ID | null,
  old: Y.Doc['store'],
  images: Images,
  store: Y.Doc['store'],
): Y.ID | null {
  if (origin === null) return null
  let { clock } = origin
  for (let item: Y.Item | null = Y.getItem(old, origin); item !== null; ) {
    while (item.countable && clock >= item.id.clock) {
      const { id, before } = images.at(item.id.client, clock)
      const image = id === null ? null : Y.getItem(store, id)
      if (image?.countable === true && !image.deleted) return id
      clock -= Math.min(before, id === null || image === null ? before : id.clock - image.id.clock) + 1
    }
    item = item.left
    clock = item?.lastId.clock ?? 0
  }
  return null
}

/** How many characters a text shows up to one that it shows. */
function indexBehind(text: Y.Text, id: Y.ID | null): number {
  let index = 0
  if (id === null) return index
  for (let item = text._start; item !== null; item = item.right) {
    if (!item.countable || item.deleted) continue
    const within = id.clock - item.id.clock
    if (item.id.client === id.client && within >= 0 && within < item.length) return index + within + 1
    index += item.length
  }
  return index
}

/** Characters that were just inserted there. */
function spanAt(text: Y.Text, at: number, length: number): Span {
  let index = 0
  for (let item = text._start; item !== null; item = item.right) {
    if (!item.countable || item.deleted) continue
    if (at < index + item.length) return { client: item.id.client, clock: item.id.clock + at - index, length }
    index += item.length
  }
  throw new RangeError('nothing was inserted there')
}

/** Where a text shows characters of a span, as runs. */
function runsOf(text: Y.Text, { client, clock, length }: Span): { index: number; length: number }[] {
  const runs: { index: number; length: number }[] = []
  let index = 0
  for (let item = text._start; item !== null; item = item.right) {
    if (!item.countable || item.deleted) continue
    if (item.id.client === client) {
      const from = Math.max(item.id.clock, clock)
      const to = Math.min(item.id.clock + item.length, clock + length)
      if (from < to) runs.push({ index: index + from - item.id.clock, length: to - from })
    }
    index += item.length
  }
  return runs
}
