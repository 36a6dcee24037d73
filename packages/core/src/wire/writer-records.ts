/** Who writers are (SPEC T4). */
import type { WriterRecord } from '../frames.ts'
import { limits } from '../limits.ts'
import type { WriterId } from '../mark.ts'
import type { Dictionary, Names } from './dictionary.ts'
import { expectMark, readMark, writeMark } from './marks.ts'
import { readName, writeName } from './positions.ts'
import { readCount, readString, type Reader } from './reader.ts'
import { writeString, writeUint, type Writer } from './writer.ts'

export function writeWriterRecords(
  writer: Writer,
  dictionary: Dictionary,
  records: readonly WriterRecord[],
): void {
  writeUint(writer, records.length)
  for (const record of records) {
    writeName(writer, dictionary, record.writer)
    writeString(writer, record.user)
    writeString(writer, record.device)
    writeMark(writer, dictionary, record.highest, null)
  }
}

export function readWriterRecords(reader: Reader, names: Names): readonly WriterRecord[] {
  const records: WriterRecord[] = []
  for (let left = readCount(reader, 'writers', limits.frameBytesMax, 4); left > 0; left--)
    records.push({
      writer: readName<WriterId>(reader, names),
      user: readString(reader, 'bytes of a name', limits.nameBytesMax),
      device: readString(reader, 'bytes of a name', limits.nameBytesMax),
      highest: expectMark(readMark(reader, names, null)),
    })
  return records
}
