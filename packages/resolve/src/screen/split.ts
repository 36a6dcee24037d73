/**
 * Splitting of text updates that are too large for one write or one frame (SPEC F4): at structs, and long strings within.
 * The parts, applied in order, are the update; each passes the screen by itself once those before it have, so a struct
 * comes after those of other clients that it refers to.
 */
import { limits } from '@rejoin/core'
import { createEncoder, toUint8Array, writeUint8Array, writeVarUint } from 'lib0/encoding'
import type { ClockRange, DeleteSet } from './delete-set.ts'
import { sizeOfCharacter } from './reader.ts'
import {
  readingUpdate,
  runToEnd,
  stepStructs,
  stringContent,
  structsOfRun,
  type Run,
  type Struct,
} from './wire.ts'
import { stringRange, writeHead, writeUpdate, type Piece } from './write.ts'

/** Bytes of one insert, and about the bytes of one part. */
const partBytesMax = 64 * 1024
/** Ranges of deletes in one part; a range takes at most ten bytes. */
const partRangesMax = 6000

/** The update itself if it is small enough; else parts of about 64 KiB. */
export function splitUpdate(update: Uint8Array): readonly Uint8Array[] {
  return runToEnd(splittingUpdate(update))
}

/** `splitUpdate` in steps of bounded work. */
export function* splittingUpdate(update: Uint8Array): Generator<undefined, readonly Uint8Array[]> {
  if (update.length <= limits.textUpdateBytesMax) return [update]
  const read = yield* readingUpdate(update)
  if (!read.ok) return [update]
  const packs = yield* packing(placeRuns(read.value.runs))
  if (packs === null) return [update]
  const parts: Uint8Array[] = []
  for (const pieces of packs) {
    parts.push(writeUpdate(pieces, noDeletes))
    yield
  }
  for (const deletes of splitDeletes(read.value.deletes)) parts.push(writeUpdate([], deletes))
  return parts
}

const noDeletes: DeleteSet = new Map()

/** The structs of one client that are still to be placed. */
interface Queue {
  readonly run: Run
  readonly structs: Iterator<Struct, void>
  /** The next of them. */
  struct: Struct | null
}

/** Pieces in an order in which each can be applied after those before it; ends with null if there is no such order. */
function* placeRuns(runs: readonly Run[]): Generator<Piece | null> {
  const queues = new Map(runs.map(run => [run.client, openQueue(run)]))
  for (const first of queues.values()) {
    let queue = first
    let waits = 0
    while (first.struct !== null) {
      const { run, struct } = queue
      const blocking = struct === null ? first : (blockingOf(queues, struct) ?? queue)
      if (blocking === queue && struct !== null) {
        yield* piecesOf(run, struct)
        takeNext(queue)
        waits = 0
      } else if (waits++ > runs.length) return yield null
      else queue = blocking
    }
  }
}

function openQueue(run: Run): Queue {
  const structs = structsOfRun(run)
  return { run, structs, struct: structs.next().value ?? null }
}

function takeNext(queue: Queue): void {
  queue.struct = queue.structs.next().value ?? null
}

/** The queue that still holds what a struct refers to. */
function blockingOf(queues: ReadonlyMap<number, Queue>, struct: Struct): Queue | null {
  const references = [
    [struct.originClient, struct.originClock],
    [struct.rightClient, struct.rightClock],
  ] as const
  for (const [client, clock] of references) {
    const queue = client === struct.client ? undefined : queues.get(client)
    if (queue !== undefined && queue.struct !== null && queue.struct.clock <= clock && clock < queue.run.end)
      return queue
  }
  return null
}

/** One piece, or one for each 64 KiB of a long string. */
function piecesOf({ client, bytes }: Run, struct: Struct): readonly Piece[] {
  return struct.content === stringContent && struct.to - struct.from > partBytesMax
    ? cutString(bytes, struct)
    : [{ client, clock: struct.clock, structs: 1, bytes: bytes.subarray(struct.from, struct.to) }]
}

function cutString(bytes: Uint8Array, struct: Struct): readonly Piece[] {
  const pieces: Piece[] = []
  const { from, to } = stringRange(bytes, struct)
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
    writeHead(encoder, struct, stringContent, startClock)
    writeVarUint(encoder, at - start)
    writeUint8Array(encoder, bytes.subarray(start, at))
    pieces.push({ client: struct.client, clock: startClock, structs: 1, bytes: toUint8Array(encoder) })
  }
  return pieces
}

function* packing(
  pieces: Iterable<Piece | null>,
): Generator<undefined, readonly (readonly Piece[])[] | null> {
  const packs: Piece[][] = []
  let bytes = Infinity
  let packed = 0
  for (const piece of pieces) {
    if (piece === null) return null
    if (bytes + piece.bytes.length > partBytesMax) {
      packs.push([])
      bytes = 0
    }
    packs.at(-1)?.push(piece)
    bytes += piece.bytes.length
    if (++packed % stepStructs === 0) yield
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
