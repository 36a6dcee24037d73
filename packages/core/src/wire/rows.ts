/**
 * One row as bytes, for where rows lie one by one: a client's pages, a relay's store. Canonical for a given
 * dictionary: parts by name, contexts by writer, elements by value. Without a dictionary the bytes define their own
 * names; with one (a page's) they hold numbers alone, and the dictionary is stored beside them.
 */
import type { Cell } from '../cells/cell.ts'
import { lastOfCell } from '../cells/cell.ts'
import type { Deletion } from '../deletion.ts'
import { assert, type Outcome } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Mark } from '../mark.ts'
import type { FeedPart, HeldRow, TextState } from '../relay-store.ts'
import { createSharing, keysOf, ListedMap } from '../listed-map.ts'
import { hasStrategy, lastOfRow, strategyOfPart, type DocumentKey, type PartName, type Row } from '../row.ts'
import { diskBounds } from './bounds.ts'
import {
  readCellContent,
  readCellName,
  readDeletionContent,
  writeCellContent,
  writeDeletionContent,
} from './contents.ts'
import {
  borrowDictionary,
  commitNames,
  createDictionary,
  createNames,
  fieldAt,
  numberOfField,
  readDefinitions,
  returnDictionary,
  writeDefinitions,
  type Dictionary,
  type Names,
} from './dictionary.ts'
import { expectMark, readMark, writeMark } from './marks.ts'
import { compareNames, forEachInOrder, sortedEntries } from './order.ts'
import { createReader, expectEnd, readBytes, readCount, readUint, readWithin, type Reader } from './reader.ts'
import { attempt, refuseMalformed } from './refusal.ts'
import { readStateVector, writeStateVector } from './state-vector.ts'
import {
  createWriter,
  writeBytes,
  writeUint,
  writeWritten,
  finishWriting,
  lengthWritten,
  type Writer,
} from './writer.ts'

export function encodeRow(row: Row, dictionary?: Dictionary): Uint8Array {
  return encodeNamed(dictionary, (writer, names) => writeRow(writer, names, row))
}

export function decodeRow(bytes: Uint8Array, dictionary?: Dictionary): Outcome<Row> {
  return decodeNamed(bytes, dictionary, readRow)
}

/** A row with its positions in the feed and the states of its bodies. */
export function encodeHeldRow(held: HeldRow, dictionary?: Dictionary): Uint8Array {
  return encodeNamed(dictionary, (writer, names) => writeHeldRow(writer, names, held))
}

/** Many of them, each as `encodeHeldRow` encodes it, in one piece of memory. */
export function encodeHeldRows(rows: ReadonlyMap<DocumentKey, HeldRow>): readonly EncodedHeldRow[] {
  const writer = createWriter()
  const ends: number[] = []
  rows.forEach(held => {
    writeNamed(writer, (body, names) => writeHeldRow(body, names, held))
    ends.push(lengthWritten(writer))
  })
  const bytes = finishWriting(writer)
  let from = 0
  return Array.from(rows, ([key, held], i) => {
    const state = bytes.subarray(from, ends[i])
    from += state.length
    return { key, held, state }
  })
}

export interface EncodedHeldRow {
  readonly key: DocumentKey
  readonly held: HeldRow
  readonly state: Uint8Array
}

export function decodeHeldRow(bytes: Uint8Array, dictionary?: Dictionary): Outcome<HeldRow> {
  return decodeNamed(bytes, dictionary, readHeldRow)
}

/** A dictionary by itself, to be stored beside the rows that were encoded with it. */
export function encodeDictionary(dictionary: Dictionary): Uint8Array {
  const writer = createWriter()
  writeDefinitions(writer, dictionary, { writers: 0, fields: 0 })
  return finishWriting(writer)
}

export function decodeDictionary(bytes: Uint8Array): Outcome<Dictionary> {
  return attempt(() => {
    const reader = createReader(bytes)
    const names = createNames(createDictionary())
    readDefinitions(reader, names)
    expectEnd(reader)
    commitNames(names)
    return names.dictionary
  })
}

function encodeNamed(
  shared: Dictionary | undefined,
  write: (writer: Writer, dictionary: Dictionary) => void,
): Uint8Array {
  const writer = createWriter()
  if (shared !== undefined) write(writer, shared)
  else writeNamed(writer, write)
  return finishWriting(writer)
}

/** After the names that it takes. */
function writeNamed(writer: Writer, write: (writer: Writer, dictionary: Dictionary) => void): void {
  const dictionary = borrowDictionary()
  const body = createWriter()
  write(body, dictionary)
  writeDefinitions(writer, dictionary, noNames)
  writeWritten(writer, body)
  returnDictionary(dictionary)
}

const noNames = { writers: 0, fields: 0 }

function decodeNamed<T>(
  bytes: Uint8Array,
  shared: Dictionary | undefined,
  read: (reader: Reader, names: Names) => T,
): Outcome<T> {
  return attempt(() => {
    const reader = createReader(bytes)
    const names = shared === undefined ? readNamesOfRow(reader) : createNames(shared)
    const value = read(reader, names)
    expectEnd(reader)
    return value
  })
}

/** Most rows that are read one after the other are in the same names: then these are not read again. */
function readNamesOfRow(reader: Reader): Names {
  if (beginsWith(reader.bytes, latest.definitions)) {
    reader.at = latest.definitions.length
    return latest.names
  }
  const names = createNames(createDictionary())
  readDefinitions(reader, names)
  latest = { definitions: reader.bytes.slice(0, reader.at), names }
  return names
}

// Definitions end where they say, so what begins with the same bytes has these and no more.
let latest: { readonly definitions: Uint8Array; readonly names: Names } = {
  definitions: new Uint8Array(2),
  names: createNames(createDictionary()),
}

function beginsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  for (let i = 0; i < start.length; i++) if (bytes[i] !== start[i]) return false
  return true
}

/** Rows here are of no collection: their keys are beside them, and all collections share the names of parts. */
const collection = ''

const hasDeletion = 1
const hasRevival = 2

function writeRow(writer: Writer, dictionary: Dictionary, row: Row): void {
  const last = lastOfRow(row)
  writeUint(
    writer,
    row.cells.size * 4 + (row.deletion === null ? 0 : hasDeletion) + (row.revival === null ? 0 : hasRevival),
  )
  writeMark(writer, dictionary, last, null)
  forEachInOrder(row.cells, (cell, name) => {
    assert(hasStrategy(name, cell.strategy), 'a cell has the strategy of its part')
    const own = lastOfCell(cell)
    writeUint(writer, numberOfField(dictionary, collection, name))
    writeMark(writer, dictionary, own, last)
    if (cell.strategy === 'lww') writeBytes(writer, cell.value)
    else writeCell(writer, dictionary, cell, own)
  })
  if (row.deletion !== null) {
    const { deletion } = row
    writeMark(writer, dictionary, deletion.mark, last)
    writeContent(writer, content => writeDeletionContent(content, dictionary, collection, deletion))
  }
  if (row.revival !== null) writeMark(writer, dictionary, row.revival, last)
}

function writeCell(writer: Writer, dictionary: Dictionary, cell: Cell, own: Mark | null): void {
  writeContent(writer, content => writeCellContent(content, dictionary, cell, own))
}

function readRow(reader: Reader, names: Names): Row {
  const head = readUint(reader)
  const last = readMark(reader, names, null)
  const parts: PartName[] = []
  const cells: Cell[] = []
  let before = ''
  for (let left = Math.floor(head / 4); left > 0; left--) {
    const name = readCellName(names, readUint(reader), collection)
    if (compareNames(before, name) >= 0) refuseMalformed('the fields of a row are not in order')
    before = name
    const own = readMark(reader, names, last)
    parts.push(name)
    cells.push(hasStrategy(name, 'lww') ? readLww(reader, own) : readCell(reader, names, name, own))
  }
  const deletion = (head & hasDeletion) === 0 ? null : readDeletion(reader, names, last)
  const revival = (head & hasRevival) === 0 ? null : expectMark(readMark(reader, names, last))
  return { cells: new ListedMap(shareParts(parts), cells), deletion, revival }
}

// Rows that are read one after the other are alike.
const shareParts = createSharing<PartName>()
const sharePlaced = createSharing<FeedPart>()

/** As `readCell`, without what most cells do not need. */
function readLww(reader: Reader, own: Mark | null): Cell {
  return {
    strategy: 'lww',
    last: expectMark(own),
    value: readBytes(reader, 'bytes of a value', diskBounds.valueBytes),
  }
}

function readCell(reader: Reader, names: Names, name: PartName, own: Mark | null): Cell {
  const length = readUint(reader)
  return readWithin(reader, length, within =>
    readCellContent(within, names, diskBounds, strategyOfPart(name), own),
  )
}

function readDeletion(reader: Reader, names: Names, last: Mark | null): Deletion {
  const mark = expectMark(readMark(reader, names, last))
  const length = readUint(reader)
  return readWithin(reader, length, within =>
    readDeletionContent(within, names, diskBounds, collection, mark),
  )
}

function writeContent(writer: Writer, write: (content: Writer) => void): void {
  const content = createWriter()
  write(content)
  writeBytes(writer, finishWriting(content))
}

/**
 * A part's position is said by how far it is behind the row's, one more so that 0 is none. Parts that the row lacks
 * can have one too: a body may come before its row.
 */
function writeHeldRow(writer: Writer, dictionary: Dictionary, held: HeldRow): void {
  const { row, position, positions, texts } = held
  writeRow(writer, dictionary, row)
  writeUint(writer, position)
  let ofRow = 0
  forEachInOrder(row.cells, (_, name) => {
    ofRow += writeBehind(writer, position, positions.get(name))
  })
  if (row.deletion !== null) ofRow += writeBehind(writer, position, positions.get('deletion'))
  if (row.revival !== null) ofRow += writeBehind(writer, position, positions.get('revival'))
  const others = ofRow === positions.size ? [] : positionsOfOthers(held)
  writeUint(writer, others.length)
  for (const [part, own] of others) {
    writeUint(writer, numberOfField(dictionary, collection, part))
    writeUint(writer, position - own)
  }
  writeUint(writer, texts.size)
  for (const [part, state] of sortedEntries(texts)) {
    writeUint(writer, numberOfField(dictionary, collection, part))
    writeUint(writer, state.bytes)
    writeStateVector(writer, state.stateVector)
  }
}

/** How many positions it said. */
function writeBehind(writer: Writer, position: number, own: number | undefined): 0 | 1 {
  writeUint(writer, own === undefined ? 0 : position - own + 1)
  return own === undefined ? 0 : 1
}

function positionsOfOthers({ row, positions }: HeldRow): readonly (readonly [FeedPart, number])[] {
  const parts = partsOfRow(row)
  return [...sortedEntries(positions)].filter(([part]) => !parts.includes(part))
}

function readHeldRow(reader: Reader, names: Names): HeldRow {
  const row = readRow(reader, names)
  const position = readUint(reader)
  const placed: FeedPart[] = []
  const places: number[] = []
  const place = (behind: number): number => {
    if (behind > position) refuseMalformed('a position is out of range')
    return position - behind
  }
  const placePart = (part: FeedPart): void => {
    const head = readUint(reader)
    if (head === 0) return
    placed.push(part)
    places.push(place(head - 1))
  }
  const parts = keysOf(row.cells)
  for (let i = 0; i < parts.length; i++) placePart(parts[i] as PartName)
  if (row.deletion !== null) placePart('deletion')
  if (row.revival !== null) placePart('revival')
  const positions = new ListedMap(sharePlaced(placed), places)
  for (let left = readCount(reader, 'positions', limits.partsPerFrameMax, 2); left > 0; left--) {
    const field = fieldAt(names, readUint(reader))
    if (field.part === '') return refuseMalformed('a field is missing')
    positions.set(field.part, place(readUint(reader)))
  }
  let left = readCount(reader, 'texts of a row', limits.partsPerFrameMax, 3)
  if (left === 0) return { row, position, positions, texts: noTexts }
  const texts = new Map<PartName, TextState>()
  for (; left > 0; left--) {
    const part = readCellName(names, readUint(reader), collection)
    const bytes = readUint(reader)
    texts.set(part, { bytes, stateVector: readStateVector(reader) })
  }
  return { row, position, positions, texts }
}

const noTexts: HeldRow['texts'] = new Map()

function partsOfRow(row: Row): readonly FeedPart[] {
  const parts: FeedPart[] = []
  for (const [name] of sortedEntries(row.cells)) parts.push(name)
  if (row.deletion !== null) parts.push('deletion')
  if (row.revival !== null) parts.push('revival')
  return parts
}
