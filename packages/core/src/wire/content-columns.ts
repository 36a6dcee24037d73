/**
 * Contents of one part in many rows. Where all are of one short length, as numbers and dates are, they go byte by byte:
 * the first byte of all rows, then the second; and bytes that are alike, as the high ones of numbers are, as runs. One
 * byte of each at least is there as it is, so that what rows cost goes with the bytes that come.
 *
 *   contents := of 8 and more, 2 to 16 bytes each: uint, its bits the bytes that are columns; if it is not 0, byte by
 *               byte: a column, or the byte of each row;  of all others, and of 0: one content after the other
 */
import { readColumn, writeColumnOf } from './columns.ts'
import { bytesLeft, createReader, readUint, type Reader } from './reader.ts'
import { refuseMalformed } from './refusal.ts'
import { writeByte, writeRange, writeUint, type Writer } from './writer.ts'

const rowsMin = 8
const widthMin = 2
const widthMax = 16

/** Contents where they lie, one after the other, so that what lies together is copied together. */
export interface ContentList {
  readonly count: number
  /** Null of what has no content. */
  add(content: Uint8Array | null): void
  /** Some of these bytes. */
  addFrom(bytes: Uint8Array, from: number, to: number): void
  lengthAt(i: number): number
  /** 0 for no content, else one more than its length. */
  headAt(i: number): number
  byteAt(i: number, place: number): number
  /** Writes so many of them. */
  write(writer: Writer, first: number, count: number): void
}

/** Of at most so many. */
export function createContentList(countMax: number): ContentList {
  const sources: Uint8Array[] = []
  const starts = new Int32Array(countMax)
  /** One less than its start for no content. */
  const ends = new Int32Array(countMax)

  function addFrom(bytes: Uint8Array, from: number, to: number): void {
    const i = sources.push(bytes) - 1
    starts[i] = from
    ends[i] = to
  }

  const lengthAt = (i: number): number => Math.max(0, (ends[i] ?? 0) - (starts[i] ?? 0))

  return {
    get count() {
      return sources.length
    },
    add(content) {
      if (content === null) addFrom(noBytes, 0, -1)
      else addFrom(content, 0, content.length)
    },
    addFrom,
    lengthAt,
    headAt: i => (ends[i] ?? 0) - (starts[i] ?? 0) + 1,
    byteAt: (i, place) => sources[i]?.[(starts[i] ?? 0) + place] ?? 0,
    write(writer, first, count) {
      for (let i = first; i < first + count; ) {
        const source = sources[i] ?? noBytes
        const from = starts[i] ?? 0
        let to = Math.max(from, ends[i] ?? 0)
        for (i++; i < first + count && sources[i] === source && starts[i] === to; i++) to = ends[i] ?? to
        writeRange(writer, source, from, to)
      }
    },
  }
}

const noBytes = new Uint8Array(0)

/** So many contents, from one of a list on. */
export function writeContents(writer: Writer, contents: ContentList, first: number, count: number): void {
  const width = widthOf(count, i => contents.lengthAt(first + i))
  const places = width === 0 ? 0 : placesOfColumns(contents, first, count, width)
  if (width > 0) writeUint(writer, places)
  if (places === 0) return contents.write(writer, first, count)
  for (let place = 0; place < width; place++) {
    if (isColumn(places, place)) writeColumnOf(writer, count, i => contents.byteAt(first + i, place))
    else for (let i = first; i < first + count; i++) writeByte(writer, contents.byteAt(i, place))
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
function placesOfColumns(contents: ContentList, first: number, count: number, width: number): number {
  let places = 0
  for (let place = 0; place < width; place++) {
    let runs = 1
    for (let i = first + 1; i < first + count; i++)
      if (contents.byteAt(i, place) !== contents.byteAt(i - 1, place)) runs += 1
    if (runs * runBytesMax < count) places += 2 ** place
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
