/**
 * Shapes: which parts a row brings. Most rows of a batch have one of a few, so each is named once, and columns of
 * one part lie together. A shape of no parts names its collection in their place.
 */
import type { Strategy } from '../cells/cell.ts'
import { keysOf, ListedMap } from '../listed-map.ts'
import type { Mark } from '../mark.ts'
import { PackedCells } from '../packed-cells.ts'
import type { FeedPart } from '../relay-store.ts'
import {
  collectionOfKey,
  countParts,
  hasStrategy,
  type DocumentKey,
  type PartName,
  type Row,
} from '../row.ts'
import type { WrittenRow } from './batch.ts'
import type { Bounds } from './bounds.ts'
import { readColumn } from './columns.ts'
import { fieldAt, numberOfField, type Dictionary, type Names } from './dictionary.ts'
import { compareNames, isInOrder } from './order.ts'
import { readCount, readUint, type Reader } from './reader.ts'
import { refuseMalformed } from './refusal.ts'

export interface Shape {
  readonly collection: string
  readonly parts: readonly FeedPart[]
  readonly numbers: readonly number[]
}

/** A shape as it is read. */
export interface ShapeRead extends Shape {
  /** How many rows have it. */
  count: number
  /** Which of them do, by index; null if all do, as most often: then thousands are not listed. */
  rows: number[] | null
}

/** A shape as it is written. */
export interface WrittenShape extends Shape {
  /** The rows that have it, by index. */
  readonly rows: number[]
  /** Its rows, in their order. */
  readonly runs: Run[]
  /** Whether all that is packed, and revivals, bear the marks of their rows. */
  areKnown: boolean
}

/** Rows of a shape one after the other whose cells lie so in the same columns, or others. */
export interface Run {
  /** Which of the rows of the shape is the first. */
  readonly start: number
  count: number
  readonly cells: PackedCells | null
  /** Where in the columns the first one is. */
  readonly index: number
}

/** In the order in which they come first. */
export function shapesOf(dictionary: Dictionary, rows: readonly WrittenRow[]): readonly WrittenShape[] {
  const shapes = new Map<string, WrittenShape>()
  const first: WrittenShape[] = []
  let last: WrittenShape | undefined
  let before: Row | undefined
  for (let index = 0; index < rows.length; index++) {
    const { key, delta, mark } = rows[index] as WrittenRow
    // Most rows bring what the one before them brings, and nearly all what one of the first does.
    if (
      last === undefined ||
      !isOfCollection(key, last.collection) ||
      !isOfShape(delta, last.parts, before)
    ) {
      last = first.find(({ collection, parts }) => isOfCollection(key, collection) && isOfShape(delta, parts))
      last ??= shapeOfRow(dictionary, shapes, collectionOfKey(key), partsOf(delta))
      if (last.rows.length === 0 && first.length < firstShapes) first.push(last)
    }
    addRow(last, delta, mark)
    last.rows.push(index)
    before = delta
  }
  return [...shapes.values()]
}

function addRow(shape: WrittenShape, { cells, revival }: Row, mark: Mark | null): void {
  const packed = cells instanceof PackedCells ? cells : null
  const { runs } = shape
  const last = runs.at(-1)
  if (last !== undefined && goesOn(last, packed)) last.count += 1
  else runs.push({ start: shape.rows.length, count: 1, cells: packed, index: packed?.index ?? 0 })
  if ((revival !== null && revival !== mark) || (packed !== null && packed.only !== mark))
    shape.areKnown = false
}

function goesOn({ cells, index, count }: Run, next: PackedCells | null): boolean {
  if (cells === null || next === null) return cells === next
  return cells.open === next.open && index + count === next.index
}

/** So many are looked through, which takes less than to make a name to find one by. */
const firstShapes = 8

function shapeOfRow(
  dictionary: Dictionary,
  shapes: Map<string, WrittenShape>,
  collection: string,
  parts: readonly FeedPart[],
): WrittenShape {
  const numbers =
    parts.length === 0
      ? [numberOfField(dictionary, collection, '')]
      : parts.map(part => numberOfField(dictionary, collection, part))
  const name = numbers.join()
  let shape = shapes.get(name)
  if (shape === undefined)
    shapes.set(name, (shape = { collection, parts, numbers, rows: [], runs: [], areKnown: true }))
  return shape
}

function isOfCollection(key: DocumentKey, collection: string): boolean {
  return key.startsWith(collection) && key.charCodeAt(collection.length) === slash
}

const slash = 47

/** `like`: a row that is of that shape. */
function isOfShape(row: Row, parts: readonly FeedPart[], like?: Row): boolean {
  if (like !== undefined && isLike(row, like)) return true
  if (countParts(row) !== parts.length) return false
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] ?? 'deletion'
    const hasIt =
      part === 'deletion'
        ? row.deletion !== null
        : part === 'revival'
          ? row.revival !== null
          : row.cells.has(part)
    if (!hasIt) return false
  }
  return true
}

/** The shapes of so many rows. */
export function readShapes(reader: Reader, names: Names, bounds: Bounds, rows: number): readonly ShapeRead[] {
  const shapes: ShapeRead[] = []
  const count = readCount(reader, 'shapes', rows, 2)
  if (count === 0) refuseMalformed('there are rows of no shape')
  for (let i = 0; i < count; i++) {
    const numbers: number[] = []
    // A deletion and a revival come on top of the cells.
    for (let left = readCount(reader, 'fields of a row', bounds.cellsOfRow + 2, 1); left > 0; left--)
      numbers.push(readUint(reader))
    shapes.push({ ...shapeOf(names, numbers), count: rows, rows: null })
  }
  if (count > 1) partRows(shapes, readColumn(reader, rows))
  return shapes
}

/** Says which rows have which shape. */
function partRows(shapes: readonly ShapeRead[], shapeOfRow: readonly number[]): void {
  const rowsOf = shapes.map((): number[] => [])
  for (let i = 0; i < shapeOfRow.length; i++)
    (rowsOf[shapeOfRow[i] as number] ?? refuseMalformed('a shape was not defined')).push(i)
  shapes.forEach((shape, i) => {
    shape.rows = rowsOf[i] ?? []
    shape.count = shape.rows.length
  })
}

function shapeOf(names: Names, numbers: readonly number[]): Shape {
  const { collection, part: first } = fieldAt(names, numbers[0] ?? refuseMalformed('a shape names nothing'))
  const parts: FeedPart[] = []
  let before = ''
  for (const number of numbers) {
    const field = fieldAt(names, number)
    if (field.collection !== collection) refuseMalformed('a row has parts of two collections')
    if (field.part === '') break
    if (compareNames(before, field.part) >= 0) refuseMalformed('the parts of a row are not in order')
    before = field.part
    parts.push(field.part)
  }
  if (parts.length !== (first === '' ? 0 : numbers.length) || (first === '' && numbers.length > 1))
    refuseMalformed('a row of no parts has some')
  return { collection, parts, numbers }
}

/** Whether it shows without a look at each part. */
function isLike({ cells, deletion, revival }: Row, like: Row): boolean {
  return (
    (deletion === null) === (like.deletion === null) &&
    (revival === null) === (like.revival === null) &&
    (cells instanceof PackedCells
      ? like.cells instanceof PackedCells && cells.open === like.cells.open
      : cells instanceof ListedMap && like.cells instanceof ListedMap && cells.names === like.cells.names)
  )
}

/** How many parts of one strategy the rows of all shapes have together. */
export function countOfStrategy(shapes: readonly WrittenShape[], strategy: Strategy): number {
  let count = 0
  for (const { parts, rows } of shapes)
    count += rows.length * parts.filter(part => hasStrategy(part as PartName, strategy)).length
  return count
}

/** The parts of a row by name, deletion and revival among them. */
export function partsOf(row: Row): readonly FeedPart[] {
  const parts: FeedPart[] = [...keysOf(row.cells)]
  if (row.deletion !== null) parts.push('deletion')
  if (row.revival !== null) parts.push('revival')
  return isInOrder(parts) ? parts : parts.sort(compareNames)
}
