/**
 * Columns: what is alike lies together, written as runs. A run is its number doubled, plus one if it is longer than
 * one; then its length less two. A column knows its length from what came before it, so it needs no prefix.
 *
 * Runs amplify (a dozen bytes can claim a million numbers), so the caller bounds the length of every column.
 */
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

export function writeRun(writer: Writer, number: number, length: number): void {
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

/**
 * The same of lengths, one for each part of thousands of rows: beside the objects that an engine collects. What no length can
 * be is the longest one, which whoever reads it refuses.
 */
export function readLengths(reader: Reader, count: number): ArrayLike<number> {
  if (count < lengthsMin) return readColumn(reader, count)
  const lengths = new Uint32Array(count)
  for (let at = 0; at < count; ) {
    const head = readUint(reader)
    const length = Math.min(Math.floor(head / 2), longestLength)
    if (head % 2 === 0) {
      lengths[at++] = length
      continue
    }
    const end = at + readUint(reader) + 2
    if (end > count) refuseMalformed('a run is longer than its column')
    lengths.fill(length, at, end)
    at = end
  }
  return lengths
}

/** Fewer are a list, which is made sooner. */
const lengthsMin = 64
const longestLength = 2 ** 32 - 1

/** Filled by the engine: columns are long, and read where nothing has run often enough to be fast. */
export function listOf<T>(count: number, what: T): T[] {
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

/** Whether each number is 0. Else nothing of them is read. */
export function readZeros(reader: Reader, count: number): boolean {
  return isUniform(reader, count, 0)
}

/** Whether each is this number. Else nothing of them is read. */
export function isUniform(reader: Reader, count: number, number: number): boolean {
  const from = reader.at
  if (readUniform(reader, count) === number) return true
  reader.at = from
  return false
}
