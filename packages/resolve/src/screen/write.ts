/**
 * Writes updates in the form that `wire.ts` reads.
 */
import {
  createEncoder,
  toUint8Array,
  writeUint8,
  writeUint8Array,
  writeVarString,
  writeVarUint,
  type Encoder,
} from 'lib0/encoding'
import type { DeleteSet } from './delete-set.ts'
import { createReader, readCount } from './reader.ts'
import { hasOrigin, hasRightOrigin, rootName, type Struct } from './wire.ts'

/** Structs of one client without a gap, as bytes. */
export interface Piece {
  readonly client: number
  readonly clock: number
  readonly structs: number
  readonly bytes: Uint8Array
}

/** Where a struct stands. */
export type Anchors = Pick<
  Struct,
  'client' | 'clock' | 'originClient' | 'originClock' | 'rightClient' | 'rightClock'
>

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

/**
 * The first bytes of a struct of this content: the one that is given, or what remains of it from a later clock on; its
 * origin is then the clock before.
 */
export function writeHead(encoder: Encoder, struct: Anchors, content: number, clock: number): void {
  const isCut = clock > struct.clock
  const originClient = isCut ? struct.client : struct.originClient
  const isLeft = originClient >= 0
  const isRight = struct.rightClient >= 0
  writeUint8(encoder, content | (isLeft ? hasOrigin : 0) | (isRight ? hasRightOrigin : 0))
  if (isLeft) {
    writeVarUint(encoder, originClient)
    writeVarUint(encoder, isCut ? clock - 1 : struct.originClock)
  }
  if (isRight) {
    writeVarUint(encoder, struct.rightClient)
    writeVarUint(encoder, struct.rightClock)
  }
  if (isLeft || isRight) return
  writeVarUint(encoder, 1)
  writeVarString(encoder, rootName)
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
