/**
 * Contents of one part in many rows. Where all are of one short length, as numbers and dates are, they go byte by byte:
 * the first byte of all rows, then the second; and bytes that are alike, as the high ones of numbers are, as runs. One
 * byte of each at least is there as it is, so that what rows cost goes with the bytes that come.
 *
 *   contents := of 8 and more, 2 to 16 bytes each: uint, its bits the bytes that are columns; if it is not 0, byte by
 *               byte: a column, or the byte of each row;  of all others, and of 0: one content after the other
 */
import type { PackedColumn } from '../packed-cells.ts'
import { readColumn, writeColumn } from './columns.ts'
import { bytesLeft, createReader, readUint, type Reader } from './reader.ts'
import { refuseMalformed } from './refusal.ts'
import { writeRaw, writeUint, type Writer } from './writer.ts'

const rowsMin = 8
const widthMin = 2
const widthMax = 16

/** Contents where they lie, so that what lies together is copied together. */
export interface ContentList {
  /** Of each 0 for no content, else one more than its length. */
  readonly heads: Int32Array
  /** Null of what has no content. */
  add(content: Uint8Array | null): void
  /** So many that have no content. */
  addNone(count: number): void
  /** The values of so many rows that lie together. */
  addPacked(column: PackedColumn, index: number, count: number): void
  /** Writes the next so many. */
  write(writer: Writer, count: number): void
}

/** One content, or those of rows that lie together. */
type Piece = Uint8Array | Stretch

interface Stretch {
  readonly bytes: Uint8Array
  readonly from: number
  readonly to: number
  readonly count: number
}

const noContent = new Uint8Array(0)

/** Of so many. */
export function createContentList(count: number): ContentList {
  const heads = new Int32Array(count)
  const pieces: Piece[] = []
  let added = 0
  let written = 0
  let nextPiece = 0

  /** Calls with the pieces of the next so many. */
  function take(count: number, use: (piece: Uint8Array) => void): void {
    written += count
    for (let left = count; left > 0; nextPiece++) {
      const piece = pieces[nextPiece] ?? noContent
      if (piece instanceof Uint8Array) use(piece)
      else use(piece.bytes.subarray(piece.from, piece.to))
      left -= piece instanceof Uint8Array ? 1 : piece.count
    }
  }

  function together(count: number, width: number): Uint8Array {
    const all = new Uint8Array(count * width)
    let at = 0
    take(count, piece => {
      all.set(piece, at)
      at += piece.length
    })
    return all
  }

  return {
    heads,
    add(content) {
      heads[added++] = content === null ? 0 : content.length + 1
      pieces.push(content ?? noContent)
    },
    addNone(count) {
      added += count
      pieces.push({ bytes: noContent, from: 0, to: 0, count })
    },
    addPacked({ bytes, starts }, index, count) {
      for (let i = index; i < index + count; i++) heads[added++] = (starts[i + 1] ?? 0) - (starts[i] ?? 0) + 1
      pieces.push({ bytes, from: starts[index] ?? 0, to: starts[index + count] ?? 0, count })
    },
    write(writer, count) {
      const width = widthOf(heads, written, count)
      if (width > 0) writePlaces(writer, together(count, width), count, width)
      else take(count, piece => writeRaw(writer, piece))
    },
  }
}

/** Contents of one length, byte by byte if some of the bytes are better columns. */
function writePlaces(writer: Writer, bytes: Uint8Array, count: number, width: number): void {
  const places = placesOfColumns(bytes, count, width)
  writeUint(writer, places)
  if (places === 0) return writeRaw(writer, bytes)
  const ofPlace = new Uint8Array(count)
  for (let place = 0; place < width; place++) {
    for (let row = 0, at = place; row < count; row++, at += width) ofPlace[row] = bytes[at] ?? 0
    if (isColumn(places, place)) writeColumn(writer, ofPlace)
    else writeRaw(writer, ofPlace)
  }
}

/**
 * Where to read the contents of so many rows, whose heads begin at a place: the reader itself, at the first of them, or
 * another one, if they do not lie there one after the other.
 */
export function openContents(reader: Reader, heads: ArrayLike<number>, place: number, count: number): Reader {
  const width = widthOf(heads, place, count)
  const places = width === 0 ? 0 : readUint(reader)
  if (places === 0) return reader
  if (places >= 2 ** width - 1) refuseMalformed('of a content nothing is there as it is')
  const bytes = new Uint8Array(count * width)
  for (let place = 0; place < width; place++) {
    const ofPlace = isColumn(places, place) ? readByteColumn(reader, count) : passBytes(reader, count)
    for (let row = 0, at = place; row < count; row++, at += width) bytes[at] = ofPlace[row] as number
  }
  return createReader(bytes)
}

function readByteColumn(reader: Reader, count: number): readonly number[] {
  const column = readColumn(reader, count)
  for (const byte of column) if (byte > 255) refuseMalformed('a byte of a content is none')
  return column
}

/** How long each is, or 0 if that is not short or not the same. */
function widthOf(heads: ArrayLike<number>, place: number, count: number): number {
  const head = count < rowsMin ? 0 : (heads[place] ?? 0)
  const width = head - 1
  if (width < widthMin || width > widthMax) return 0
  for (let row = 1; row < count; row++) if (heads[place + row] !== head) return 0
  return width
}

/** A run takes up to four bytes. If all of them were columns, the last one stays as it is. */
function placesOfColumns(bytes: Uint8Array, count: number, width: number): number {
  let places = 0
  const runsMax = Math.ceil(count / runBytesMax) - 1
  for (let place = 0; place < width; place++) {
    let runs = 1
    for (let at = place + width; at < bytes.length && runs <= runsMax; at += width)
      if (bytes[at] !== bytes[at - width]) runs += 1
    if (runs <= runsMax) places += 2 ** place
  }
  return places === 2 ** width - 1 ? places - 2 ** (width - 1) : places
}

const runBytesMax = 4

function isColumn(places: number, place: number): boolean {
  return Math.floor(places / 2 ** place) % 2 === 1
}

function passBytes(reader: Reader, count: number): Uint8Array {
  if (bytesLeft(reader) < count) refuseMalformed('the bytes end too early')
  const { bytes, at } = reader
  reader.at = at + count
  return bytes.subarray(at, reader.at)
}
