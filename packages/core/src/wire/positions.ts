/** Stores, generations, positions and cursors: what a replica has seen, with ids as numbers of the dictionary. */
import type { Fingerprint } from '../fingerprint.ts'
import { noPositions, type Cursor, type Generation, type GenerationId } from '../generations.ts'
import type { Positions, StoreId } from '../generations.ts'
import { limits } from '../limits.ts'
import { diskBounds } from './bounds.ts'
import { numberOfWriter, writerAt, type Dictionary, type Names } from './dictionary.ts'
import { sortedEntries } from './order.ts'
import { readCount, readInt, readUint, readWord, type Reader } from './reader.ts'
import { refuseMalformed } from './refusal.ts'
import { writeInt, writeUint, writeWord, type Writer } from './writer.ts'

/** The id of a writer, a store or a generation. */
export function writeName(writer: Writer, dictionary: Dictionary, id: string): void {
  writeUint(writer, numberOfWriter(dictionary, id))
}

/** The caller knows what the id names, so it brands it. */
export function readName<Id extends string>(reader: Reader, names: Names): Id {
  return writerAt(names, readUint(reader)) as Id
}

/** Whether a name is the first of its dictionary, as the generation of a relay is that speaks of its feed: a flag says so. */
export function isFirstName(dictionary: Dictionary, id: string): boolean {
  return numberOfWriter(dictionary, id) === 0
}

/** A generation that may be the first name. */
export function readGeneration(reader: Reader, names: Names, isFirst: boolean): GenerationId {
  const number = isFirst ? 0 : readUint(reader)
  if (number === 0 && !isFirst) refuseMalformed('a generation is not in its one form')
  return writerAt(names, number) as GenerationId
}

export function writeOptionalName(writer: Writer, dictionary: Dictionary, id: string | null): void {
  writeUint(writer, id === null ? 0 : numberOfWriter(dictionary, id) + 1)
}

export function readOptionalName<Id extends string>(reader: Reader, names: Names): Id | null {
  const head = readUint(reader)
  return head === 0 ? null : (writerAt(names, head - 1) as Id)
}

export function writeNames(writer: Writer, dictionary: Dictionary, ids: readonly string[]): void {
  writeUint(writer, ids.length)
  for (const id of ids) writeName(writer, dictionary, id)
}

export function readNames<Id extends string>(reader: Reader, names: Names): readonly Id[] {
  return readList(reader, 1, () => readName<Id>(reader, names))
}

/** Elements that take `bytesEach` bytes or more. */
export function readList<T>(reader: Reader, bytesEach: number, read: () => T): readonly T[] {
  const list: T[] = []
  for (let left = readCount(reader, 'elements', diskBounds.parts, bytesEach); left > 0; left--)
    list.push(read())
  return list
}

/**
 * `known`: what the frame said before. Most of it is said again, or a little more: a position of the same feed is the
 * difference from that one, which takes a byte however long the feed is.
 */
export function writePositions(
  writer: Writer,
  dictionary: Dictionary,
  positions: Positions,
  known: Positions = noPositions,
): void {
  writeUint(writer, positions.size)
  for (const [generation, position] of sortedEntries(positions)) {
    writeName(writer, dictionary, generation)
    const near = known.get(generation)
    if (near === undefined) writeUint(writer, position)
    else writeNear(writer, position, near)
  }
}

export function readPositions(reader: Reader, names: Names, known: Positions = noPositions): Positions {
  const positions = new Map<GenerationId, number>()
  const count = readCount(reader, 'positions', limits.frameBytesMax, 2)
  for (let i = 0; i < count; i++) {
    const generation = readName<GenerationId>(reader, names)
    const near = known.get(generation)
    positions.set(generation, near === undefined ? readUint(reader) : readNear(reader, near))
  }
  if (positions.size !== count) refuseMalformed('there are two positions in one generation')
  return positions
}

/** Half of all positions. */
const half = 2 ** 52

/** A difference wraps around, so each leads to one position, and none beyond 0 and 2^53, whoever sent it. */
function writeNear(writer: Writer, position: number, near: number): void {
  const ahead = position - near
  writeInt(writer, ahead < -half ? ahead + 2 * half : ahead < half ? ahead : ahead - 2 * half)
}

function readNear(reader: Reader, near: number): number {
  const ahead = readInt(reader)
  if (ahead < -near) return near + (ahead + 2 * half)
  return ahead < 2 * half - near ? near + ahead : near - 2 * half + ahead
}

export function writeGenerations(
  writer: Writer,
  dictionary: Dictionary,
  generations: readonly Generation[],
): void {
  writeUint(writer, generations.length)
  for (const { id, store, parent, start } of generations) {
    writeName(writer, dictionary, id)
    writeName(writer, dictionary, store)
    writeOptionalName(writer, dictionary, parent)
    writeUint(writer, start)
  }
}

export function readGenerations(reader: Reader, names: Names): readonly Generation[] {
  const generations: Generation[] = []
  for (let left = readCount(reader, 'generations', limits.frameBytesMax, 4); left > 0; left--)
    generations.push({
      id: readName<GenerationId>(reader, names),
      store: readName<StoreId>(reader, names),
      parent: readOptionalName<GenerationId>(reader, names),
      start: readUint(reader),
    })
  return generations
}

export function writeCursor(
  writer: Writer,
  dictionary: Dictionary,
  { generation, cut, place }: Cursor,
): void {
  writeName(writer, dictionary, generation)
  writeUint(writer, cut)
  writeNear(writer, place, cut)
}

export function readCursor(reader: Reader, names: Names): Cursor {
  const generation = readName<GenerationId>(reader, names)
  const cut = readUint(reader)
  return { generation, cut, place: readNear(reader, cut) }
}

/** The cuts that cursors are at. */
export function cutsOf(cursors: readonly Cursor[]): Positions {
  return new Map(cursors.map(({ generation, cut }) => [generation, cut]))
}

export function writeCursors(writer: Writer, dictionary: Dictionary, cursors: readonly Cursor[]): void {
  writeUint(writer, cursors.length)
  for (const cursor of cursors) writeCursor(writer, dictionary, cursor)
}

export function readCursors(reader: Reader, names: Names): readonly Cursor[] {
  const cursors: Cursor[] = []
  for (let left = readCount(reader, 'cursors', limits.frameBytesMax, 3); left > 0; left--)
    cursors.push(readCursor(reader, names))
  return cursors
}

export function writeFingerprint(writer: Writer, fingerprint: Fingerprint): void {
  writeUint(writer, fingerprint.count)
  writeWord(writer, fingerprint.high)
  writeWord(writer, fingerprint.low)
}

export function readFingerprint(reader: Reader): Fingerprint {
  return { count: readUint(reader), high: readWord(reader), low: readWord(reader) }
}
