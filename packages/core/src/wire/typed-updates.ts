/**
 * An update of a text without the Yjs client of who typed it. Yjs names it with every struct, once more with each
 * neighbour, and it takes five bytes each time, which is a third of what is typed. That the updates are Yjs's is no
 * concern of who reads these bytes: wherever the client's number stands it is left out, and put back there.
 *
 *   update := uint 2 × bytes, all of them;  or, if the client is among them, uint 2 × bytes + 1, uint places, of each
 *             place uint bytes since the last one, and the bytes between
 */
import { limits } from '../limits.ts'
import { yjsClientOf, type WriterId } from '../mark.ts'
import { readCount, readRaw, readUint, type Reader } from './reader.ts'
import { refuseMalformed } from './refusal.ts'
import { createWriter, finishWriting, writeRange, writeRaw, writeUint, type Writer } from './writer.ts'

/** A client's number as updates have it; null of nobody's, or of one so short that leaving it out gains nothing. */
export function clientBytesOf(author: WriterId | null): Uint8Array | null {
  if (author === null) return null
  if (author !== latestAuthor) {
    const writer = createWriter()
    writeUint(writer, yjsClientOf(author))
    latestBytes = finishWriting(writer)
    latestAuthor = author
  }
  return latestBytes.length < clientBytesMin ? null : latestBytes
}

const clientBytesMin = 3
// An update of a text is followed by more of the same hand.
let latestAuthor: WriterId | null = null
let latestBytes: Uint8Array = new Uint8Array()

export function writeUpdate(writer: Writer, update: Uint8Array, client: Uint8Array | null): void {
  const places = client === null ? [] : placesOf(client, update)
  if (client === null || places.length === 0) {
    writeUint(writer, update.length * 2)
    return writeRaw(writer, update)
  }
  writeUint(writer, update.length * 2 + 1)
  writeUint(writer, places.length)
  let from = 0
  for (const place of places) {
    writeUint(writer, place - from)
    from = place + client.length
  }
  from = 0
  for (const place of places) {
    writeRange(writer, update, from, place)
    from = place + client.length
  }
  writeRange(writer, update, from, update.length)
}

export function readUpdate(reader: Reader, client: Uint8Array | null): Uint8Array {
  const head = readUint(reader)
  const length = Math.floor(head / 2)
  const update =
    head % 2 === 0
      ? readRaw(reader, length)
      : readWithout(reader, client ?? refuseMalformed('an update leaves out the client of nobody'), length)
  const left = client === null ? 0 : placesOf(client, update).length
  if (left > 0 && head % 2 === 0) refuseMalformed('an update is not in its one form')
  return update
}

function readWithout(reader: Reader, client: Uint8Array, length: number): Uint8Array {
  const count = readCount(reader, 'places in an update', limits.frameBytesMax, 1)
  if (count === 0) refuseMalformed('an update is not in its one form')
  const places: number[] = []
  let end = 0
  for (let left = count; left > 0; left--) {
    const place = end + readUint(reader)
    places.push(place)
    end = place + client.length
  }
  if (end > length) refuseMalformed('an update is shorter than what was left out of it')
  const rest = readRaw(reader, length - count * client.length)
  const update = new Uint8Array(length)
  let from = 0
  let at = 0
  for (const place of [...places, length]) {
    update.set(rest.subarray(from, from + place - at), at)
    from += place - at
    if (place < length) update.set(client, place)
    at = place + client.length
  }
  const found = placesOf(client, update)
  if (found.length !== count || !found.every((place, i) => place === places[i]))
    refuseMalformed('an update is not in its one form')
  return update
}

/** Where it stands, from the front. Only its last byte is below 128, so no two of them overlap. */
function placesOf(client: Uint8Array, update: Uint8Array): readonly number[] {
  const places: number[] = []
  const first = client[0] ?? 0
  for (let at = update.indexOf(first); at >= 0; at = update.indexOf(first, at)) {
    if (isAt(client, update, at)) {
      places.push(at)
      at += client.length
    } else at += 1
  }
  return places
}

function isAt(client: Uint8Array, update: Uint8Array, at: number): boolean {
  for (let i = 1; i < client.length; i++) if (update[at + i] !== client[i]) return false
  return true
}
