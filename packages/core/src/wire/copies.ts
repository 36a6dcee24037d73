/** On how many relays' disks own writes are to be, and of which relays, as bytes of a journal. */
import type { Copies } from '../outbox.ts'
import { readList } from './positions.ts'
import { readString, readUint, type Reader } from './reader.ts'
import { readFlags, writeFlags } from './session-frames.ts'
import { writeString, writeUint, type Writer } from './writer.ts'

export function writeCopies(writer: Writer, { wanted, level, all, relays }: Copies): void {
  writeFlags(writer, [level === 'quorum', relays !== undefined])
  writeUint(writer, wanted)
  writeUint(writer, all)
  if (relays === undefined) return
  writeUint(writer, relays.length)
  for (const address of relays) writeString(writer, address)
}

export function readCopies(reader: Reader): Copies {
  const [isQuorum, areNamed] = readFlags(reader, 2)
  const copies: Copies = {
    level: isQuorum ? 'quorum' : 'relay',
    wanted: readUint(reader),
    all: readUint(reader),
  }
  if (!areNamed) return copies
  const relays = readList(reader, 1, () => readString(reader, 'bytes of an address', Number.MAX_SAFE_INTEGER))
  return { ...copies, relays }
}
