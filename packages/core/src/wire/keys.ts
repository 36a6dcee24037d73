/**
 * Documents and their parts by number: the collection or part from the dictionary, and the id. An id that Rejoin
 * minted is two numbers; any other is a string, which costs its length.
 */
import { failure } from '../errors.ts'
import { isForbiddenKey } from '../forbidden-key.ts'
import { limits } from '../limits.ts'
import type { WriterId } from '../mark.ts'
import { mintedId, parseMintedId, serialLimit } from '../minted-id.ts'
import { collectionOfKey, documentKey, idOfKey, type DocumentKey, type PartName } from '../row.ts'
import { readCellName } from './contents.ts'
import {
  fieldAt,
  numberOfField,
  numberOfWriter,
  writerAt,
  type Dictionary,
  type Names,
} from './dictionary.ts'
import { readUint, readUtf8, type Reader } from './reader.ts'
import { checkLimit, refuse, refuseMalformed } from './refusal.ts'
import { lengthOfUtf8, writeUint, writeUtf8, type Writer } from './writer.ts'

export function writeKey(writer: Writer, dictionary: Dictionary, key: DocumentKey): void {
  writeUint(writer, numberOfField(dictionary, collectionOfKey(key), ''))
  writeId(writer, dictionary, idOfKey(key))
}

export function readKey(reader: Reader, names: Names): DocumentKey {
  const { collection, part } = fieldAt(names, readUint(reader))
  if (part !== '') refuseMalformed('a collection is missing')
  return keyOf(collection, readId(reader, names))
}

/** A cell's part of a document. */
export function writePart(writer: Writer, dictionary: Dictionary, key: DocumentKey, part: PartName): void {
  writeUint(writer, numberOfField(dictionary, collectionOfKey(key), part))
  writeId(writer, dictionary, idOfKey(key))
}

export function readPart(
  reader: Reader,
  names: Names,
): { readonly key: DocumentKey; readonly part: PartName } {
  const number = readUint(reader)
  const { collection } = fieldAt(names, number)
  const part = readCellName(names, number, collection)
  return { key: keyOf(collection, readId(reader, names)), part }
}

/** The number of the mint, doubled, and one more; of a string its length, doubled. */
export function writeId(writer: Writer, dictionary: Dictionary, id: string): void {
  const minted = parseMintedId(id)
  if (minted === null) {
    writeUint(writer, lengthOfUtf8(id, 0) * 2)
    return writeUtf8(writer, id)
  }
  writeUint(writer, numberOfWriter(dictionary, minted.mint) * 2 + 1)
  writeUint(writer, minted.serial)
}

export function readId(reader: Reader, names: Names): string {
  const head = readUint(reader)
  if (head % 2 === 1) return idOf(writerAt(names, (head - 1) / 2), readUint(reader))
  checkLimit('bytes of an id', limits.idBytesMax, head / 2)
  return checkFreeId(readUtf8(reader, head / 2))
}

/** An id of the application's, which must not look like a minted one: that has its own form. */
export function checkFreeId(id: string): string {
  if (isForbiddenKey(id)) refuse(failure('key-forbidden', { key: id }))
  if (parseMintedId(id) !== null) refuseMalformed('an id is not in its one form')
  return id
}

export function idOf(mint: string, serial: number): string {
  if (serial >= serialLimit) refuseMalformed('the serial of an id is out of range')
  return mintedId(mint as WriterId, serial)
}

export function keyOf(collection: string, id: string): DocumentKey {
  if (collection === '') refuseMalformed('the name of a collection is empty')
  return documentKey(collection, id)
}
