/**
 * Marks and contexts within other bytes. Nearly every mark of a row is the row's greatest or near it, so a mark is
 * said by its difference from one that is known; the greatest entry of a context goes without saying.
 */
import { lastOfContext, type Context } from '../context.ts'
import { assert } from '../errors.ts'
import { compareMarks, isSameMark, msLimit, tickLimit, type Mark, type WriterId } from '../mark.ts'
import { numberOfWriter, writerAt, type Dictionary, type Names } from './dictionary.ts'
import { compareNames } from './order.ts'
import { readAnyCount, readInt, readUint, type Reader } from './reader.ts'
import { refuseMalformed } from './refusal.ts'
import { writeInt, writeUint, type Writer } from './writer.ts'

/** What stands where a writer's number stands otherwise: the mark is the known one, or there is none. */
export const sameMark = 0
export const noMark = 1
export const firstWriter = 2

export function writeMark(
  writer: Writer,
  dictionary: Dictionary,
  mark: Mark | null,
  known: Mark | null,
): void {
  if (mark === null) return writeUint(writer, noMark)
  if (isSameMark(mark, known)) return writeUint(writer, sameMark)
  writeUint(writer, firstWriter + numberOfWriter(dictionary, mark.writer))
  writeInt(writer, mark.ms - (known?.ms ?? 0))
  writeUint(writer, mark.tick)
}

export function readMark(reader: Reader, names: Names, known: Mark | null): Mark | null {
  const head = readUint(reader)
  if (head === noMark) return null
  if (head === sameMark) return known ?? refuseMalformed('a mark refers to one that is not there')
  const ms = (known?.ms ?? 0) + readInt(reader)
  return createMark(ms, readUint(reader), writerAt(names, head - firstWriter))
}

export function expectMark(mark: Mark | null): Mark {
  return mark ?? refuseMalformed('a mark is missing')
}

/** A mark from outside, within the bounds of marks. */
export function createMark(ms: number, tick: number, writer: string): Mark {
  if (!(ms >= 0 && ms < msLimit)) refuseMalformed('the time of a mark is out of range')
  if (!(tick >= 0 && tick < tickLimit)) refuseMalformed('the tick of a mark is out of range')
  return { ms, tick, writer: writer as WriterId }
}

/** The entries but for `last`, which is the greatest of them; null if there are none. */
export function writeContext(
  writer: Writer,
  dictionary: Dictionary,
  context: Context,
  last: Mark | null,
): void {
  writeUint(writer, last === null ? 0 : context.size - 1)
  if (context.size < 2 || last === null) return
  for (const mark of [...context.values()].sort((a, b) => compareNames(a.writer, b.writer)))
    if (mark.writer !== last.writer) writeEarlierMark(writer, dictionary, mark, last)
}

export function readContext(reader: Reader, names: Names, last: Mark | null): Context {
  const context = new Map<WriterId, Mark>()
  const count = readAnyCount(reader, 'writers of a context', 3)
  if (last === null) {
    if (count > 0) refuseMalformed('a context has entries and no greatest one')
    return context
  }
  context.set(last.writer, last)
  for (let i = 0; i < count; i++) {
    const mark = readEarlierMark(reader, names, last)
    context.set(mark.writer, mark)
  }
  if (context.size !== count + 1) refuseMalformed('a context has two entries for one writer')
  return context
}

/** A context within bytes whose greatest entry is not known. */
export function writeWholeContext(
  writer: Writer,
  dictionary: Dictionary,
  context: Context,
  known: Mark | null,
): void {
  const last = lastOfContext(context)
  writeMark(writer, dictionary, last, known)
  if (last !== null) writeContext(writer, dictionary, context, last)
}

export function readWholeContext(reader: Reader, names: Names, known: Mark | null): Context {
  const last = readMark(reader, names, known)
  return last === null ? new Map() : readContext(reader, names, last)
}

/** A mark that is smaller than `last`. */
export function writeEarlierMark(writer: Writer, dictionary: Dictionary, mark: Mark, last: Mark): void {
  assert(mark.ms <= last.ms, 'no entry of a context is greater than its last')
  writeUint(writer, numberOfWriter(dictionary, mark.writer))
  writeUint(writer, last.ms - mark.ms)
  writeUint(writer, mark.tick)
}

export function readEarlierMark(reader: Reader, names: Names, last: Mark): Mark {
  const writer = writerAt(names, readUint(reader))
  const ms = last.ms - readUint(reader)
  const mark = createMark(ms, readUint(reader), writer)
  if (compareMarks(mark, last) >= 0) refuseMalformed('an entry of a context is greater than its last')
  return mark
}
