/**
 * Columns: what is alike lies together, written as runs. A run is its number doubled, plus one if it is longer than
 * one; then its length less two. A column knows its length from what came before it, so it needs no prefix.
 *
 * Runs amplify (a dozen bytes can claim a million numbers), so the caller bounds the length of every column.
 */
import { isSameMark, msLimit, tickLimit, type Mark, type WriterId } from '../mark.ts'
import { numberOfWriter, writerAt, type Dictionary, type Names } from './dictionary.ts'
import { createMark, firstWriter, noMark, sameMark } from './marks.ts'
import { readUint, unzigzag, type Reader } from './reader.ts'
import { refuseMalformed } from './refusal.ts'
import { createWriter, writeUint, writeWritten, zigzag, type Writer } from './writer.ts'

/** Numbers below 2^52. */
export function writeColumn(writer: Writer, numbers: ArrayLike<number>): void {
  const count = numbers.length
  let from = 0
  // By itself and not by `writeColumnOf`: most columns are lists, and long.
  for (let to = 1; to <= count; to++) {
    if (to < count && numbers[to] === numbers[from]) continue
    writeRun(writer, numbers[from] ?? 0, to - from)
    from = to
  }
}

/** The same of numbers that are not in a list. */
export function writeColumnOf(writer: Writer, count: number, numberAt: (i: number) => number): void {
  let run = 0
  let number = 0
  for (let i = 0; i < count; i++) {
    const next = numberAt(i)
    if (run > 0 && next !== number) {
      writeRun(writer, number, run)
      run = 0
    }
    number = next
    run += 1
  }
  if (run > 0) writeRun(writer, number, run)
}

/** The same where all are one number. */
export function writeUniform(writer: Writer, number: number, count: number): void {
  if (count > 0) writeRun(writer, number, count)
}

/** A column that is written as its numbers come, and is no list meanwhile: thousands come where nothing is fast yet. */
export interface OpenColumn {
  /** Of its own, where other columns are written at the same time. */
  readonly writer: Writer
  number: number
  run: number
}

export function openColumn(): OpenColumn {
  return { writer: createWriter(), number: 0, run: 0 }
}

/** Puts a number to its end, `count` times. */
export function addToColumn(column: OpenColumn, number: number, count: number = 1): void {
  if (column.run > 0 && column.number !== number) {
    writeRun(column.writer, column.number, column.run)
    column.run = 0
  }
  column.number = number
  column.run += count
}

/** Writes all of it. The column is done with. */
export function writeOpenColumn(writer: Writer, column: OpenColumn): void {
  if (column.run > 0) writeRun(column.writer, column.number, column.run)
  writeWritten(writer, column.writer)
}

function writeRun(writer: Writer, number: number, length: number): void {
  writeUint(writer, number * 2 + (length > 1 ? 1 : 0))
  if (length > 1) writeUint(writer, length - 2)
}

/** A number of a column, and how often it stands there. */
export function readRun(reader: Reader): { readonly number: number; readonly length: number } {
  const head = readUint(reader)
  return { number: Math.floor(head / 2), length: head % 2 === 0 ? 1 : readUint(reader) + 2 }
}

/** `isSigned`: each is a zigzag number, which is undone once for each run. */
export function readColumn(reader: Reader, count: number, isSigned: boolean = false): number[] {
  const numbers = listOf(count, 0)
  for (let at = 0; at < count; ) {
    const head = readUint(reader)
    const half = Math.floor(head / 2)
    const number = isSigned ? unzigzag(half) : half
    if (head % 2 === 0) {
      numbers[at++] = number
      continue
    }
    const length = readUint(reader) + 2
    if (length > count - at) refuseMalformed('a run is longer than its column')
    numbers.fill(number, at, at + length)
    at += length
  }
  return numbers
}

/** Filled by the engine: columns are long, and read where nothing has run often enough to be fast. */
function listOf<T>(count: number, what: T): T[] {
  return Array<T>(count).fill(what)
}

/** The number that the whole of a column is, or null: then nothing of it is read. */
export function readUniform(reader: Reader, count: number): number | null {
  const from = reader.at
  if (count > 1) {
    const head = readUint(reader)
    if (head % 2 === 1 && readUint(reader) + 2 === count) return Math.floor(head / 2)
  }
  reader.at = from
  return null
}

/** Each number as its difference from the one before. */
export function writeSteps(writer: Writer, numbers: readonly number[]): void {
  let before = 0
  const steps = numbers.map(number => {
    const step = zigzag(number - before)
    before = number
    return step
  })
  writeColumn(writer, steps)
}

export function readSteps(reader: Reader, count: number): number[] {
  let before = 0
  return readColumn(reader, count, true).map(step => {
    before += step
    if (before < 0) refuseMalformed('a number of a column is out of range')
    return before
  })
}

/**
 * Marks as three columns: writers, and of those that are not the known mark beside them the differences of
 * milliseconds and ticks from it. What is known is one mark for each, or the mark before, from `ms` on.
 */
export function writeMarks(
  writer: Writer,
  dictionary: Dictionary,
  marks: readonly (Mark | null)[],
  known: readonly (Mark | null)[] | { readonly ms: number },
): void {
  if (!('ms' in known) && marks.length > 0 && marks.every((mark, i) => mark !== null && mark === known[i]))
    return writeKnownMarks(writer, marks.length)
  const heads = openColumn()
  const times = openColumn()
  const ticks = openColumn()
  const beside = 'ms' in known ? null : known
  let before: Mark | null = null
  let writerBefore: WriterId | null = null
  let head = noMark
  for (let i = 0; i < marks.length; i++) {
    const mark = marks[i] ?? null
    const base: Mark | null = beside === null ? before : (beside[i] ?? null)
    if (mark === null) {
      addToColumn(heads, noMark)
      continue
    }
    before = mark
    if (isSameMark(mark, base)) {
      addToColumn(heads, sameMark)
      continue
    }
    // Most marks are of the writer of the one before them.
    if (mark.writer !== writerBefore)
      head = firstWriter + numberOfWriter(dictionary, (writerBefore = mark.writer))
    addToColumn(heads, head)
    addToColumn(times, zigzag(mark.ms - (base === null ? msOf(known) : base.ms)))
    addToColumn(ticks, zigzag(mark.tick - (base?.tick ?? 0)))
  }
  writeOpenColumn(writer, heads)
  writeOpenColumn(writer, times)
  writeOpenColumn(writer, ticks)
}

/** As `writeMarks` of one mark alone, as of nearly every live change. */
export function writeOnlyMark(writer: Writer, dictionary: Dictionary, mark: Mark, known: Mark): void {
  if (isSameMark(mark, known)) return writeRun(writer, sameMark, 1)
  writeRun(writer, firstWriter + numberOfWriter(dictionary, mark.writer), 1)
  writeRun(writer, zigzag(mark.ms - known.ms), 1)
  writeRun(writer, zigzag(mark.tick - known.tick), 1)
}

/** As `writeMarks` where each is the one that is known. */
export function writeKnownMarks(writer: Writer, count: number): void {
  writeUniform(writer, sameMark, count)
}

/** As `writeMarks` where there are none: the columns of what they say are empty. */
export function writeNoMarks(writer: Writer, count: number): void {
  writeUniform(writer, noMark, count)
}

/** Whether each is the one that is known, which `writeKnownMarks` wrote. Else nothing of them is read. */
export function readKnownMarks(reader: Reader, count: number): boolean {
  return isUniform(reader, count, sameMark)
}

/** Whether each number is 0. Else nothing of them is read. */
export function readZeros(reader: Reader, count: number): boolean {
  return isUniform(reader, count, 0)
}

/** Whether there are none, which `writeNoMarks` wrote. Else nothing of them is read. */
export function readNoMarks(reader: Reader, count: number): boolean {
  return isUniform(reader, count, noMark)
}

function isUniform(reader: Reader, count: number, number: number): boolean {
  const from = reader.at
  if (readUniform(reader, count) === number) return true
  reader.at = from
  return false
}

/** The columns of one mark alone, as of nearly every live change. */
export function readOnlyMark(reader: Reader, names: Names, known: Mark | null): Mark | null {
  const head = readOnlyNumber(reader)
  if (head === noMark) return null
  if (head === sameMark) return known ?? refuseMalformed('a mark refers to one that is not there')
  const ms = (known?.ms ?? 0) + unzigzag(readOnlyNumber(reader))
  const tick = (known?.tick ?? 0) + unzigzag(readOnlyNumber(reader))
  return createMark(ms, tick, writerAt(names, head - firstWriter))
}

function readOnlyNumber(reader: Reader): number {
  const head = readUint(reader)
  return head % 2 === 0 ? head / 2 : refuseMalformed('a run is longer than its column')
}

export function readMarks(
  reader: Reader,
  names: Names,
  count: number,
  known: readonly (Mark | null)[] | { readonly ms: number },
): (Mark | null)[] {
  // Of what was never written before there is nothing to say, and most parts of a row bear its mark.
  const uniform = readUniform(reader, count)
  if (uniform === noMark) return listOf(count, null)
  if (uniform === sameMark && !('ms' in known) && !known.includes(null)) return [...known]
  if (uniform !== null && uniform >= firstWriter && 'ms' in known)
    return readMarksOf(reader, writerAt(names, uniform - firstWriter) as WriterId, count, known.ms)
  const heads = uniform === null ? readColumn(reader, count) : listOf(count, uniform)
  let spoken = 0
  for (let i = 0; i < count; i++) if ((heads[i] ?? 0) >= firstWriter) spoken += 1
  const times = readColumn(reader, spoken, true)
  const ticks = readColumn(reader, spoken, true)
  const marks: (Mark | null)[] = []
  const beside = 'ms' in known ? null : known
  let before: Mark | null = null
  let next = 0
  let spokenHead = noMark
  let writer = ''
  for (let i = 0; i < count; i++) {
    const head = heads[i] ?? noMark
    if (head === noMark) {
      marks.push(null)
      continue
    }
    const base: Mark | null = beside === null ? before : (beside[i] ?? null)
    if (head === sameMark) {
      before = base ?? refuseMalformed('a mark refers to one that is not there')
    } else {
      // Most marks are of the writer of the one before them.
      if (head !== spokenHead) writer = writerAt(names, (spokenHead = head) - firstWriter)
      const ms = (base === null ? msOf(known) : base.ms) + (times[next] ?? 0)
      const tick = (base === null ? 0 : base.tick) + (ticks[next] ?? 0)
      next++
      before = createMark(ms, tick, writer)
    }
    marks.push(before)
  }
  return marks
}

/** All of one writer, each behind the one before, as where somebody wrote thousands. */
function readMarksOf(reader: Reader, writer: WriterId, count: number, from: number): Mark[] {
  const times = readColumn(reader, count, true)
  const ticks = readColumn(reader, count, true)
  const marks = Array<Mark>(count)
  let ms = from
  let tick = 0
  for (let i = 0; i < count; i++) {
    ms += times[i] as number
    tick += ticks[i] as number
    // A call for each of thousands would be most of the time.
    const isSound = ms >= 0 && ms < msLimit && tick >= 0 && tick < tickLimit
    marks[i] = isSound ? { ms, tick, writer } : createMark(ms, tick, writer)
  }
  return marks
}

function msOf(known: readonly (Mark | null)[] | { readonly ms: number }): number {
  return 'ms' in known ? known.ms : 0
}
