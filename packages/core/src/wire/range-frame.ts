/** The body of a frame of ranges. Ranges rise, so each mark is said by its difference from the one before. */
import type { Range, RangeBound, RangeFrame, RangeItem } from '../frames.ts'
import { limits } from '../limits.ts'
import type { Mark } from '../mark.ts'
import type { Dictionary, Names } from './dictionary.ts'
import { readDigest, writeDigest } from './digests.ts'
import { readKey, writeKey } from './keys.ts'
import { expectMark, readMark, writeMark } from './marks.ts'
import { readCount, readUint, type Reader } from './reader.ts'
import { refuseMalformed } from './refusal.ts'
import { readFlags, writeFlags } from './session-frames.ts'
import { writeUint, type Writer } from './writer.ts'

export function writeRange(writer: Writer, dictionary: Dictionary, frame: RangeFrame): void {
  let known: Mark | null = null
  writeUint(writer, frame.ranges.length)
  for (const { end, content } of frame.ranges) {
    const { kind } = content
    const isKeyed = end !== null && end.key !== null
    writeFlags(writer, [end !== null, kind === 'sum', kind === 'items', isKeyed])
    if (kind === 'sum') {
      writeUint(writer, content.count)
      writeDigest(writer, content.hash)
    } else if (kind === 'items') {
      writeUint(writer, content.items.length)
      for (const { mark, key, digest } of content.items) {
        writeMark(writer, dictionary, mark, known)
        writeKey(writer, dictionary, key)
        writeDigest(writer, digest)
        known = mark
      }
    }
    if (end === null) continue
    writeMark(writer, dictionary, end.mark, known)
    if (end.key !== null) writeKey(writer, dictionary, end.key)
    known = end.mark
  }
}

export function readRange(reader: Reader, names: Names): RangeFrame {
  const ranges: Range[] = []
  let known: Mark | null = null
  const readNextMark = (): Mark => {
    const mark = expectMark(readMark(reader, names, known))
    known = mark
    return mark
  }
  const readItems = (): readonly RangeItem[] => {
    const items: RangeItem[] = []
    for (let left = readCount(reader, 'rows', limits.rowsPerFrameMax, 5); left > 0; left--)
      items.push({ mark: readNextMark(), key: readKey(reader, names), digest: readDigest(reader) })
    return items
  }
  const readBound = (isKeyed: boolean): RangeBound => ({
    mark: readNextMark(),
    key: isKeyed ? readKey(reader, names) : null,
  })
  for (let left = readCount(reader, 'ranges', limits.frameBytesMax, 1); left > 0; left--) {
    const [hasEnd = false, isSum, isItems, isKeyed = false] = readFlags(reader, 4)
    if (isSum && isItems) refuseMalformed('a range is of an unknown kind')
    if (isKeyed && !hasEnd) refuseMalformed('a range without an end has the key of one')
    const content: Range['content'] = isSum
      ? { kind: 'sum', count: readUint(reader), hash: readDigest(reader) }
      : isItems
        ? { kind: 'items', items: readItems() }
        : { kind: 'skip' }
    ranges.push({ end: hasEnd ? readBound(isKeyed) : null, content })
  }
  return { type: 'range', ranges }
}
