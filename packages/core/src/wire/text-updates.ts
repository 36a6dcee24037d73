/** Updates of texts: opaque bytes here, in the order in which they were made. */
import { lastOfContext } from '../context.ts'
import type { WriterId } from '../mark.ts'
import type { TextUpdates } from '../write.ts'
import { limits } from '../limits.ts'
import { noTexts } from '../write.ts'
import type { PartName, Row } from '../row.ts'
import { readCellName } from './contents.ts'
import { numberOfField, type Dictionary, type Names } from './dictionary.ts'
import { sortedEntries } from './order.ts'
import { readCount, readUint, type Reader } from './reader.ts'
import { refuseMalformed } from './refusal.ts'
import { clientBytesOf, readUpdate, writeUpdate } from './typed-updates.ts'
import { writeUint, type Writer } from './writer.ts'

/** `author`: who typed them, or most of them; null if nobody says. */
export function writeUpdates(writer: Writer, updates: readonly Uint8Array[], author: WriterId | null): void {
  const client = clientBytesOf(author)
  writeUint(writer, updates.length)
  for (const update of updates) writeUpdate(writer, update, client)
}

export function readUpdates(reader: Reader, author: WriterId | null): readonly Uint8Array[] {
  const client = clientBytesOf(author)
  const updates: Uint8Array[] = []
  for (let left = readCount(reader, 'updates of a text', limits.frameBytesMax, 1); left > 0; left--)
    updates.push(readUpdate(reader, client))
  return updates
}

/** Who typed a text last, by the cell that comes with it. */
export function authorOf({ cells }: Row, part: PartName): WriterId | null {
  const cell = cells.get(part)
  return cell?.strategy === 'text' ? (lastOfContext(cell.context)?.writer ?? null) : null
}

/** The updates of all texts of one row. */
export function writeTextUpdates(
  writer: Writer,
  dictionary: Dictionary,
  collection: string,
  row: Row,
  texts: TextUpdates,
): void {
  writeUint(writer, texts.size)
  for (const [name, updates] of sortedEntries(texts)) {
    writeUint(writer, numberOfField(dictionary, collection, name))
    writeUpdates(writer, updates, authorOf(row, name))
  }
}

export function readTextUpdates(reader: Reader, names: Names, collection: string, row: Row): TextUpdates {
  const count = readCount(reader, 'texts of a row', limits.partsPerFrameMax, 2)
  if (count === 0) return noTexts
  const texts = new Map<PartName, readonly Uint8Array[]>()
  for (let i = 0; i < count; i++) {
    const part = readCellName(names, readUint(reader), collection)
    texts.set(part, readUpdates(reader, authorOf(row, part)))
  }
  if (texts.size !== count) refuseMalformed('a row has a text twice')
  return texts
}
