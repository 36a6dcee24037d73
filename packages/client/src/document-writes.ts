/**
 * From what an application says to what travels: each function makes one write of one document, or none, over the
 * row that its writer sees (SPEC W3-W5). All that can be wrong throws here, before anything is changed.
 */
import {
  createRowPacker,
  emptyRow,
  joinRows,
  keysOf,
  lastOfLww,
  limitOfRow,
  limits,
  ListedMap,
  nothingReplaced,
  noTexts,
  RejoinError,
  rowExists,
  seenOfCell,
  sizeOfCells,
  yjsClientOf,
  type Cell,
  type Deletion,
  type DeletePolicy,
  type DocumentKey,
  type FieldWrite,
  type Mark,
  type PackedValue,
  type PartName,
  type Row,
  type RowPacker,
  type Seen,
  type TextUpdates,
  type Write,
} from '@rejoin/core'
import type { Collection, DeclaredPart } from './collection.ts'
import { errorInField, unsupported } from './field-errors.ts'

/** What a write is made over. */
export interface WriteSite {
  readonly collection: Collection
  readonly key: DocumentKey
  readonly seen: Row | undefined
  readonly mark: Mark
}

/** What an insert writes at once, and the texts that it can only write once their old bodies are loaded. */
export interface InsertWrites {
  readonly write: Write
  readonly textsToReplace: ReadonlyMap<PartName, string> | null
}

/** `packer`: of the collection's new documents, if there can be one. */
export function writeInsert(
  site: WriteSite,
  input: Readonly<Record<string, unknown>>,
  packer: RowPacker | null = null,
): InsertWrites {
  const { collection, key, seen, mark } = site
  checkNames(collection, input)
  if (packer !== null && seen === undefined) {
    const packed = packInsert(collection, input, mark, packer)
    if (packed !== null) return { write: newDocument(mark, key, packed, noTexts), textsToReplace: null }
  }
  const { partsInOrder } = collection
  const cells = new Map<PartName, Cell>()
  let texts: Map<PartName, readonly Uint8Array[]> | null = null
  let textsToReplace: Map<PartName, string> | null = null
  const fresh: FieldWrite = { mark, seen: undefined }
  // By number and without a function for each field: thousands are inserted in a loop, and each leaves little behind.
  for (let i = 0; i < partsInOrder.length; i++) {
    const declared = partsInOrder[i]
    if (declared === undefined) continue
    const { name, part, field } = declared
    const seenCell = seen?.cells.get(part)
    const cell = insertField(
      collection,
      declared,
      input,
      seenCell === undefined ? fresh : { mark, seen: seenCell },
    )
    if (field.text === undefined) {
      if (cell !== null) cells.set(part, cell)
      continue
    }
    const initial = String(input[name] ?? '')
    if (seenCell !== undefined) {
      textsToReplace ??= new Map()
      textsToReplace.set(part, initial)
      continue
    }
    const update = field.text.create(initial, yjsClientOf(mark.writer))
    if (update === null) continue
    cells.set(part, textCell(mark))
    texts ??= new Map()
    texts.set(part, [update])
  }
  const write = newDocument(mark, key, cells, texts ?? noTexts)
  checkGrowth(collection, seen, write.delta)
  if (seen === undefined) return { write, textsToReplace }
  return { write: { ...write, replaced: replacedOf(seen, write.delta) }, textsToReplace }
}

function newDocument(mark: Mark, key: DocumentKey, cells: Row['cells'], texts: TextUpdates): Write {
  const delta: Row = { cells, deletion: null, revival: mark }
  return { mark, key, delta, texts, replaced: nothingReplaced, whole: true }
}

/** Packs the new documents of a collection whose fields can be. */
export function createPackerOf({ partsInOrder }: Collection): RowPacker | null {
  if (partsInOrder.length === 0) return null
  if (partsInOrder.some(({ field }) => field.strategy !== 'lww' || field.insertPacked === undefined))
    return null
  return createRowPacker(partsInOrder.map(({ part }) => part))
}

/** The cells of a document that has a value in each field and is small, or null. */
function packInsert(
  collection: Collection,
  input: Readonly<Record<string, unknown>>,
  mark: Mark,
  packer: RowPacker,
): Row['cells'] | null {
  const { partsInOrder } = collection
  const values = Array<PackedValue>(partsInOrder.length).fill(0)
  let at = ''
  try {
    for (let i = 0; i < partsInOrder.length; i++) {
      const declared = partsInOrder[i]
      if (declared === undefined) continue
      at = declared.name
      const value = declared.field.insertPacked?.(input[at] as never) ?? null
      if (value === null) return null
      values[i] = value
    }
  } catch (error) {
    throw errorInField(error, collection, at)
  }
  return packer.pack(values, mark)
}

/** The input is the field's by the collection's type, which does not reach into its record of fields. */
function insertField(
  collection: Collection,
  { name, field }: DeclaredPart,
  input: Readonly<Record<string, unknown>>,
  write: FieldWrite,
): Cell | null {
  try {
    return field.insert(input[name] as never, write)
  } catch (error) {
    throw errorInField(error, collection, name)
  }
}

/** Null if the patch changes nothing. */
export function writeUpdate(site: WriteSite, patch: Readonly<Record<string, unknown>>): Write | null {
  const { collection, seen, mark } = site
  checkNames(collection, patch)
  const { partsInOrder } = collection
  const names: PartName[] = []
  const list: Cell[] = []
  let isLarger = false
  let at = ''
  try {
    for (let i = 0; i < partsInOrder.length; i++) {
      const declared = partsInOrder[i]
      const value = declared === undefined ? undefined : patch[declared.name]
      if (declared === undefined || value === undefined) continue
      at = declared.name
      const before = seen?.cells.get(declared.part)
      const cell = declared.field.update(value as never, { mark, seen: before })
      if (cell === null) continue
      names.push(declared.part)
      list.push(cell)
      isLarger ||= !takesNoMore(cell, before)
    }
  } catch (error) {
    throw errorInField(error, collection, at)
  }
  if (list.length === 0) return null
  const delta: Row = { cells: new ListedMap(names, list), deletion: null, revival: null }
  return isLarger ? growing(site, delta) : writeOf(site, delta)
}

/** Of what replaces as much the rest of the row need not be measured. */
function takesNoMore(cell: Cell, before: Cell | undefined): boolean {
  return cell.strategy === 'lww' && before?.strategy === 'lww' && cell.value.length <= before.value.length
}

export function writeDeletion(site: WriteSite, policy: DeletePolicy): Write {
  const { collection, seen: row, mark } = site
  const seen = new Map<PartName, Seen>()
  for (const [part, cell] of row?.cells ?? []) seen.set(part, seenOfCell(cell))
  for (const { part, field } of collection.parts) if (field.passive) seen.set(part, { kind: 'everything' })
  const deletion: Deletion = { mark, policy, seen }
  return writeOf(site, { cells: new Map(), deletion, revival: null })
}

export function writeRevival(site: WriteSite): Write {
  return writeOf(site, { cells: new Map(), deletion: null, revival: site.mark })
}

/** A cell that somebody else made: a resolution, or what a quarantined write holds. */
export function writeCells(site: WriteSite, cells: ReadonlyMap<PartName, Cell>): Write {
  return growing(site, { cells, deletion: null, revival: null })
}

/** What was typed stands in the document, whatever a relay will say of it. */
export function writeText(site: WriteSite, part: PartName, updates: readonly Uint8Array[]): Write {
  const cells = new Map([[part, textCell(site.mark)]])
  const write = writeOf(site, { cells, deletion: null, revival: null })
  return { ...write, texts: new Map([[part, updates]]) }
}

/** Whether there is something to bring back: a row that readers do not see. */
export function isDeleted(row: Row | undefined): boolean {
  return row !== undefined && row.deletion !== null && !rowExists(row)
}

function growing(site: WriteSite, delta: Row): Write {
  checkGrowth(site.collection, site.seen, delta)
  return writeOf(site, delta)
}

function writeOf({ key, mark, seen }: WriteSite, delta: Row): Write {
  return {
    mark,
    key,
    delta,
    texts: noTexts,
    replaced: seen === undefined ? nothingReplaced : replacedOf(seen, delta),
    whole: false,
  }
}

/** F4: no relay would take it. Most rows are so far from their bounds that nothing is joined to find out. */
function checkGrowth({ name }: Collection, seen: Row | undefined, delta: Row): void {
  const had = seen === undefined ? 0 : sizeOfCells(seen.cells)
  if (had + sizeOfCells(delta.cells) <= limits.rowValueBytesMax) return
  const excess = limitOfRow(joinRows(seen ?? emptyRow, delta), seen)
  if (excess === null) return
  const { what, limit, actual } = excess
  throw new RejoinError('limit-exceeded', excess, `${what} of ${name}: ${actual}, at most ${limit}`)
}

function replacedOf(seen: Row, delta: Row): Write['replaced'] {
  let replaced: ListedMap<PartName, Mark> | null = null
  const parts = keysOf(delta.cells)
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] as PartName
    const last = lastOfLww(seen.cells, part)
    if (last === null) continue
    replaced ??= new ListedMap<PartName, Mark>([], [])
    replaced.set(part, last)
  }
  return replaced ?? nothingReplaced
}

/** The body's part of it is beside the row; the cell says that this writer typed (SPEC X3). */
function textCell(mark: Mark): Cell {
  return { strategy: 'text', context: new Map([[mark.writer, mark]]) }
}

function checkNames(collection: Collection, input: Readonly<Record<string, unknown>>): void {
  // A list, a Map or a promise has no fields either: nothing of it would be written, and nobody told.
  if (Object.prototype.toString.call(input) !== '[object Object]')
    throw unsupported(collection.name, 'what is written is an object of its fields')
  // No list of the names is made of what is inserted by the thousands.
  for (const name in input) {
    if (Object.hasOwn(input, name) && !Object.hasOwn(collection.fields, name))
      throw unsupported(name, `the collection ${collection.name} has no field ${name}`)
  }
}
