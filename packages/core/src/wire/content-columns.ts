/**
 * Contents of one part in many rows. Where all are of one short length, as numbers and dates are, they go byte by byte:
 * the first byte of all rows, then the second; and bytes that are alike, as the high ones of numbers are, as runs. One
 * byte of each at least is there as it is, so that what rows cost goes with the bytes that come.
 *
 *   contents := of 8 and more, 2 to 16 bytes each: uint, its bits the bytes that are columns; if it is not 0, byte by
 *               byte: a column, or the byte of each row;  of all others, and of 0: one content after the other
 */
import { readColumn, writeColumn } from './columns.ts'
import { bytesLeft, createReader, readUint, type Reader } from './reader.ts'
import { refuseMalformed } from './refusal.ts'
import { writeByte, writeRaw, writeUint, type Writer } from './writer.ts'

const rowsMin = 8
const widthMin = 2
const widthMax = 16

export function writeContents(writer: Writer, contents: readonly Uint8Array[]): void {
  const width = widthOf(contents.length, i => contents[i]?.length ?? 0)
  const places = width === 0 ? 0 : placesOfColumns(contents, width)
  if (width > 0) writeUint(writer, places)
  if (places === 0) {
    for (const content of contents) writeRaw(writer, content)
    return
  }
  for (let place = 0; place < width; place++) {
    if (isColumn(places, place))
      writeColumn(
        writer,
        contents.map(content => content[place] ?? 0),
      )
    else for (const content of contents) writeByte(writer, content[place] ?? 0)
  }
}

/**
 * Where to read the contents of so many rows, whose lengths are known: the reader itself, at the first of them, or
 * another one, if they do not lie there one after the other.
 */
export function openContents(reader: Reader, count: number, lengthAt: (row: number) => number): Reader {
  const width = widthOf(count, lengthAt)
  const places = width === 0 ? 0 : readUint(reader)
  if (places === 0) return reader
  if (places >= 2 ** width - 1) refuseMalformed('of a content nothing is there as it is')
  const bytes = new Uint8Array(count * width)
  for (let place = 0; place < width; place++) {
    if (isColumn(places, place)) {
      const column = readColumn(reader, count)
      for (let row = 0; row < count; row++) bytes[row * width + place] = byteOf(column[row] ?? 0)
    } else {
      if (bytesLeft(reader) < count) refuseMalformed('the bytes end too early')
      for (let row = 0; row < count; row++) bytes[row * width + place] = reader.bytes[reader.at++] ?? 0
    }
  }
  return createReader(bytes)
}

/** How long each is, or 0 if that is not short or not the same. */
function widthOf(count: number, lengthAt: (row: number) => number): number {
  const width = count < rowsMin ? 0 : lengthAt(0)
  if (width < widthMin || width > widthMax) return 0
  for (let row = 1; row < count; row++) if (lengthAt(row) !== width) return 0
  return width
}

/** A run takes up to four bytes. If all of them were columns, the last one stays as it is. */
function placesOfColumns(contents: readonly Uint8Array[], width: number): number {
  let places = 0
  for (let place = 0; place < width; place++) {
    let runs = 1
    for (let row = 1; row < contents.length; row++)
      if (contents[row]?.[place] !== contents[row - 1]?.[place]) runs += 1
    if (runs * runBytesMax < contents.length) places += 2 ** place
  }
  return places === 2 ** width - 1 ? places - 2 ** (width - 1) : places
}

const runBytesMax = 4

function isColumn(places: number, place: number): boolean {
  return Math.floor(places / 2 ** place) % 2 === 1
}

function byteOf(number: number): number {
  return number < 256 ? number : refuseMalformed('a byte of a content is none')
}
