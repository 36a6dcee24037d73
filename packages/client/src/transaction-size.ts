/**
 * What a transaction will weigh on the wire, from above: each mark, name and length at its longest. So what is let
 * through here is never refused there for its size (SPEC F4).
 */
import type { Cell, Context, Deletion, Write } from '@rejoin/core'

/** A number of a writer in the dictionary, milliseconds and a tick. */
const markBytes = 14
const lengthBytes = 5

/** Bytes of a write in a transaction that has named what is in `named`; names are sent once. */
export function estimateWrite(write: Write, named: ReadonlySet<string>): number {
  const { delta } = write
  // Three bytes are the most that UTF-8 needs for one unit of a string; ids are nearly always ASCII and short.
  let bytes = 3 * write.key.length + 2 * markBytes + lengthBytes
  for (const [part, cell] of delta.cells) {
    bytes += lengthBytes + markBytes + bytesOfCell(cell)
    if (!named.has(part)) bytes += 3 * part.length
  }
  if (delta.deletion !== null) bytes += bytesOfDeletion(delta.deletion)
  if (delta.revival !== null) bytes += markBytes
  for (const updates of write.texts.values()) {
    for (const update of updates) bytes += update.length + lengthBytes
  }
  return bytes
}

function bytesOfCell(cell: Cell): number {
  switch (cell.strategy) {
    case 'lww':
      return markBytes + cell.value.length + lengthBytes
    case 'ask': {
      let bytes = bytesOfContext(cell.context)
      for (const { value, base, answers } of cell.siblings) {
        bytes += markBytes + value.length + (answers?.length ?? 0) + 3 * lengthBytes
        if (base !== null) bytes += markBytes + base.value.length
      }
      return bytes
    }
    case 'set': {
      let bytes = bytesOfContext(cell.context)
      for (const { value } of cell.elements.values()) bytes += 2 * markBytes + value.length + lengthBytes
      return bytes
    }
    case 'counter':
      return cell.entries.size * (markBytes + 9)
    case 'text':
      return bytesOfContext(cell.context)
  }
}

function bytesOfContext(context: Context): number {
  return lengthBytes + context.size * markBytes
}

function bytesOfDeletion({ seen }: Deletion): number {
  let bytes = markBytes + lengthBytes
  for (const [part, what] of seen) {
    bytes += part.length + lengthBytes + (what.kind === 'context' ? bytesOfContext(what.context) : markBytes)
  }
  return bytes
}
