/**
 * Writes updates in the form that `wire.ts` reads. Structs are copied as bytes; only one that is cut is written anew.
 */
import {
  createEncoder,
  toUint8Array,
  writeUint8,
  writeUint8Array,
  writeVarUint,
  type Encoder,
} from 'lib0/encoding'
import type { DeleteSet } from './delete-set.ts'
import { createReader, readCount, sizeOfCharacter } from './reader.ts'
import { deletedContent, hasOrigin, hasRightOrigin, visitRun, type Run, type Struct } from './wire.ts'

/** Structs of one client without a gap, as bytes. */
export interface Piece {
  readonly client: number
  readonly clock: number
  readonly structs: number
  readonly bytes: Uint8Array
}

/** The update that changes nothing. */
export const emptyUpdate: Uint8Array = new Uint8Array(2)

/** Pieces of one client must follow each other without a gap. */
export function writeUpdate(pieces: readonly Piece[], deletes: DeleteSet): Uint8Array {
  const encoder = createEncoder()
  const groups = groupPieces(pieces)
  writeVarUint(encoder, groups.length)
  for (const group of groups) {
    writeVarUint(
      encoder,
      group.reduce((sum, piece) => sum + piece.structs, 0),
    )
    writeVarUint(encoder, group[0]?.client ?? 0)
    writeVarUint(encoder, group[0]?.clock ?? 0)
    for (const piece of group) writeUint8Array(encoder, piece.bytes)
  }
  writeDeletes(encoder, deletes)
  return toUint8Array(encoder)
}

/** What a run holds from a clock on, or null if that is nothing. */
export function pieceFrom(run: Run, clock: number): Piece | null {
  if (clock >= run.end) return null
  const { client } = run
  if (clock <= run.clock) {
    return { client, clock: run.clock, structs: run.structs, bytes: run.bytes.subarray(run.from, run.to) }
  }
  let passed = 0
  let rest = run.to
  let cut: Uint8Array = new Uint8Array(0)
  visitRun(run, struct => {
    if (struct.clock + struct.length <= clock) passed++
    else if (struct.clock < clock) cut = cutFront(run.bytes, struct, clock - struct.clock)
    if (struct.clock + struct.length > clock)
      rest = Math.min(rest, struct.clock < clock ? struct.to : struct.from)
  })
  const encoder = createEncoder()
  writeUint8Array(encoder, cut)
  writeUint8Array(encoder, run.bytes.subarray(rest, run.to))
  return { client, clock, structs: run.structs - passed, bytes: toUint8Array(encoder) }
}

/** A struct without its first clocks; its origin is the clock before what remains. */
function cutFront(bytes: Uint8Array, struct: Struct, clocks: number): Uint8Array {
  const encoder = createEncoder()
  writeHead(encoder, struct, struct.clock + clocks)
  if (struct.content === deletedContent) {
    writeVarUint(encoder, struct.length - clocks)
    return toUint8Array(encoder)
  }
  const { from, to } = stringRange(bytes, struct)
  let at = from
  let units = 0
  for (; units < clocks; units += 1) {
    const size = sizeOfCharacter(bytes, at, to)
    at += size
    if (size === 4) units++
  }
  // Cut inside a pair of surrogates, half a character is left; Yjs writes such as U+FFFD, and so must we.
  const half = units > clocks ? Uint8Array.of(0xef, 0xbf, 0xbd) : new Uint8Array(0)
  writeVarUint(encoder, half.length + to - at)
  writeUint8Array(encoder, half)
  writeUint8Array(encoder, bytes.subarray(at, to))
  return toUint8Array(encoder)
}

/** The first bytes of a struct that begins at a later clock than the one it is cut from. */
export function writeHead(encoder: Encoder, struct: Struct, clock: number): void {
  const isRight = struct.rightClient >= 0
  writeUint8(encoder, struct.content | hasOrigin | (isRight ? hasRightOrigin : 0))
  writeVarUint(encoder, struct.client)
  writeVarUint(encoder, clock - 1)
  if (!isRight) return
  writeVarUint(encoder, struct.rightClient)
  writeVarUint(encoder, struct.rightClock)
}

/** Where the characters of a string struct are. */
export function stringRange(
  bytes: Uint8Array,
  struct: Struct,
): { readonly from: number; readonly to: number } {
  const reader = createReader(bytes, struct.contentFrom)
  readCount(reader, 1)
  return { from: reader.at, to: struct.to }
}

export function writeDeletes(encoder: Encoder, deletes: DeleteSet): void {
  writeVarUint(encoder, deletes.size)
  for (const [client, ranges] of [...deletes].sort(([a], [b]) => b - a)) {
    writeVarUint(encoder, client)
    writeVarUint(encoder, ranges.length)
    for (const { clock, length } of ranges) {
      writeVarUint(encoder, clock)
      writeVarUint(encoder, length)
    }
  }
}

function groupPieces(pieces: readonly Piece[]): readonly (readonly Piece[])[] {
  const byClient = new Map<number, Piece[]>()
  for (const piece of pieces) {
    const group = byClient.get(piece.client)
    if (group === undefined) byClient.set(piece.client, [piece])
    else group.push(piece)
  }
  return [...byClient.values()].sort((a, b) => (b[0]?.client ?? 0) - (a[0]?.client ?? 0))
}
