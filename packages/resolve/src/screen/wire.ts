/**
 * The wire form of Yjs updates, version 1, as far as a text of ours may use it: strings, embeds, formats and deleted
 * runs under the one root `text`. Everything else is malformed here: version 2 (SPEC X4), GC and skips, nested
 * types, keys of maps, other roots, bytes left over. GC structs only come of nested types, and skips only of updates
 * that were parked or merged across a gap, so in a text of ours nobody honest makes either.
 *
 *   update  = groups, { structs, client, clock, struct… }…, clients, { client, ranges, { clock, length }… }…
 *   struct  = info, [origin], [right origin], [1, "text" if neither], content
 *
 * Groups go by falling client, as Yjs writes them. What is read is a `Run` for each: structs of one client without
 * a gap. Runs point into the update's bytes, so reading costs memory by the run and not by the struct.
 */
import { failure, isForbiddenKey, limits, type Outcome } from '@rejoin/core'
import type { ClockRange, DeleteSet } from './delete-set.ts'
import { faultOfJson } from './json.ts'
import {
  createReader,
  failReading,
  passString,
  readByte,
  readCount,
  readString,
  readUint,
  type Reader,
} from './reader.ts'

/** The one root of every text. */
export const rootName = 'text'

export interface Run {
  readonly bytes: Uint8Array
  readonly client: number
  readonly clock: number
  /** The clock after its last struct. */
  readonly end: number
  readonly structs: number
  /** Where its first struct begins in `bytes`, and where its last one ends. */
  readonly from: number
  readonly to: number
}

export interface Update {
  readonly runs: readonly Run[]
  readonly deletes: DeleteSet
}

/** A struct while it is visited; the next one overwrites it. */
export interface Struct {
  content: number
  client: number
  clock: number
  length: number
  /** -1 if there is none. */
  originClient: number
  originClock: number
  rightClient: number
  rightClock: number
  /** Where it begins in the bytes, where its content begins, and where it ends. */
  from: number
  contentFrom: number
  to: number
}

export const deletedContent = 1
export const stringContent = 4
export const embedContent = 5
export const formatContent = 6

/** Bits of a struct's first byte; the lower five say its content. */
export const hasOrigin = 128
export const hasRightOrigin = 64

/** Yjs clients are 32-bit numbers; clocks count characters, of which no tab's opening types 2^31. */
const clientMax = 2 ** 32 - 1
const clockMax = 2 ** 31 - 1

/** Between so many structs who reads step by step may pause. */
export const stepStructs = 4096

/** Reads an update whole. Total over arbitrary bytes; time and memory are bounded by their length. */
export function readUpdate(bytes: Uint8Array, visit?: (struct: Struct) => void): Outcome<Update> {
  return runToEnd(readingUpdate(bytes, visit))
}

/** `readUpdate` in steps. */
export function* readingUpdate(
  bytes: Uint8Array,
  visit?: (struct: Struct) => void,
): Generator<undefined, Outcome<Update>> {
  const reader = createReader(bytes)
  const runs: Run[] = []
  let last = clientMax + 1
  for (let left = readCount(reader, 4); left > 0 && reader.fault === null; left--) {
    const structs = readCount(reader, 2)
    const client = readUint(reader, clientMax)
    const clock = readUint(reader, clockMax)
    if (client >= last) failReading(reader, 'does not order its clients')
    if (structs === 0) failReading(reader, 'has a client without structs')
    last = client
    const from = reader.at
    const end = yield* readingStructs(reader, client, clock, structs, visit)
    runs.push({ bytes, client, clock, end, structs, from, to: reader.at })
  }
  const deletes = readDeletes(reader)
  if (reader.fault === null && reader.at < bytes.length) failReading(reader, 'goes on after its end')
  if (reader.fault === null) return { ok: true, value: { runs, deletes } }
  return { ok: false, error: failure('text-invalid', { reason: `the update ${reader.fault}` }) }
}

/** Visits the structs of a run that was read before, in steps. */
export function* visitingRun(run: Run, visit: (struct: Struct) => void): Generator<undefined, void> {
  yield* readingStructs(createReader(run.bytes, run.from), run.client, run.clock, run.structs, visit)
}

/** The structs of a run that was read before, one after the other. */
export function* structsOfRun(run: Run): Generator<Struct, void> {
  const reader = createReader(run.bytes, run.from)
  const struct = emptyStruct(run.client)
  struct.clock = run.clock
  for (let left = run.structs; left > 0; left--) {
    readStruct(reader, struct)
    yield struct
    struct.clock += struct.length
  }
}

/** Takes all steps at once. */
export function runToEnd<Value>(steps: Generator<undefined, Value>): Value {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

function* readingStructs(
  reader: Reader,
  client: number,
  clock: number,
  structs: number,
  visit: ((struct: Struct) => void) | undefined,
): Generator<undefined, number> {
  const struct = emptyStruct(client)
  let at = clock
  for (let left = structs; left > 0 && reader.fault === null; left--) {
    struct.clock = at
    readStruct(reader, struct)
    at += struct.length
    if (at > clockMax) failReading(reader, 'has a clock that is too large')
    if (reader.fault === null) visit?.(struct)
    if (left % stepStructs === 0) yield
  }
  return at
}

function emptyStruct(client: number): Struct {
  return {
    content: 0,
    client,
    clock: 0,
    length: 0,
    originClient: -1,
    originClock: -1,
    rightClient: -1,
    rightClock: -1,
    from: 0,
    contentFrom: 0,
    to: 0,
  }
}

function readStruct(reader: Reader, struct: Struct): void {
  struct.from = reader.at
  const info = readByte(reader)
  struct.content = info & 31
  if ((info & 32) !== 0) failReading(reader, 'has a key of a map')
  const isAnchored = (info & (hasOrigin | hasRightOrigin)) !== 0
  struct.originClient = (info & hasOrigin) === 0 ? -1 : readUint(reader, clientMax)
  struct.originClock = (info & hasOrigin) === 0 ? -1 : readUint(reader, clockMax)
  struct.rightClient = (info & hasRightOrigin) === 0 ? -1 : readUint(reader, clientMax)
  struct.rightClock = (info & hasRightOrigin) === 0 ? -1 : readUint(reader, clockMax)
  if (!isAnchored) {
    if (readUint(reader, clientMax) !== 1) failReading(reader, 'has a nested parent')
    if (readString(reader) !== rootName) failReading(reader, 'has another root than the text')
  }
  struct.contentFrom = reader.at
  struct.length = reader.fault === null ? passContent(reader, struct.content) : 0
  struct.to = reader.at
  if (struct.length === 0) failReading(reader, 'has an empty struct')
  // What is not cut in two, as strings are, must be sent as it is.
  if (struct.content !== stringContent && struct.to - struct.from > limits.textUpdateBytesMax)
    failReading(reader, 'has a value that is too large')
}

/** Returns how many clocks the content takes. */
function passContent(reader: Reader, content: number): number {
  switch (content) {
    case deletedContent:
      return readUint(reader, clockMax)
    case stringContent:
      return passString(reader)
    case embedContent:
      return passJson(reader)
    case formatContent:
      if (isForbiddenKey(readString(reader))) return failReading(reader, 'has a forbidden key')
      return passJson(reader)
    default:
      return failReading(reader, `has a struct of kind ${content}, which no text holds`)
  }
}

function passJson(reader: Reader): number {
  const text = readString(reader)
  if (reader.fault !== null) return 0
  const fault = faultOfJson(text)
  return fault === null ? 1 : failReading(reader, fault)
}

function readDeletes(reader: Reader): DeleteSet {
  const deletes = new Map<number, readonly ClockRange[]>()
  let last = clientMax + 1
  for (let left = readCount(reader, 4); left > 0 && reader.fault === null; left--) {
    const client = readUint(reader, clientMax)
    if (client >= last) failReading(reader, 'does not order the clients of its deletes')
    last = client
    const ranges: ClockRange[] = []
    let end = 0
    const count = readCount(reader, 2)
    if (count === 0) failReading(reader, 'has a client without deletes')
    for (let i = 0; i < count && reader.fault === null; i++) {
      const clock = readUint(reader, clockMax)
      const length = readUint(reader, clockMax)
      if (length === 0 || clock < end) failReading(reader, 'does not order its deletes')
      end = clock + length
      ranges.push({ clock, length })
    }
    deletes.set(client, ranges)
  }
  return deletes
}
