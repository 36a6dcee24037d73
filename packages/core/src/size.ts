/** About how many bytes things take on the wire, so that frames and submits stay within their bounds (SPEC F4). */
import type { Cell } from './cells/cell.ts'
import type { Deletion } from './deletion.ts'
import type { ChangedRow, WriterRecord } from './frames.ts'
import { keysOf, valuesOf } from './listed-map.ts'
import { PackedCells } from './packed-cells.ts'
import type { DocumentKey, PartName, Row } from './row.ts'
import { lengthOfUtf8 } from './wire/writer.ts'
import { noTexts, type TextUpdates, type Transaction, type Write } from './write.ts'

const partBytes = 24
const markBytes = 16
const headBytes = 64
/** Of a name so many bytes are in what its part takes; of so few characters, in any script, all of them, more or less. */
const nameBytes = 16
const nameCharacters = 16
/** Of keys of so few characters it does not matter in which script they are. */
const keyCharacters = 32

/** What a long name takes beside its part: rows may bring a name each. */
function sizeOfName(name: PartName): number {
  return name.length > nameCharacters ? Math.max(0, lengthOfUtf8(name, 0) - nameBytes) : 0
}

function sizeOfKey(key: DocumentKey): number {
  return key.length > keyCharacters ? lengthOfUtf8(key, 0) : key.length
}

function sizeOfRow(row: Row): number {
  return sizeBesideCells(row) + sizeOfCells(row.cells)
}

function sizeBesideCells({ deletion, revival }: Row): number {
  return (deletion === null ? 0 : sizeOfDeletion(deletion)) + (revival === null ? 0 : markBytes)
}

export function sizeOfDeletion({ seen }: Deletion): number {
  let bytes = partBytes
  for (const [name, one] of seen) {
    bytes += partBytes + sizeOfName(name)
    if (one.kind === 'context') bytes += one.context.size * markBytes
  }
  return bytes
}

/** Of the cells of a row, whose deletion can always be told beside them. */
export function sizeOfCells(cells: Row['cells']): number {
  if (cells instanceof PackedCells) return sizeOfPacked(cells, 1)
  const bytes = sizeOfParts(keysOf(cells))
  let ofValues = 0
  const all = valuesOf(cells)
  for (let i = 0; i < all.length; i++) ofValues += sizeOfCell(all[i] as Cell)
  return bytes + ofValues
}

/** What cells take beside their values. */
export function sizeOfParts(names: readonly PartName[]): number {
  let bytes = names.length * partBytes
  for (let i = 0; i < names.length; i++) bytes += sizeOfName(names[i] as PartName)
  return bytes
}

/** The cells of so many rows that lie together, of the first one and those behind it. */
function sizeOfPacked({ columns, index }: PackedCells, count: number): number {
  let bytes = count * sizeOfParts(columns.names)
  columns.byPart.forEach(({ cells, starts }) => {
    if (cells === null) bytes += (starts[index + count] ?? 0) - (starts[index] ?? 0)
    else for (let i = index; i < index + count; i++) bytes += sizeOfCell(cells[i] as Cell)
  })
  return bytes
}

function sizeOfCell(cell: Cell): number {
  switch (cell.strategy) {
    case 'lww':
      return cell.value.length
    case 'ask': {
      let bytes = cell.context.size * markBytes
      for (const { value, base } of cell.siblings)
        bytes += value.length + (base?.value.length ?? 0) + 2 * markBytes
      return bytes
    }
    case 'set': {
      let bytes = cell.context.size * markBytes
      for (const { value } of cell.elements.values()) bytes += value.length + 2 * markBytes
      return bytes
    }
    case 'counter':
      return cell.entries.size * (markBytes + 8)
    case 'text':
      return cell.context.size * markBytes
  }
}

/** Of its values alone, those that siblings name as their bases included. */
export function bytesOfValues(cells: Row['cells']): number {
  let bytes = 0
  cells.forEach(cell => {
    if (cell.strategy === 'lww') bytes += cell.value.length
    else if (cell.strategy === 'ask')
      for (const { value, base } of cell.siblings) bytes += value.length + (base?.value.length ?? 0)
    else if (cell.strategy === 'set') for (const { value } of cell.elements.values()) bytes += value.length
  })
  return bytes
}

export function sizeOfTexts(texts: TextUpdates): number {
  if (texts.size === 0) return 0
  let bytes = 0
  for (const updates of texts.values()) for (const update of updates) bytes += update.length + 4
  return bytes
}

export function sizeOfChanged({ key, delta, texts }: ChangedRow): number {
  let bytes = sizeOfKey(key) + sizeOfRow(delta)
  for (const text of texts.values()) {
    if (text.kind === 'head') bytes += headBytes
    else for (const update of text.updates) bytes += update.length + 4
  }
  return bytes
}

export function sizeOfWriters(writers: readonly WriterRecord[]): number {
  let bytes = 0
  for (const { user, device } of writers) bytes += user.length + device.length + partBytes
  return bytes
}

export function sizeOfWrite(write: Write): number {
  return sizeBesideRow(write) + sizeOfRow(write.delta)
}

function sizeBesideRow({ key, texts }: Write): number {
  return sizeOfKey(key) + partBytes + sizeOfTexts(texts)
}

/** The same or more, without encoding what waits for that (row-packer.ts). */
export function sizeOfWriteAtMost(write: Write): number {
  const { delta } = write
  const { cells } = delta
  const waiting = cells instanceof PackedCells ? (cells.open.waiting?.sizeAtMost(cells.index) ?? null) : null
  if (waiting === null) return sizeOfWrite(write)
  return sizeBesideRow(write) + sizeBesideCells(delta) + waiting
}

export function sizeOfTransaction({ writes }: Pick<Transaction, 'writes'>): number {
  return sizeOfWrites(writes, 0)
}

/** Of those from a place on. What lies together is measured together: thousands are, of a transaction that is large. */
export function sizeOfWrites(writes: readonly Write[], from: number): number {
  let bytes = 0
  let first: PackedCells | null = null
  let count = 0
  for (let i = from; i < writes.length; i++) {
    const write = writes[i] as Write
    const { cells } = write.delta
    bytes += sizeBesideRow(write) + sizeBesideCells(write.delta)
    if (!(cells instanceof PackedCells)) bytes += sizeOfCells(cells)
    else if (first !== null && cells.open === first.open && cells.index === first.index + count) count += 1
    else {
      if (first !== null) bytes += sizeOfPacked(first, count)
      first = cells
      count = 1
    }
  }
  return first === null ? bytes : bytes + sizeOfPacked(first, count)
}

interface GivenRow {
  readonly key: DocumentKey
  readonly row: Row
  readonly texts: TextUpdates
}

const giveBytes = 256 * 1024

/** Rows in as many frames as their sizes demand. A long body travels before its row, which takes it along. */
export function partsOfGive(rows: readonly GivenRow[]): readonly (readonly GivenRow[])[] {
  const parts: GivenRow[][] = []
  let part: GivenRow[] = []
  let bytes = 0
  const push = (given: GivenRow, size: number): void => {
    if (part.length > 0 && bytes + size > giveBytes) {
      parts.push(part)
      part = []
      bytes = 0
    }
    part.push(given)
    bytes += size
  }
  for (const { key, row, texts } of rows) {
    for (const [name, updates] of texts) {
      for (const update of updates) {
        push(
          {
            key,
            row: { cells: new Map(), deletion: null, revival: null },
            texts: new Map([[name, [update]]]),
          },
          update.length + partBytes,
        )
      }
    }
    push({ key, row, texts: noTexts }, sizeOfRow(row) + sizeOfKey(key))
  }
  if (part.length > 0) parts.push(part)
  return parts
}
