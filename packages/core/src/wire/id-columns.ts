/**
 * Ids of many documents as columns: mints (0 for a string of the application's), serials of the minted ones by
 * their steps, and the strings: how much each shares with the one before, which is much where keys are in order, how
 * much that is together with the rest, which is often the same for all, and the rests.
 */
import { limits } from '../limits.ts'
import { listOf } from '../listed-map.ts'
import { parseMintedId } from '../minted-id.ts'
import { idOfKey, type DocumentKey } from '../row.ts'
import {
  addToColumn,
  openColumn,
  readColumn,
  readLengths,
  readSteps,
  readUniform,
  writeOpenColumn,
  writeSteps,
  type OpenColumn,
} from './columns.ts'
import { numberOfWriter, writerAt, type Dictionary, type Names } from './dictionary.ts'
import { checkFreeId, idOf } from './keys.ts'
import { bytesLeft, decodeAscii, readUtf8, type Reader } from './reader.ts'
import { checkLimit, refuseMalformed } from './refusal.ts'
import { encodeUtf8, lengthOfUtf8, writeRaw, type Writer } from './writer.ts'

export function writeIds(
  writer: Writer,
  dictionary: Dictionary,
  rows: readonly { readonly key: DocumentKey }[],
): void {
  const mints = openColumn()
  const serials: number[] = []
  const texts: string[] = []
  const shared = openColumn()
  const lengths = openColumn()
  let rests = ''
  let before = ''
  // In one pass: thousands are written where nothing has run often enough to be fast.
  for (let i = 0; i < rows.length; i++) {
    const id = idOfKey(rows[i]?.key ?? ('' as DocumentKey))
    const minted = parseMintedId(id)
    if (minted !== null) {
      addToColumn(mints, numberOfWriter(dictionary, minted.mint) + 1)
      serials.push(minted.serial)
      continue
    }
    const same = sharedLength(before, id)
    addToColumn(mints, 0)
    texts.push(id)
    addToColumn(shared, same)
    addToColumn(lengths, id.length)
    rests += id.slice(same)
    before = id
  }
  writeOpenColumn(writer, mints)
  writeSteps(writer, serials)
  writeOpenColumn(writer, shared)
  const bytes = encodeUtf8(rests)
  // They are as long in bytes if all of it is ASCII.
  writeOpenColumn(writer, bytes.length === rests.length ? lengths : lengthsInBytes(texts))
  writeRaw(writer, bytes)
}

/** With what each shares with the one before it counted in characters. */
function lengthsInBytes(texts: readonly string[]): OpenColumn {
  const lengths = openColumn()
  let before = ''
  for (const id of texts) {
    const same = sharedLength(before, id)
    addToColumn(lengths, same + lengthOfUtf8(id, same))
    before = id
  }
  return lengths
}

/** Each with this before it, as keys of one collection are: then no id is made beside its key. */
export function readIds(reader: Reader, names: Names, count: number, prefix: string = ''): readonly string[] {
  // As where none is minted: then nothing of it is listed.
  const mint = readUniform(reader, count)
  const mints = mint === null ? readColumn(reader, count) : null
  let minted = mint === null || mint === 0 ? 0 : count
  if (mints !== null) for (let i = 0; i < count; i++) if (mints[i] !== 0) minted += 1
  const serials = readSteps(reader, minted)
  const shares = readLengths(reader, count - minted)
  const lengths = readLengths(reader, count - minted)
  const rests = readTogether(reader, shares, lengths)
  if (rests !== null && minted === 0) return cutIds(prefix, rests, shares, lengths)
  let next = 0
  let nextText = 0
  let restAt = 0
  let before = ''
  const ids: string[] = []
  for (let i = 0; i < count; i++) {
    const number = mint ?? mints?.[i] ?? 0
    if (number > 0) {
      ids.push(prefix + idOf(writerAt(names, number - 1), serials[next++] ?? 0))
      continue
    }
    const shared = shares[nextText] ?? 0
    const length = (lengths[nextText++] ?? 0) - shared
    if (length < 0) refuseMalformed('an id is shorter than what it shares with the one before')
    if (shared > before.length || isLeadSurrogate(before.charCodeAt(shared - 1)))
      refuseMalformed('an id shares more with the one before than there is')
    checkLimit('bytes of an id', idBytesMax, length)
    const rest = rests === null ? readUtf8(reader, length) : rests.slice(restAt, (restAt += length))
    before = checkFreeId(before.slice(0, shared) + rest)
    if (before.length * 3 > idBytesMax) checkLimit('bytes of an id', idBytesMax, encodeUtf8(before).length)
    ids.push(prefix + before)
  }
  return ids
}

/** As most are that come by the thousands: all of them texts of ASCII, so that a character is a byte. */
function cutIds(
  prefix: string,
  rests: string,
  shares: ArrayLike<number>,
  lengths: ArrayLike<number>,
): readonly string[] {
  const ids = listOf<string>(lengths.length)
  const from = prefix.length
  let restAt = 0
  let before = prefix
  for (let i = 0; i < lengths.length; i++) {
    const shared = shares[i] as number
    const length = lengths[i] as number
    if (from + shared > before.length || shared > length) refuseMalformed('an id shares more than there is')
    if (length > idBytesMax) checkLimit('bytes of an id', idBytesMax, length)
    before = before.slice(0, from + shared) + rests.slice(restAt, (restAt += length - shared))
    if (length >= checkedFrom) checkFreeId(before.slice(from))
    ids[i] = before
  }
  return ids
}

const { idBytesMax } = limits

/**
 * The rests of all, which lie together, as one text to cut them out of; null if there are few, or not all of it is ASCII:
 * then nothing is read.
 */
function readTogether(reader: Reader, shares: ArrayLike<number>, lengths: ArrayLike<number>): string | null {
  if (lengths.length < togetherFrom) return null
  let total = 0
  for (let i = 0; i < lengths.length; i++) total += Math.max(0, (lengths[i] ?? 0) - (shares[i] ?? 0))
  const { bytes, at } = reader
  if (total > bytesLeft(reader)) return null
  const text = decodeAscii(bytes.subarray(at, at + total))
  if (text !== null) reader.at = at + total
  return text
}

const togetherFrom = 16
/** No shorter one is forbidden, or looks like a minted one. */
const checkedFrom = 9

/** In UTF-16 code units, and never half of a pair. */
function sharedLength(a: string, b: string): number {
  let shared = 0
  while (shared < a.length && shared < b.length && a.charCodeAt(shared) === b.charCodeAt(shared)) shared++
  return shared > 0 && isLeadSurrogate(b.charCodeAt(shared - 1)) ? shared - 1 : shared
}

function isLeadSurrogate(code: number): boolean {
  return code >= 0xd800 && code < 0xdc00
}
