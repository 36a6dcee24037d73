/**
 * Writes: a batch, and beside it whether each stands by itself, what it brings of texts, and of each `lww` cell the
 * mark that it replaced, again as columns, since a burst replaces marks that are alike.
 */
import { assert } from '../errors.ts'
import { keysOf, ListedMap, listOf, pick } from '../listed-map.ts'
import type { Mark } from '../mark.ts'
import { askedOfColumns } from '../packed-cells.ts'
import { collectionOfKey, hasStrategy, type DocumentKey, type PartName, type Row } from '../row.ts'
import { noTexts, nothingReplaced, type TextUpdates, type Write } from '../write.ts'
import { readBatch, writeBatch, type BatchColumns } from './batch.ts'
import type { Bounds } from './bounds.ts'
import { readColumn, readUniform, writeColumnOf, writeUniform } from './columns.ts'
import type { Dictionary, Names } from './dictionary.ts'
import {
  readMarks,
  readNoMarks,
  readOnlyMark,
  writeMarks,
  writeNoMarks,
  writeOnlyMark,
} from './mark-columns.ts'
import { expectMark } from './marks.ts'
import { compareNames, isInOrder } from './order.ts'
import type { Reader } from './reader.ts'
import { refuseMalformed } from './refusal.ts'
import { countOfStrategy, type WrittenShape } from './shapes.ts'
import { readTextUpdates, writeTextUpdates } from './text-updates.ts'
import type { Writer } from './writer.ts'

const isWhole = 1
const hasTexts = 2

/** Whether there is nothing to say of a write beside its batch and what it replaced. */
export function isPlain({ whole, texts }: Write): boolean {
  return !whole && texts.size === 0
}

/** `arePlain`: all of them, as the reader is told; `isStored`, and what it gives back, as of `writeBatch`. */
export function writeWrites(
  writer: Writer,
  dictionary: Dictionary,
  writes: readonly Write[],
  { arePlain = false, isStored = false }: { readonly arePlain?: boolean; readonly isStored?: boolean },
): readonly WrittenShape[] | null {
  const shapes = writeBatch(writer, dictionary, writes, isStored)
  // As they are made by the thousands: all that is to be said of them is one look at each.
  if (!arePlain && writes.every(isInsert)) {
    writeUniform(writer, isWhole, writes.length)
    writeNoMarks(writer, countReplaceableIn(writes, shapes))
    return shapes
  }
  if (!arePlain) {
    writeColumnOf(writer, writes.length, i => flagsOf(writes[i]))
    for (const { key, delta, texts } of writes)
      if (texts.size > 0) writeTextUpdates(writer, dictionary, collectionOfKey(key), delta, texts)
  }
  writeReplaced(writer, dictionary, writes, shapes)
  return shapes
}

function isInsert({ whole, texts, replaced }: Write): boolean {
  return whole && texts.size === 0 && replaced.size === 0
}

function flagsOf(write: Write | undefined): number {
  return (write?.whole === true ? isWhole : 0) + ((write?.texts.size ?? 0) > 0 ? hasTexts : 0)
}

/** Writes, and the first row, if all bring the same parts. */
export interface WritesRead {
  readonly writes: readonly Write[]
  readonly alike: Row | null
}

/** In one loop over what came in columns: thousands are read where nothing has run often enough to be fast. */
export function readWrites(
  reader: Reader,
  names: Names,
  bounds: Bounds,
  arePlain: boolean = false,
): WritesRead {
  const batch = readBatch(reader, names, bounds)
  const { keys, rows, marks, alike } = batch
  const { length } = keys
  // As of all inserts, and of all that is plain.
  const uniform = arePlain ? 0 : readUniform(reader, length)
  const flags = uniform === null || uniform >= hasTexts ? flagsOfWrites(reader, length, uniform) : null
  const texts = flags === null ? null : readTexts(reader, names, batch, flags)
  const replaced = readReplaced(reader, names, batch)
  const writes = listOf<Write>(length)
  for (let i = 0; i < length; i++)
    writes[i] = {
      mark: marks[i] ?? expectMark(null),
      key: keys[i] as DocumentKey,
      delta: rows[i] as Row,
      texts: texts?.[i] ?? noTexts,
      replaced: replaced?.[i] ?? nothingReplaced,
      whole: ((flags === null ? uniform : flags[i]) ?? 0) % 2 === isWhole,
    }
  return { writes, alike }
}

/** `uniform`: of all, or null if they are to be read. */
function flagsOfWrites(reader: Reader, count: number, uniform: number | null): readonly number[] {
  return uniform === null ? readColumn(reader, count) : Array.from({ length: count }, () => uniform)
}

/** What each brings of texts, of those that say so. */
function readTexts(
  reader: Reader,
  names: Names,
  { keys, rows }: BatchColumns,
  flags: readonly number[],
): readonly (TextUpdates | undefined)[] {
  const texts: TextUpdates[] = []
  for (let i = 0; i < flags.length; i++) {
    const flag = flags[i] ?? 0
    if (flag > isWhole + hasTexts) refuseMalformed('a write has unknown flags')
    if (flag < hasTexts) continue
    texts[i] = readTextUpdates(reader, names, collectionOfKey(keys[i] as DocumentKey), rows[i] as Row)
  }
  return texts
}

function writeReplaced(
  writer: Writer,
  dictionary: Dictionary,
  writes: readonly Write[],
  shapes: readonly WrittenShape[] | null,
): void {
  const [only] = writes
  if (only !== undefined && writes.length === 1 && only.delta.cells.size === 1 && only.replaced.size === 1)
    return writeOnlyReplaced(writer, dictionary, only)
  if (writes.every(({ replaced }) => replaced.size === 0))
    return writeNoMarks(writer, countReplaceableIn(writes, shapes))
  const marks: (Mark | null)[] = []
  const known: Mark[] = []
  for (const { delta, mark, replaced } of writes) {
    let named = 0
    for (const name of replaceableParts(delta.cells)) {
      const before = replaced.get(name) ?? null
      if (before !== null) named++
      marks.push(before)
      known.push(mark)
    }
    assert(named === replaced.size, 'what a write replaced is of lww cells that it brings')
  }
  writeMarks(writer, dictionary, marks, known)
}

/** Of what brings one part and replaces it, as nearly every live change does. */
function writeOnlyReplaced(writer: Writer, dictionary: Dictionary, { delta, mark, replaced }: Write): void {
  const [name] = keysOf(delta.cells)
  const before = name === undefined || !isLww(name) ? undefined : replaced.get(name)
  assert(before !== undefined, 'what a write replaced is of lww cells that it brings')
  writeOnlyMark(writer, dictionary, before, mark)
}

type Replaced = ReadonlyMap<PartName, Mark>

/** Of each write; null if none replaced anything, as of all inserts. */
function readReplaced(reader: Reader, names: Names, batch: BatchColumns): readonly Replaced[] | null {
  const { rows, marks, alike } = batch
  if (alike !== null) {
    if (rows.length === 1 && alike.cells.size === 1)
      return [readOnlyReplaced(reader, names, alike, marks[0] ?? null)]
    const parts = replaceableParts(alike.cells)
    return readReplacedIn(reader, names, batch, parts.length * rows.length, () => parts)
  }
  const partsIn = askedOfColumns(replaceableParts)
  let count = 0
  for (let i = 0; i < rows.length; i++) count += partsIn((rows[i] as Row).cells).length
  return readReplacedIn(reader, names, batch, count, partsIn)
}

/** `count`: of all parts together. */
function readReplacedIn(
  reader: Reader,
  names: Names,
  { rows, marks }: BatchColumns,
  count: number,
  partsIn: (cells: Row['cells']) => readonly PartName[],
): readonly Replaced[] | null {
  if (readNoMarks(reader, count)) return null
  const known: (Mark | null)[] = []
  for (let i = 0; i < rows.length; i++)
    for (let left = partsIn((rows[i] as Row).cells).length; left > 0; left--) known.push(marks[i] ?? null)
  const before = readMarks(reader, names, count, known)
  const replaced: Replaced[] = []
  let at = 0
  for (let i = 0; i < rows.length; i++) {
    const parts = partsIn((rows[i] as Row).cells)
    const from = at
    at += parts.length
    replaced.push(replacedBy(parts, parts.length === 1 ? [before[from] ?? null] : before.slice(from, at)))
  }
  return replaced
}

function countReplaceableIn(writes: readonly Write[], shapes: readonly WrittenShape[] | null): number {
  if (shapes !== null) return countOfStrategy(shapes, 'lww')
  return writes.reduce((count, { delta }) => count + countReplaceable(delta.cells), 0)
}

function countReplaceable(cells: Row['cells']): number {
  let count = 0
  const names = keysOf(cells)
  for (let i = 0; i < names.length; i++) if (hasStrategy(names[i] as PartName, 'lww')) count += 1
  return count
}

function readOnlyReplaced(reader: Reader, names: Names, { cells }: Row, mark: Mark | null): Replaced {
  const parts = keysOf(cells)
  if (!parts.every(isLww)) return nothingReplaced
  return replacedBy(parts, [readOnlyMark(reader, names, mark)])
}

/** Of each part the mark that was replaced there, if any was. */
function replacedBy(parts: readonly PartName[], marks: (Mark | null)[]): Replaced {
  if (!marks.includes(null))
    return parts.length === 0 ? nothingReplaced : new ListedMap(parts, marks as Mark[])
  const replaced = pick(new ListedMap(parts, marks as Mark[]), (_, mark) => mark !== null)
  return replaced.size === 0 ? nothingReplaced : replaced
}

function isLww(name: PartName): boolean {
  return hasStrategy(name, 'lww')
}

/** The `lww` cells of a row in the order of their names. */
function replaceableParts(cells: Row['cells']): readonly PartName[] {
  const names = keysOf(cells)
  const parts = names.every(isLww) ? names : names.filter(isLww)
  return isInOrder(parts) ? parts : parts.toSorted(compareNames)
}
