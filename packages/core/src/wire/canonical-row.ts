/**
 * The canonical bytes of a row: what its digest is of. Equal rows give equal bytes on every replica, whatever the
 * order in which things came; the bases of siblings are left out, as they are for people and not for the join.
 * Apart from the wire on purpose, so that the wire can change and digests need not. Stated in docs/encoding.md.
 */
import type { Cell } from '../cells/cell.ts'
import type { Context } from '../context.ts'
import { deletePolicies, type Deletion } from '../deletion.ts'
import type { Mark } from '../mark.ts'
import { PackedCells } from '../packed-cells.ts'
import type { Row } from '../row.ts'
import { bytesOfId } from './ids.ts'
import { forEachInOrder, sortedEntries } from './order.ts'
import {
  createWriter,
  writeByte,
  writeBytes,
  writeDouble,
  writeOptionalBytes,
  writeRange,
  writeRaw,
  writeString,
  writeUint,
  finishWriting,
  type Writer,
} from './writer.ts'

export function encodeCanonicalRow(row: Row): Uint8Array {
  return finishWriting(writeCanonicalRow(row))
}

export function writeCanonicalRow(row: Row): Writer {
  const writer = createWriter()
  writeUint(writer, row.cells.size)
  if (row.cells instanceof PackedCells) {
    writePacked(writer, row.cells)
  } else {
    forEachInOrder(row.cells, (cell, name) => {
      writeString(writer, name)
      writeCell(writer, cell)
    })
  }
  writeByte(writer, row.deletion === null ? 0 : 1)
  if (row.deletion !== null) writeDeletion(writer, row.deletion)
  writeOptionalMark(writer, row.revival)
  return writer
}

/** Cells as they lie, which is in the order of their names. */
function writePacked(writer: Writer, cells: PackedCells): void {
  for (const column of cells.columns.byPart.values()) {
    writeRaw(writer, column.name)
    const last = cells.markIn(column)
    if (column.cells !== null || last === null) {
      writeCell(writer, cells.cellIn(column))
      continue
    }
    writeMark(writer, last)
    const from = column.starts[cells.index] ?? 0
    const to = column.starts[cells.index + 1] ?? 0
    writeUint(writer, to - from)
    writeRange(writer, column.bytes, from, to)
  }
}

function writeCell(writer: Writer, cell: Cell): void {
  switch (cell.strategy) {
    case 'lww':
      writeMark(writer, cell.last)
      return writeBytes(writer, cell.value)
    case 'ask':
      writeContext(writer, cell.context)
      writeUint(writer, cell.siblings.length)
      for (const sibling of cell.siblings) {
        writeMark(writer, sibling.mark)
        writeBytes(writer, sibling.value)
        writeOptionalBytes(writer, sibling.answers)
      }
      return
    case 'set':
      writeContext(writer, cell.context)
      writeUint(writer, cell.elements.size)
      // Their keys order as their values do.
      for (const [, element] of sortedEntries(cell.elements)) {
        writeBytes(writer, element.value)
        writeOptionalMark(writer, element.added)
        writeOptionalMark(writer, element.removed)
      }
      return
    case 'counter':
      writeUint(writer, cell.entries.size)
      for (const [, { mark, total }] of sortedEntries(cell.entries)) {
        writeMark(writer, mark)
        // Adding 0 makes 0 of -0, which joins take for the same total.
        writeDouble(writer, total + 0)
      }
      return
    case 'text':
      return writeContext(writer, cell.context)
  }
}

function writeDeletion(writer: Writer, deletion: Deletion): void {
  writeMark(writer, deletion.mark)
  writeByte(writer, deletePolicies.indexOf(deletion.policy))
  writeUint(writer, deletion.seen.size)
  for (const [name, seen] of sortedEntries(deletion.seen)) {
    writeString(writer, name)
    if (seen.kind === 'everything') {
      writeByte(writer, 0)
    } else if (seen.kind === 'last') {
      writeByte(writer, 1)
      writeMark(writer, seen.mark)
    } else {
      writeByte(writer, 2)
      writeContext(writer, seen.context)
    }
  }
}

function writeContext(writer: Writer, context: Context): void {
  writeUint(writer, context.size)
  for (const [, mark] of sortedEntries(context)) writeMark(writer, mark)
}

function writeOptionalMark(writer: Writer, mark: Mark | null): void {
  writeByte(writer, mark === null ? 0 : 1)
  if (mark !== null) writeMark(writer, mark)
}

function writeMark(writer: Writer, mark: Mark): void {
  if (mark !== latestMark) {
    const at = putUint(latestBytes, putUint(latestBytes, 0, mark.ms), mark.tick)
    latestBytes.set(bytesOfId(mark.writer), at)
    latestLength = at + 8
    latestMark = mark
  }
  writeRange(writer, latestBytes, 0, latestLength)
}

/** As `writeUint` writes it. Returns where it ends. */
function putUint(bytes: Uint8Array, from: number, value: number): number {
  let at = from
  for (; value > 127; value = Math.floor(value / 128)) bytes[at++] = 128 + (value % 128)
  bytes[at++] = value
  return at
}

// Nearly all parts of a row bear one mark.
let latestMark: Mark | null = null
let latestLength = 0
const latestBytes: Uint8Array = new Uint8Array(24)
