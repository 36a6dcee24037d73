/**
 * Marks as three columns: writers, and of those that are not the known mark beside them the differences of
 * milliseconds and ticks from it. What is known is one mark for each, or the mark before, from `ms` on. Of some, which
 * are steps, the differences are from the mark before even if another one is known.
 */
import { isSameMark, msLimit, tickLimit, type Mark, type WriterId } from '../mark.ts'
import {
  addToColumn,
  isUniform,
  listOf,
  openColumn,
  readColumn,
  readUniform,
  writeOpenColumn,
  writeRun,
  writeUniform,
} from './columns.ts'
import { numberOfWriter, writerAt, type Dictionary, type Names } from './dictionary.ts'
import { createMark, firstWriter, noMark, sameMark } from './marks.ts'
import { readNumbers, writeNumbers } from './number-columns.ts'
import { readUint, unzigzag, type Reader } from './reader.ts'
import { refuseMalformed } from './refusal.ts'
import { zigzag, type Writer } from './writer.ts'

const noSteps: readonly boolean[] = []

export function writeMarks(
  writer: Writer,
  dictionary: Dictionary,
  marks: readonly (Mark | null)[],
  known: readonly (Mark | null)[] | { readonly ms: number },
  steps: readonly boolean[] = noSteps,
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
  let spoken = 0
  for (let i = 0; i < marks.length; i++) {
    const mark = marks[i] ?? null
    if (mark === null) {
      addToColumn(heads, noMark)
      continue
    }
    const same = beside === null ? before : (beside[i] ?? null)
    const base: Mark | null = steps[i] === true ? before : same
    before = mark
    if (isSameMark(mark, same)) {
      addToColumn(heads, sameMark)
      continue
    }
    spoken += 1
    // Most marks are of the writer of the one before them.
    if (mark.writer !== writerBefore)
      head = firstWriter + numberOfWriter(dictionary, (writerBefore = mark.writer))
    addToColumn(heads, head)
    addToColumn(times, zigzag(mark.ms - (base === null ? msOf(known) : base.ms)))
    addToColumn(ticks, zigzag(mark.tick - (base?.tick ?? 0)))
  }
  writeOpenColumn(writer, heads)
  writeNumbers(writer, times, spoken)
  writeNumbers(writer, ticks, spoken)
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

/** Whether there are none, which `writeNoMarks` wrote. Else nothing of them is read. */
export function readNoMarks(reader: Reader, count: number): boolean {
  return isUniform(reader, count, noMark)
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
  steps: readonly boolean[] = noSteps,
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
  const times = readNumbers(reader, spoken, true)
  const ticks = readNumbers(reader, spoken, true)
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
    const same: Mark | null = beside === null ? before : (beside[i] ?? null)
    if (head === sameMark) {
      before = same ?? refuseMalformed('a mark refers to one that is not there')
    } else {
      const base: Mark | null = steps[i] === true ? before : same
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
  const times = readNumbers(reader, count, true)
  const ticks = readNumbers(reader, count, true)
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
