/**
 * Writes as an honest client makes them, without a client: one writer, its clock, and one builder for each kind of
 * write. What a test wants to be dishonest, it changes afterwards.
 */
import { randomBytes } from 'node:crypto'
import {
  documentKey,
  emptyRow,
  encodeValue,
  noTexts,
  nothingReplaced,
  partName,
  writerFromBytes,
  yjsClientOf,
  type Cell,
  type Mark,
  type PartName,
  type Write,
  type WriterId,
} from '@rejoin/core'

export const titlePart: PartName = partName('lww', 'title')
export const bodyPart: PartName = partName('text', 'body')

export interface RawWriter {
  readonly writer: WriterId
  /** Its Yjs client id. */
  readonly client: number
  nextMark(ms?: number): Mark
  /** A whole document of one `lww` field, which holds these bytes. */
  insert(id: string, value?: Uint8Array, mark?: Mark): Write
  /** Another value for it. */
  update(id: string, value: Uint8Array, replaced: Mark | null): Write
  /** A write of a text, by these updates. */
  type(id: string, updates: readonly Uint8Array[], options?: { readonly whole?: boolean }): Write
}

export function createRawWriter(collection: string, bytes: Uint8Array = randomBytes(8)): RawWriter {
  const writer = writerFromBytes(bytes)
  let last: Mark = { ms: 0, tick: 0, writer }

  function nextMark(ms: number = Date.now()): Mark {
    last = ms > last.ms ? { ms, tick: 0, writer } : { ms: last.ms, tick: last.tick + 1, writer }
    return last
  }

  function write(id: string, mark: Mark, cells: readonly (readonly [PartName, Cell])[]): Write {
    return {
      mark,
      key: documentKey(collection, id),
      delta: { ...emptyRow, cells: new Map(cells) },
      texts: noTexts,
      replaced: nothingReplaced,
      whole: false,
    }
  }

  return {
    writer,
    client: yjsClientOf(writer),
    nextMark,
    insert(id, value = encodeValue(id), mark = nextMark()) {
      const made = write(id, mark, [[titlePart, { strategy: 'lww', last: mark, value }]])
      return { ...made, delta: { ...made.delta, revival: mark }, whole: true }
    },
    update(id, value, replaced) {
      const mark = nextMark()
      const made = write(id, mark, [[titlePart, { strategy: 'lww', last: mark, value }]])
      return replaced === null ? made : { ...made, replaced: new Map([[titlePart, replaced]]) }
    },
    type(id, updates, options = {}) {
      const mark = nextMark()
      const made = write(id, mark, [[bodyPart, { strategy: 'text', context: new Map([[writer, mark]]) }]])
      const typed = { ...made, texts: new Map([[bodyPart, updates]]) }
      return options.whole === true
        ? { ...typed, delta: { ...made.delta, revival: mark }, whole: true }
        : typed
    },
  }
}
