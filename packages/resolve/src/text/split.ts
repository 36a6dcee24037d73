/**
 * Splitting of text updates that are too large to be one write (SPEC F4): at structs, and long strings within. The
 * parts, applied in order, are the update; each passes the screen by itself once those before it have.
 */
import { limits } from '@rejoin/core'
import { createEncoder, toUint8Array, writeUint8Array, writeVarUint } from 'lib0/encoding'
import type { ClockRange, DeleteSet } from '../screen/delete-set.ts'
import { sizeOfCharacter } from '../screen/reader.ts'
import { readUpdate, stringContent, visitRun, type Run, type Struct } from '../screen/wire.ts'
import { stringRange, writeHead, writeUpdate, type Piece } from '../screen/write.ts'

/** Bytes of one insert, and about the bytes of one part. */
const partBytesMax = 64 * 1024
/** Ranges of deletes in one part; a range takes at most ten bytes. */
const partRangesMax = 6000

/** The update itself if it is small enough; else parts of about 64 KiB. Updates of several clients stay whole. */
export function splitUpdate(update: Uint8Array): readonly Uint8Array[] {
  if (update.length <= limits.textUpdateBytesMax) return [update]
  const read = readUpdate(update)
  if (!read.ok || read.value.runs.length > 1) return [update]
  const noDeletes: DeleteSet = new Map()
  const inserts = read.value.runs.flatMap(run => packPieces(cutRun(run)))
  return [
    ...inserts.map(pieces => writeUpdate(pieces, noDeletes)),
    ...splitDeletes(read.value.deletes).map(deletes => writeUpdate([], deletes)),
  ]
}

/** One piece for each struct, and for each 64 KiB of a long string. */
function cutRun(run: Run): readonly Piece[] {
  const pieces: Piece[] = []
  const { client, bytes } = run
  visitRun(run, struct => {
    if (struct.content === stringContent && struct.to - struct.from > partBytesMax) {
      for (const piece of cutString(bytes, struct)) pieces.push(piece)
    } else {
      pieces.push({ client, clock: struct.clock, structs: 1, bytes: bytes.subarray(struct.from, struct.to) })
    }
  })
  return pieces
}

function cutString(bytes: Uint8Array, struct: Struct): readonly Piece[] {
  const pieces: Piece[] = []
  const { from, to } = stringRange(bytes, struct)
  const head = bytes.subarray(struct.from, struct.contentFrom)
  let clock = struct.clock
  for (let at = from; at < to; ) {
    const start = at
    const startClock = clock
    while (at < to) {
      const size = sizeOfCharacter(bytes, at, to)
      if (at + size - start > partBytesMax) break
      at += size
      clock += size === 4 ? 2 : 1
    }
    const encoder = createEncoder()
    if (start === from) writeUint8Array(encoder, head)
    else writeHead(encoder, struct, startClock)
    writeVarUint(encoder, at - start)
    writeUint8Array(encoder, bytes.subarray(start, at))
    pieces.push({ client: struct.client, clock: startClock, structs: 1, bytes: toUint8Array(encoder) })
  }
  return pieces
}

function packPieces(pieces: readonly Piece[]): readonly (readonly Piece[])[] {
  const packs: Piece[][] = []
  let bytes = Infinity
  for (const piece of pieces) {
    if (bytes + piece.bytes.length > partBytesMax) {
      packs.push([])
      bytes = 0
    }
    packs.at(-1)?.push(piece)
    bytes += piece.bytes.length
  }
  return packs
}

function splitDeletes(deletes: DeleteSet): readonly DeleteSet[] {
  const sets: Map<number, ClockRange[]>[] = []
  let room = 0
  for (const [client, ranges] of deletes) {
    for (const range of ranges) {
      if (room === 0) {
        sets.push(new Map())
        room = partRangesMax
      }
      const set = sets.at(-1)
      const known = set?.get(client)
      if (known === undefined) set?.set(client, [range])
      else known.push(range)
      room--
    }
  }
  return sets
}
