/** Ids of eight bytes (writers, stores, generations) as bytes of the wire; text everywhere else. */
import { assert } from '../errors.ts'
import { bytesOfWriter, isWriterId, writerFromBytes, type WriterId } from '../mark.ts'
import { readRaw, type Reader } from './reader.ts'
import { writeRaw, type Writer } from './writer.ts'

export function writeWriterId(writer: Writer, id: string): void {
  assert(isWriterId(id), 'an id of a writer, a store or a generation is eight bytes as eleven characters')
  writeRaw(writer, bytesOfWriter(id))
}

/** The caller knows what the id names, so it brands it. */
export function readWriterId<Id extends string = WriterId>(reader: Reader): Id {
  const id: string = writerFromBytes(readRaw(reader, 8))
  return id as Id
}
