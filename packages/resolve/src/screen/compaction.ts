/**
 * Compaction of the structs of one client (SPEC X2). What is deleted is left as a length; a struct that goes on where the
 * one before it ends is joined with it. The rule for joining is that of Yjs, but for what stands between the two in the
 * text: whoever places something there cuts them in two again, so they are joined here whether or not that was done.
 *
 * Where a cut falls between the two halves of a character, each becomes U+FFFD, as in a live text.
 */
import { createEncoder, toUint8Array, writeUint8Array, writeVarUint } from 'lib0/encoding'
import type { ClockRange } from './delete-set.ts'
import { sizeOfCharacter } from './reader.ts'
import { deletedContent, stringContent, type Struct } from './wire.ts'
import { stringRange, writeHead, type Anchors, type Piece } from './write.ts'

export interface Compaction {
  /** The next struct of the client, as far as it is at `from` or later. */
  add(bytes: Uint8Array, struct: Struct, from: number): void
  /** Everything that was added, or null if that is nothing. */
  finish(): Piece | null
}

/** What was read last and may still grow. */
interface Open extends Anchors {
  readonly content: number
  end: number
  readonly contents: Uint8Array[]
}

const replacementCharacter = Uint8Array.of(0xef, 0xbf, 0xbd)

/** `deletes`: in normal form. Structs are to come by clock. */
export function createCompaction(client: number, deletes: readonly ClockRange[]): Compaction {
  const encoder = createEncoder()
  let structs = 0
  let first = -1
  let open: Open | null = null
  let nextDelete = 0

  function isDeletedAt(clock: number): boolean {
    for (let range = deletes[nextDelete]; range !== undefined; range = deletes[++nextDelete])
      if (range.clock + range.length > clock) return range.clock <= clock
    return false
  }

  /** Where what is said of a clock by the last call of `isDeletedAt` ceases to be true. */
  function changesAt(isDeleted: boolean): number {
    const range = deletes[nextDelete]
    if (range === undefined) return Infinity
    return isDeleted ? range.clock + range.length : range.clock
  }

  function addPart(struct: Struct, clock: number, end: number, content: number, bytes: Uint8Array[]): void {
    if (open !== null && joins(open, struct, clock, content)) {
      open.end = end
      for (const part of bytes) open.contents.push(part)
      return
    }
    close()
    const isCut = clock > struct.clock
    open = {
      client,
      content,
      clock,
      end,
      originClient: isCut ? client : struct.originClient,
      originClock: isCut ? clock - 1 : struct.originClock,
      rightClient: struct.rightClient,
      rightClock: struct.rightClock,
      contents: bytes,
    }
  }

  function close(): void {
    if (open === null) return
    if (structs === 0) first = open.clock
    structs++
    writeHead(encoder, open, open.content, open.clock)
    if (open.content === deletedContent) writeVarUint(encoder, open.end - open.clock)
    if (open.content === stringContent)
      writeVarUint(
        encoder,
        open.contents.reduce((sum, part) => sum + part.length, 0),
      )
    for (const part of open.contents) writeUint8Array(encoder, part)
    open = null
  }

  return {
    add(bytes, struct, from) {
      const end = struct.clock + struct.length
      const characters = struct.content === stringContent ? createCharacters(bytes, struct) : null
      for (let clock = Math.max(struct.clock, from); clock < end; ) {
        const isDeleted = isDeletedAt(clock)
        const partEnd = Math.min(end, changesAt(isDeleted))
        if (isDeleted || struct.content === deletedContent)
          addPart(struct, clock, partEnd, deletedContent, [])
        else {
          const contents = characters?.between(clock - struct.clock, partEnd - struct.clock) ?? [
            bytes.subarray(struct.contentFrom, struct.to),
          ]
          addPart(struct, clock, partEnd, struct.content, contents)
        }
        clock = partEnd
      }
    },
    finish() {
      close()
      return structs === 0 ? null : { client, clock: first, structs, bytes: toUint8Array(encoder) }
    },
  }
}

function joins(open: Open, struct: Struct, clock: number, content: number): boolean {
  return (
    open.content === content &&
    (content === stringContent || content === deletedContent) &&
    open.end === clock &&
    (clock > struct.clock || (struct.originClient === struct.client && struct.originClock === clock - 1)) &&
    open.rightClient === struct.rightClient &&
    open.rightClock === struct.rightClock
  )
}

/** Passes once over the characters of a string, whose places are counted in UTF-16 units. */
function createCharacters(
  bytes: Uint8Array,
  struct: Struct,
): { between(start: number, end: number): Uint8Array[] } {
  const { from, to } = stringRange(bytes, struct)
  let at = from
  let units = 0

  function pass(until: number): void {
    if (until === struct.length) {
      at = to
      units = until
    }
    while (units < until) {
      const size = sizeOfCharacter(bytes, at, to)
      at += size
      units += size === 4 ? 2 : 1
    }
  }

  return {
    between(start, end) {
      pass(start)
      const isHalfFirst = units > start
      const begin = at
      pass(end)
      const isHalfLast = units > end
      const contents = [bytes.subarray(begin, isHalfLast ? Math.max(begin, at - 4) : at)]
      if (isHalfFirst) contents.unshift(replacementCharacter)
      if (isHalfLast) contents.push(replacementCharacter)
      return contents
    },
  }
}
