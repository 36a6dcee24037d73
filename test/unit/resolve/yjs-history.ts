/** Random histories of Yjs texts, from a seed: what the screen and the bodies are checked against. */
import * as Y from 'yjs'

export type Random = () => number

export function createRandom(seed: number): Random {
  let state = (seed * 2654435761) >>> 0 || 1
  return () => {
    state ^= state << 13
    state >>>= 0
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state / 4294967296
  }
}

export function pick<Value>(random: Random, values: readonly Value[]): Value {
  return values[Math.floor(random() * values.length)] as Value
}

const words = ['a', 'bc', 'déf', '日本', '😀x', 'ab\ncd', 'hello world', '"\\']

/** One random edit of a text, which may fall between the two halves of a character beyond U+FFFF. */
export function editText(text: Y.Text, random: Random): void {
  const at = Math.floor(random() * (text.length + 1))
  editRange(text, random, at, Math.min(text.length, at + 1 + Math.floor(random() * 5)))
}

/**
 * One random edit of a text that cuts no character in two. (Where an edit that changes nothing does, Yjs shows
 * U+FFFD to its author and to nobody else.)
 */
export function editCharacters(text: Y.Text, random: Random): void {
  const places = [text.length]
  let at = 0
  for (const { insert } of text.toDelta() as { insert: unknown }[]) {
    for (const character of typeof insert === 'string' ? insert : ['x']) {
      places.push(at)
      at += character.length
    }
  }
  const [from, to] = [pick(random, places), pick(random, places)].sort((a, b) => a - b)
  editRange(text, random, from ?? 0, to ?? 0)
}

function editRange(text: Y.Text, random: Random, at: number, end: number): void {
  const kind = random()
  const length = end - at
  if (kind < 0.5 || text.length === 0) text.insert(at, pick(random, words))
  else if (kind < 0.75) text.delete(at, length)
  else if (kind < 0.85) text.format(at, length, { bold: random() < 0.5 ? true : null })
  else if (kind < 0.9) text.format(at, length, { color: pick(random, ['red', 'teal', null]) })
  else if (kind < 0.95) text.insertEmbed(at, { image: pick(random, ['x.png', 'ü.png']), size: [1, 2.5] })
  else text.insert(at, pick(random, words), { bold: true })
}

export interface Author {
  readonly document: Y.Doc
  readonly text: Y.Text
  /** Own updates in the order in which they were made. */
  readonly updates: Uint8Array[]
}

export function createAuthor(client: number): Author {
  const document = new Y.Doc()
  document.clientID = client
  const updates: Uint8Array[] = []
  document.on('afterTransaction', transaction => {
    transaction._needFormattingCleanup = false
  })
  document.on('update', (update: Uint8Array, origin: unknown) => {
    if (origin !== 'remote') updates.push(update)
  })
  return { document, text: document.getText('text'), updates }
}

export interface History {
  readonly authors: readonly Author[]
  /** All updates in an order in which each can be applied after those before it. */
  readonly log: readonly { readonly client: number; readonly update: Uint8Array }[]
}

/** Authors type, sometimes several edits in one transaction, and take in each other's work now and then. */
export function writeHistory(random: Random, options: { authors: number; steps: number }): History {
  const authors = Array.from({ length: options.authors }, (_, i) =>
    createAuthor(1000 * (i + 1) + Math.floor(random() * 900)),
  )
  const log: { client: number; update: Uint8Array }[] = []
  for (let step = 0; step < options.steps; step++) {
    const author = pick(random, authors)
    if (random() < 0.3) {
      const other = pick(random, authors)
      const state = Y.encodeStateVector(author.document)
      Y.applyUpdate(author.document, Y.encodeStateAsUpdate(other.document, state), 'remote')
      continue
    }
    const before = author.updates.length
    author.document.transact(() => {
      for (let edits = random() < 0.8 ? 1 : 4; edits > 0; edits--) editText(author.text, random)
    })
    for (const update of author.updates.slice(before)) log.push({ client: author.document.clientID, update })
  }
  return { authors, log }
}

/** The document that all of these make. */
export function documentOf(updates: readonly Uint8Array[]): Y.Doc {
  const document = new Y.Doc({ gc: true })
  document.clientID = 2 ** 32
  document.on('afterTransaction', transaction => {
    transaction._needFormattingCleanup = false
  })
  document.getText('text')
  for (const update of updates) Y.applyUpdate(document, update)
  return document
}

/** What a text shows, whatever format marks that change nothing stand in it. */
export function contentOf(
  document: Y.Doc,
): readonly { readonly insert: unknown; readonly attributes?: unknown }[] {
  const parts: { insert: unknown; attributes?: unknown }[] = []
  for (const part of document.getText('text').toDelta() as { insert: unknown; attributes?: unknown }[]) {
    const last = parts.at(-1)
    const isSameFormat = JSON.stringify(sorted(last?.attributes)) === JSON.stringify(sorted(part.attributes))
    if (
      last !== undefined &&
      typeof last.insert === 'string' &&
      typeof part.insert === 'string' &&
      isSameFormat
    ) {
      last.insert += part.insert
    } else parts.push({ ...part })
  }
  return parts
}

function sorted(attributes: unknown): unknown {
  return Object.entries(attributes ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
}

export function stateOf(document: Y.Doc): ReadonlyMap<number, number> {
  return Y.decodeStateVector(Y.encodeStateVector(document))
}

export function byNumber<Value>(map: ReadonlyMap<number, Value>): readonly [number, Value][] {
  return [...map].sort(([a], [b]) => a - b)
}
