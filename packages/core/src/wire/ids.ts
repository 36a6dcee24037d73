/** Ids of eight bytes (writers, stores, generations) as bytes of the wire; text everywhere else. */
import { assert } from '../errors.ts'
import { bytesOfWriter, isWriterId, writerFromBytes, type WriterId } from '../mark.ts'
import { readRaw, type Reader } from './reader.ts'
import { writeRaw, type Writer } from './writer.ts'

export function writeWriterId(writer: Writer, id: string): void {
  writeRaw(writer, bytesOfId(id))
}

/** Its eight bytes, which must not be changed. */
export function bytesOfId(id: string): Uint8Array {
  if (id !== latestId) {
    assert(isWriterId(id), 'an id of a writer, a store or a generation is eight bytes as eleven characters')
    latestBytes = bytesOfWriter(id)
    latestId = id
  }
  return latestBytes
}

// The marks of a row are nearly all of one writer, whose bytes are remembered.
let latestId = ''
let latestBytes: Uint8Array = new Uint8Array(8)

/** The caller knows what the id names, so it brands it. */
export function readWriterId<Id extends string = WriterId>(reader: Reader): Id {
  const id: string = writerFromBytes(readRaw(reader, 8))
  return id as Id
}
