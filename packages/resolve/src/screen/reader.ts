/**
 * A reader over bytes from outside. It never throws and never goes back: the first fault is kept, and from then on
 * everything reads as 0 from an empty rest, so that loops end. Nothing is allocated by a declared count.
 */
export interface Reader {
  readonly bytes: Uint8Array
  at: number
  /** Why the bytes are not what they should be; null while they are. */
  fault: string | null
}

export function createReader(bytes: Uint8Array, at: number = 0): Reader {
  return { bytes, at, fault: null }
}

export function failReading(reader: Reader, reason: string): 0 {
  reader.fault ??= reason
  reader.at = reader.bytes.length
  return 0
}

export function readByte(reader: Reader): number {
  if (reader.at >= reader.bytes.length) return failReading(reader, 'ends too early')
  return reader.bytes[reader.at++] ?? 0
}

/** A variable-length unsigned integer, seven bits a byte, least first; in its one shortest form. */
export function readUint(reader: Reader, max: number): number {
  let value = 0
  let factor = 1
  for (;;) {
    const byte = readByte(reader)
    if (reader.fault !== null) return 0
    value += (byte & 127) * factor
    if (value > max) return failReading(reader, 'has a number that is too large')
    if (byte < 128) {
      if (byte === 0 && factor > 1) return failReading(reader, 'has a number with idle bytes')
      return value
    }
    factor *= 128
    // Only idle bytes can make a number this long without making it too large.
    if (factor > max * 128) return failReading(reader, 'has a number with idle bytes')
  }
}

/** How many things follow of which each takes at least `bytesEach`. */
export function readCount(reader: Reader, bytesEach: number): number {
  const count = readUint(reader, reader.bytes.length)
  if (count * bytesEach > reader.bytes.length - reader.at) {
    return failReading(reader, 'announces more than it holds')
  }
  return count
}

/** Passes over a string, checks that it is UTF-8, and says how long it is in UTF-16 units, as Yjs counts. */
export function passString(reader: Reader): number {
  const length = readCount(reader, 1)
  const end = reader.at + length
  const { bytes } = reader
  let units = 0
  while (reader.at < end) {
    const size = sizeOfCharacter(bytes, reader.at, end)
    if (size === 0) return failReading(reader, 'has a string that is not UTF-8')
    reader.at += size
    units += size === 4 ? 2 : 1
  }
  return units
}

export function readString(reader: Reader): string {
  const at = reader.at
  passString(reader)
  if (reader.fault !== null) return ''
  const inner = createReader(reader.bytes, at)
  readCount(inner, 1)
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(reader.bytes.subarray(inner.at, reader.at))
}

/** Bytes of the UTF-8 character at a place, by table 3-7 of the Unicode standard; 0 if there is none. */
export function sizeOfCharacter(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at] ?? 0
  if (first < 0x80) return 1
  if (first < 0xc2 || first > 0xf4) return 0
  const size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
  if (at + size > end) return 0
  const second = bytes[at + 1] ?? 0
  const least = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80
  const most = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf
  if (second < least || second > most) return 0
  for (let i = 2; i < size; i++) if (((bytes[at + i] ?? 0) & 0xc0) !== 0x80) return 0
  return size
}
