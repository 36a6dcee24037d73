/** Numbers in the form that values have them: whole ones by size and sign, all others as doubles; one form each. */
import { readByte, readDouble, readUint, type Reader } from './reader.ts'
import { refuseMalformed } from './refusal.ts'
import { tags } from './value-tags.ts'
import { writeByte, writeDouble, writeUint, type Writer } from './writer.ts'

export function writeNumber(writer: Writer, value: number): void {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
    writeByte(writer, tags.double)
    writeDouble(writer, value)
  } else if (value < 0) {
    writeByte(writer, tags.negative)
    writeUint(writer, -1 - value)
  } else if (value < 64) {
    writeByte(writer, tags.smallNumber + value)
  } else {
    writeByte(writer, tags.number)
    writeUint(writer, value)
  }
}

export function readNumber(reader: Reader): number {
  const tag = readByte(reader)
  return readTaggedNumber(reader, tag) ?? refuseMalformed('a number is missing')
}

/** Null if the tag is not a number's. */
export function readTaggedNumber(reader: Reader, tag: number): number | null {
  if (tag >= tags.smallNumber && tag < tags.smallList) return tag - tags.smallNumber
  if (tag === tags.number) return readLength(reader, 64)
  if (tag === tags.negative) {
    const number = -1 - readUint(reader)
    if (!Number.isSafeInteger(number)) refuseMalformed('a number is not in its one form')
    return number
  }
  if (tag !== tags.double) return null
  const number = readDouble(reader)
  if (Number.isSafeInteger(number) && !Object.is(number, -0))
    refuseMalformed('a number is not in its one form')
  return number
}

/** A number that would have had a shorter form below `least`. */
export function readLength(reader: Reader, least: number): number {
  const length = readUint(reader)
  if (length < least) refuseMalformed('a value is not in its one form')
  return length
}
