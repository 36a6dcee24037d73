/** Bounds of what a write brings and of what it makes of a row (SPEC F4). */
import type { Cell } from '../cells/cell.ts'
import type { Deletion } from '../deletion.ts'
import { failure, type ErrorDetails, type Failure } from '../errors.ts'
import { limits } from '../limits.ts'
import { keysOf, valuesOf } from '../listed-map.ts'
import type { PartName, Row } from '../row.ts'
import { bytesOfValues, sizeOfCells, sizeOfDeletion } from '../size.ts'

/** F4: every value that is brought, those that a sibling names as its base included. */
export function limitOfValues(delta: Row): Failure | null {
  const cells = valuesOf(delta.cells)
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i] as Cell
    if (cell.strategy === 'lww' && cell.value.length <= limits.valueBytesMax) continue
    for (const { length } of bytesIn(cell))
      if (length > limits.valueBytesMax) return exceeded('bytes of a value', limits.valueBytesMax, length)
  }
  return null
}

function bytesIn(cell: Cell): readonly Uint8Array[] {
  switch (cell.strategy) {
    case 'lww':
      return [cell.value]
    case 'ask':
      return cell.siblings.flatMap(({ value, base }) => (base === null ? [value] : [value, base.value]))
    case 'set':
      return [...cell.elements.values()].map(({ value }) => value)
    case 'counter':
    case 'text':
      return []
  }
}

/**
 * F4: a join never throws anything away, so what would grow a row beyond its bounds is refused. A row that peers
 * have joined beyond them can still be written, since nothing else would bring it back within.
 */
export function limitOfGrowth(row: Row, before: Row | undefined, delta: Row): Failure | null {
  if (row.cells.size > Math.max(limits.fieldsPerRowMax, before?.cells.size ?? 0))
    return exceeded('fields of a row', limits.fieldsPerRowMax, row.cells.size)
  const names = keysOf(delta.cells)
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as PartName
    const cell = row.cells.get(name)
    if (cell === undefined || cell.strategy === 'lww') continue
    const held = before?.cells.get(name)
    const error = cell === held ? null : limitOfCell(cell, held)
    if (error !== null) return error
  }
  const excess = limitOfRow(row, before) ?? limitOfDeletion(row.deletion, before?.deletion)
  return excess === null ? null : failure('limit-exceeded', excess)
}

/** What many who delete have seen together is no more than what one of them can tell. */
function limitOfDeletion(
  deletion: Deletion | null,
  before: Deletion | null | undefined,
): ErrorDetails['limit-exceeded'] | null {
  const limit = limits.submitBytesMax
  if (deletion === null || deletion === before) return null
  const actual = sizeOfDeletion(deletion)
  if (actual <= limit || (before && actual <= sizeOfDeletion(before))) return null
  return { what: 'bytes of a deletion', limit, actual }
}

/**
 * F4: a row travels in one frame with its deletion, and what two relays have joined of theirs as well; and who has not
 * written it yet leaves a mark in it, so there is room for marks when there is none for values. Null if it is within, or grew no further.
 */
export function limitOfRow(row: Row, before: Row | undefined): ErrorDetails['limit-exceeded'] | null {
  const { rowValueBytesMax, rowBytesMax } = limits
  const bytes = sizeOfCells(row.cells)
  if (bytes <= rowValueBytesMax) return null
  const values = bytesOfValues(row.cells)
  if (values > rowValueBytesMax && (before === undefined || values > bytesOfValues(before.cells)))
    return { what: 'bytes of the values of a row', limit: rowValueBytesMax, actual: values }
  if (bytes > rowBytesMax && (before === undefined || bytes > sizeOfCells(before.cells)))
    return { what: 'bytes of a row', limit: rowBytesMax, actual: bytes }
  return null
}

function limitOfCell(cell: Cell, held: Cell | undefined): Failure | null {
  const grows = (sizeOf: (of: Cell) => number, limit: number): boolean =>
    sizeOf(cell) > Math.max(limit, held === undefined ? 0 : sizeOf(held))
  if (grows(siblingsOf, limits.siblingsMax))
    return failure('too-many-siblings', { limit: limits.siblingsMax })
  if (grows(elementsOf, limits.setElementsMax))
    return exceeded('elements of a set', limits.setElementsMax, elementsOf(cell))
  if (grows(writersOf, limits.contextWritersMax))
    return exceeded('writers of a cell', limits.contextWritersMax, writersOf(cell))
  return null
}

const siblingsOf = (cell: Cell): number => (cell.strategy === 'ask' ? cell.siblings.length : 0)

const elementsOf = (cell: Cell): number => (cell.strategy === 'set' ? cell.elements.size : 0)

function writersOf(cell: Cell): number {
  if (cell.strategy === 'lww') return 1
  return cell.strategy === 'counter' ? cell.entries.size : cell.context.size
}

export function exceeded(what: string, limit: number, actual: number): Failure {
  return failure('limit-exceeded', { what, limit, actual })
}
