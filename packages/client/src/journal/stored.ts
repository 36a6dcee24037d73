/** How chunks and rows become bytes; the core's wire has the one that ships. Decoding throws on what it never wrote. */
import type { Chunk, Row } from '@rejoin/core'

export interface JournalCodec {
  encodeChunk(chunk: Chunk): Uint8Array
  decodeChunk(bytes: Uint8Array): Chunk
  encodeRow(row: Row): Uint8Array
  decodeRow(bytes: Uint8Array): Row
}
