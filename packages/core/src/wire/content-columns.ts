/**
 * Contents of one part in many rows. Where all are of one short length, as numbers and dates are, they go byte by byte:
 * the first byte of all rows, then the second; and bytes that are alike, as the high ones of numbers are, as runs. One
 * byte of each at least is there as it is, so that what rows cost goes with the bytes that come.
 *
 *   contents := of 8 and more, 2 to 16 bytes each: uint, its bits the bytes that are columns; if it is not 0, byte by
 *               byte: a column, or the byte of each row;  of all others, and of 0: one content after the other
 *
 * Of what only goes to this device's disk it is 0: nothing deflates it there, and what opens is put together sooner.
 */
import type { PackedColumn } from '../packed-cells.ts'
import { addToColumn, readRun, writeColumn, type OpenColumn } from './columns.ts'
import { bytesLeft, createReader, readUint, type Reader } from './reader.ts'
import { refuseMalformed } from './refusal.ts'
import { writeRaw, writeUint, type Writer } from './writer.ts'

const rowsMin = 8
const widthMin = 2
const widthMax = 16

/** The contents of one part in many rows where they lie, so that what lies together is copied together. */
export interface Contents {
  readonly pieces: Uint8Array[]
  count: number
  /** One more than the length of the first of them; and whether all are of that length. */
  head: number
  areAlike: boolean
}

export function createContents(): Contents {
  return { pieces: [], count: 0, head: 0, areAlike: true }
}

/** `heads`: a column that says of each one more than its length. */
export function addContent(contents: Contents, heads: OpenColumn, content: Uint8Array): void {
  contents.pieces.push(content)
  noteHead(contents, heads, content.length + 1)
}

/** The values of so many rows that lie together. */
export function addPacked(
  contents: Contents,
  heads: OpenColumn,
  { bytes, starts }: PackedColumn,
  index: number,
  count: number,
): void {
  const first = starts[index] as number
  let from = first
  for (let i = index + 1; i <= index + count; i++) {
    const to = starts[i] as number
    noteHead(contents, heads, to - from + 1)
    from = to
  }
  contents.pieces.push(bytes.subarray(first, from))
}

function noteHead(contents: Contents, heads: OpenColumn, head: number): void {
  if (contents.count === 0) contents.head = head
  else if (head !== contents.head) contents.areAlike = false
  contents.count += 1
  addToColumn(heads, head)
}

export function writeContents(
  writer: Writer,
  { pieces, count, head, areAlike }: Contents,
  isStored: boolean,
): void {
  const width = areAlike ? widthOf(head, count) : 0
  if (width > 0 && !isStored) return writePlaces(writer, together(pieces, count * width), count, width)
  if (width > 0) writeUint(writer, 0)
  for (const piece of pieces) writeRaw(writer, piece)
}

function together(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const all = new Uint8Array(length)
  let at = 0
  for (const piece of pieces) {
    all.set(piece, at)
    at += piece.length
  }
  return all
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
  const width = widthOf(heads[place] ?? 0, count)
  const places = width > 0 && areAlike(heads, place, count) ? readUint(reader) : 0
  if (places === 0) return reader
  if (places >= 2 ** width - 1) refuseMalformed('of a content nothing is there as it is')
  const bytes = new Uint8Array(count * width)
  for (let place = 0; place < width; place++) {
    if (isColumn(places, place)) readByteColumn(reader, bytes, place, width)
    else {
      const ofPlace = passBytes(reader, count)
      for (let row = 0, at = place; row < count; row++, at += width) bytes[at] = ofPlace[row] as number
    }
  }
  return createReader(bytes)
}

/** Puts a column to a place of each content, run by run: no list is made of it, and of zeros nothing is to be put. */
function readByteColumn(reader: Reader, bytes: Uint8Array, place: number, width: number): void {
  for (let at = place; at < bytes.length; ) {
    const { number, length } = readRun(reader)
    if (number > 255) refuseMalformed('a byte of a content is none')
    const end = at + length * width
    if (end >= bytes.length + width) refuseMalformed('a run is longer than its column')
    if (number === 0) at = end
    else for (; at < end; at += width) bytes[at] = number
  }
}

function areAlike(heads: ArrayLike<number>, place: number, count: number): boolean {
  const head = heads[place]
  for (let row = 1; row < count; row++) if (heads[place + row] !== head) return false
  return true
}

/** How long each of those that are alike is, or 0 if that is not short, or they are few. */
function widthOf(head: number, count: number): number {
  const width = head - 1
  return count < rowsMin || width < widthMin || width > widthMax ? 0 : width
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
