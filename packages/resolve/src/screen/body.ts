/**
 * Bodies of texts as lists of updates: their head, their sum and what they hold beyond a state vector, all computed
 * on the wire form (SPEC X1, X2, X3, X6). Relays and clients share this code, so their digests are the same; they do not
 * depend on how updates were cut, ordered or merged.
 */
import { digestOfBytes, formatDigest, RejoinError, type Outcome, type TextHead } from '@rejoin/core'
import { createEncoder, toUint8Array, writeVarUint } from 'lib0/encoding'
import { createCompaction } from './compaction.ts'
import { joinDeleteSets, type ClockRange, type DeleteSet } from './delete-set.ts'
import { deletedContent, readingUpdate, runToEnd, visitingRun, type Run, type Update } from './wire.ts'
import { writeDeletes, writeUpdate, type Piece } from './write.ts'

/** State vector, digest and size. Throws `text-invalid` if the updates are none. */
export function headOfBody(updates: readonly Uint8Array[]): TextHead {
  return runToEnd(measuringBody(updates))
}

/** `headOfBody` in steps of bounded work, for who has other things to do. */
export function* measuringBody(updates: readonly Uint8Array[]): Generator<undefined, TextHead> {
  const { read, deletes } = yield* readingBody(updates)
  const stateVector = stateOfRuns(read)
  const bytes = updates.reduce((sum, update) => sum + update.length, 0)
  return { stateVector, digest: digestOf(stateVector, deletes), bytes }
}

/**
 * One update that holds all of these, as short as a Y.Doc would write it: without what was deleted, neighbours joined
 * (SPEC X2). Throws `text-gap` if one that should stand between them is missing.
 */
export function mergeBody(updates: readonly Uint8Array[]): Uint8Array {
  return runToEnd(mergingBody(updates))
}

/** `mergeBody` in steps. */
export function* mergingBody(updates: readonly Uint8Array[]): Generator<undefined, Uint8Array> {
  const [first] = updates
  return updates.length === 1 && first !== undefined ? first : yield* gathering(updates, new Map())
}

/** What updates hold beyond a state vector; their whole delete set, for a state vector does not tell of deletes. */
export function differenceOfBody(
  updates: readonly Uint8Array[],
  stateVector: ReadonlyMap<number, number>,
): Uint8Array {
  return runToEnd(differingBody(updates, stateVector))
}

/** `differenceOfBody` in steps. */
export function* differingBody(
  updates: readonly Uint8Array[],
  stateVector: ReadonlyMap<number, number>,
): Generator<undefined, Uint8Array> {
  return yield* gathering(updates, stateVector)
}

/** Hashes state vector and delete set in one canonical form. */
export function digestOf(stateVector: ReadonlyMap<number, number>, deletes: DeleteSet): string {
  const encoder = createEncoder()
  writeVarUint(encoder, stateVector.size)
  for (const [client, clock] of [...stateVector].sort(([a], [b]) => b - a)) {
    writeVarUint(encoder, client)
    writeVarUint(encoder, clock)
  }
  writeDeletes(encoder, deletes)
  return formatDigest(digestOfBytes(toUint8Array(encoder)))
}

interface ReadBody {
  readonly read: readonly Update[]
  readonly deletes: DeleteSet
}

function* readingBody(updates: readonly Uint8Array[]): Generator<undefined, ReadBody> {
  const read: Update[] = []
  const deletes: DeleteSet[] = []
  for (const update of updates) {
    const deleted = new Map<number, ClockRange[]>()
    const steps = readingUpdate(update, ({ content, client, clock, length }) => {
      // What was deleted before it was sent is deleted, whether or not the update says so again.
      if (content === deletedContent) addRange(deleted, client, { clock, length })
    })
    const one = expectUpdate(yield* steps)
    read.push(one)
    deletes.push(one.deletes, deleted)
  }
  return { read, deletes: joinDeleteSets(deletes) }
}

function* gathering(
  updates: readonly Uint8Array[],
  known: ReadonlyMap<number, number>,
): Generator<undefined, Uint8Array> {
  const { read, deletes } = yield* readingBody(updates)
  const pieces: Piece[] = []
  for (const [client, runs] of runsByClient(read)) {
    const first = runs.reduce((least, run) => Math.min(least, run.clock), Infinity)
    const compaction = createCompaction(client, deletes.get(client) ?? [])
    let end = Math.max(first, known.get(client) ?? 0)
    for (const run of runs) {
      if (run.clock > end) throw gapIn(client, end, run.clock)
      if (run.end <= end) continue
      const from = end
      yield* visitingRun(run, struct => compaction.add(run.bytes, struct, from))
      end = run.end
    }
    const piece = compaction.finish()
    if (piece !== null) pieces.push(piece)
  }
  return writeUpdate(pieces, deletes)
}

/** By clock; of those that begin alike the one that came first, so that what came first stands, as in a live text. */
function runsByClient(updates: readonly Update[]): ReadonlyMap<number, readonly Run[]> {
  const byClient = new Map<number, Run[]>()
  for (const { runs } of updates) {
    for (const run of runs) {
      const known = byClient.get(run.client)
      if (known === undefined) byClient.set(run.client, [run])
      else known.push(run)
    }
  }
  for (const runs of byClient.values()) runs.sort((a, b) => a.clock - b.clock)
  return byClient
}

/** Up to which clock each client's structs are there, from 0 and without a gap. */
function stateOfRuns(updates: readonly Update[]): ReadonlyMap<number, number> {
  const state = new Map<number, number>()
  for (const [client, runs] of runsByClient(updates)) {
    let end = 0
    for (const run of runs) if (run.clock <= end) end = Math.max(end, run.end)
    if (end > 0) state.set(client, end)
  }
  return state
}

function addRange(ranges: Map<number, ClockRange[]>, client: number, range: ClockRange): void {
  const known = ranges.get(client)
  if (known === undefined) ranges.set(client, [range])
  else known.push(range)
}

function expectUpdate(read: Outcome<Update>): Update {
  if (read.ok) return read.value
  const error = read.error
  throw new RejoinError(error.code, error.details, 'a stored text cannot be read; fetch its body again')
}

function gapIn(client: number, have: number, from: number): RejoinError<'text-gap'> {
  return new RejoinError(
    'text-gap',
    { client, have, from },
    `updates of client ${client} end at ${have} and go on at ${from}; add what is between them`,
  )
}
