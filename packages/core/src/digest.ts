/**
 * Digests: 64 bits over a row's canonical bytes, in two lanes of 32 (SPEC P5, R1). Fast rather than cryptographic,
 * since it finds faults and not forgers. Stated to the bit, with test vectors, in docs/encoding.md.
 *
 * Each lane is built as in MurmurHash3 (Appleby, 2011), with other constants, and the two are mixed at the end.
 */
import { PackedCells } from './packed-cells.ts'
import type { Row } from './row.ts'
import { writeCanonicalRow } from './wire/canonical-row.ts'
import { lendWritten } from './wire/writer.ts'

export interface Digest {
  readonly high: number
  readonly low: number
}

export function digestOfRow(row: Row): Digest {
  // What lies encoded is counted again at little cost, and seldom; to remember it would cost more.
  if (row.cells instanceof PackedCells) return computeDigest(row)
  let digest = digestByRow.get(row)
  if (digest === undefined) digestByRow.set(row, (digest = computeDigest(row)))
  return digest
}

/** The same, for who keeps it: a table of so many rows is work for the collector. */
export function computeDigest(row: Row): Digest {
  return lendWritten(writeCanonicalRow(row), digestOfBytes)
}

// A row is taken out of a fingerprint some time after it was put in.
const digestByRow = new WeakMap<Row, Digest>()

/** Of bytes, or of the first of them. */
export function digestOfBytes(bytes: Uint8Array, length: number = bytes.length): Digest {
  let low = 0x2c1b3c6d
  let high = 0x297a2d39
  const view = viewOf(bytes)
  for (let at = 0; at < length; at += 4) {
    const word = at + 4 <= length ? view.getInt32(at, true) : lastWord(bytes, at, length)
    low ^= Math.imul(rotate(Math.imul(word, 0xcc9e2d51), 15), 0x1b873593)
    low = (Math.imul(rotate(low, 13), 5) + 0xe6546b64) | 0
    high ^= Math.imul(rotate(Math.imul(word, 0x38b34ae5), 16), 0xa1e38b93)
    high = (Math.imul(rotate(high, 17), 5) + 0x561ccd1b) | 0
  }
  low = (low ^ length) | 0
  high = (high ^ length) | 0
  low = (low + high) | 0
  high = (high + low) | 0
  low = scatter(low)
  high = scatter(high)
  low = (low + high) | 0
  high = (high + low) | 0
  return { high: high >>> 0, low: low >>> 0 }
}

/** Sixteen hexadecimal characters, the high lane first. */
export function formatDigest(digest: Digest): string {
  return digest.high.toString(16).padStart(8, '0') + digest.low.toString(16).padStart(8, '0')
}

function viewOf(bytes: Uint8Array): DataView {
  const { buffer, byteOffset, length } = bytes
  if (latest.buffer !== buffer || latest.byteOffset !== byteOffset || latest.byteLength !== length)
    latest = new DataView(buffer, byteOffset, length)
  return latest
}

// Rows are written one after the other into the same memory.
let latest: DataView = new DataView(new ArrayBuffer(0))

/** Bytes beyond the end count as 0; the length, mixed in at the end, tells such texts apart. */
function lastWord(bytes: Uint8Array, at: number, length: number): number {
  let word = 0
  for (let i = at; i < length; i++) word |= (bytes[i] ?? 0) << (8 * (i - at))
  return word
}

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by))
}

/** Every bit of the argument changes about half of the result's. */
function scatter(word: number): number {
  word ^= word >>> 16
  word = Math.imul(word, 0x85ebca6b)
  word ^= word >>> 13
  word = Math.imul(word, 0xc2b2ae35)
  return word ^ (word >>> 16)
}
