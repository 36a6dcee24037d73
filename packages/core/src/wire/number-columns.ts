/**
 * Columns of numbers of which nobody knows whether they are alike: where they are not, as times are by which people
 * wrote here and there, they go byte by byte, and each byte is as long as any other. As runs they would say in each byte
 * whether the number goes on, and nothing that deflates can take that out again.
 *
 *   numbers := of fewer than 64: column;  of others: byte, how many bytes each takes; if that is 0: column, else the
 *              first as uint, as it is often far from the others; then the lowest byte of all others, the next one of
 *              all, and so on
 */
import { readColumn, writeOpenColumn, type OpenColumn } from './columns.ts'
import { bytesLeft, createReader, readByte, readUint, unzigzag, type Reader } from './reader.ts'
import { refuseMalformed } from './refusal.ts'
import {
  createWriter,
  finishWriting,
  lengthWritten,
  writeByte,
  writeRaw,
  writeUint,
  writeWritten,
  type Writer,
} from './writer.ts'

const countMin = 64
/** Of a number below 2^53. */
const widthMax = 7
/** Bytes apart may be so many times as long as runs: deflated they are shorter all the same. */
const longerMax = 1.5

/** Writes a column of so many numbers, which is done with. */
export function writeNumbers(writer: Writer, column: OpenColumn, count: number): void {
  if (count < countMin) return writeOpenColumn(writer, column)
  const runs = createWriter()
  writeOpenColumn(runs, column)
  const bytesMax = lengthWritten(runs) * longerMax
  // Nearly all are alike: nobody need look at them.
  if (bytesMax < count) {
    writeByte(writer, 0)
    return writeWritten(writer, runs)
  }
  const asRuns = finishWriting(runs)
  const numbers = readColumn(createReader(asRuns), count)
  const width = widthOf(numbers)
  if (width * count > bytesMax) {
    writeByte(writer, 0)
    return writeRaw(writer, asRuns)
  }
  writeByte(writer, width)
  writeUint(writer, numbers[0] ?? 0)
  writeRaw(writer, byteByByte(numbers, width))
}

/** `isSigned`: each is a zigzag number. */
export function readNumbers(reader: Reader, count: number, isSigned: boolean): number[] {
  if (count < countMin) return readColumn(reader, count, isSigned)
  const width = readByte(reader)
  if (width === 0) return readColumn(reader, count, isSigned)
  if (width > widthMax) refuseMalformed('a number of a column is out of range')
  const first = readUint(reader)
  const others = count - 1
  const { bytes, at } = reader
  if (bytesLeft(reader) < width * others) refuseMalformed('the bytes end too early')
  const numbers = Array<number>(count)
  numbers[0] = isSigned ? unzigzag(first) : first
  for (let i = 0; i < others; i++) {
    let number = 0
    for (let place = width - 1; place >= 0; place--)
      number = number * 256 + (bytes[at + place * others + i] as number)
    numbers[i + 1] = isSigned ? unzigzag(number) : number
  }
  reader.at = at + width * others
  return numbers
}

/** How many bytes the greatest takes, but for the first. */
function widthOf(numbers: readonly number[]): number {
  let max = 0
  for (let i = 1; i < numbers.length; i++) max = Math.max(max, numbers[i] as number)
  let width = 1
  for (let limit = 256; max >= limit; limit *= 256) width += 1
  return width
}

/** All but the first. */
function byteByByte(numbers: readonly number[], width: number): Uint8Array {
  const others = numbers.length - 1
  const bytes = new Uint8Array(width * others)
  for (let i = 0; i < others; i++)
    for (let at = i, rest = numbers[i + 1] as number; at < bytes.length; at += others) {
      bytes[at] = rest
      rest = Math.floor(rest / 256)
    }
  return bytes
}
