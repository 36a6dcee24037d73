/** Updates of texts: opaque bytes here, in the order in which they were made. */
import type { TextUpdates } from '../write.ts'
import { limits } from '../limits.ts'
import { noTexts } from '../write.ts'
import type { PartName } from '../row.ts'
import { readCellName } from './contents.ts'
import { numberOfField, type Dictionary, type Names } from './dictionary.ts'
import { sortedEntries } from './order.ts'
import { readBytes, readCount, readUint, type Reader } from './reader.ts'
import { refuseMalformed } from './refusal.ts'
import { writeBytes, writeUint, type Writer } from './writer.ts'

export function writeUpdates(writer: Writer, updates: readonly Uint8Array[]): void {
  writeUint(writer, updates.length)
  for (const update of updates) writeBytes(writer, update)
}

export function readUpdates(reader: Reader, bytesMax: number): readonly Uint8Array[] {
  const updates: Uint8Array[] = []
  for (let left = readCount(reader, 'updates of a text', limits.frameBytesMax, 1); left > 0; left--)
    updates.push(readBytes(reader, 'bytes of an update of a text', bytesMax))
  return updates
}

/** The updates of all texts of one row. */
export function writeTextUpdates(
  writer: Writer,
  dictionary: Dictionary,
  collection: string,
  texts: TextUpdates,
): void {
  writeUint(writer, texts.size)
  for (const [name, updates] of sortedEntries(texts)) {
    writeUint(writer, numberOfField(dictionary, collection, name))
    writeUpdates(writer, updates)
  }
}

export function readTextUpdates(
  reader: Reader,
  names: Names,
  collection: string,
  bytesMax: number,
): TextUpdates {
  const count = readCount(reader, 'texts of a row', limits.partsPerFrameMax, 2)
  if (count === 0) return noTexts
  const texts = new Map<PartName, readonly Uint8Array[]>()
  for (let i = 0; i < count; i++)
    texts.set(readCellName(names, readUint(reader), collection), readUpdates(reader, bytesMax))
  if (texts.size !== count) refuseMalformed('a row has a text twice')
  return texts
}
