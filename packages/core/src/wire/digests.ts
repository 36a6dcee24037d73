/** Digests as text: sixteen hexadecimal characters in their eight bytes, any other short text as it is. */
import { limits } from '../limits.ts'
import { readRaw, readUint, readUtf8, type Reader } from './reader.ts'
import { checkLimit, refuseMalformed } from './refusal.ts'
import { encodeUtf8, writeRaw, writeUint, type Writer } from './writer.ts'

const hex = /^[0-9a-f]{16}$/

/** 0 before eight bytes, else one more than the length of the text. */
export function writeDigest(writer: Writer, digest: string): void {
  if (hex.test(digest)) {
    writeUint(writer, 0)
    const bytes = new Uint8Array(8)
    for (let i = 0; i < 8; i++) bytes[i] = Number.parseInt(digest.slice(i * 2, i * 2 + 2), 16)
    return writeRaw(writer, bytes)
  }
  const bytes = encodeUtf8(digest)
  writeUint(writer, bytes.length + 1)
  writeRaw(writer, bytes)
}

export function readDigest(reader: Reader): string {
  const head = readUint(reader)
  if (head === 0) {
    let digest = ''
    for (const byte of readRaw(reader, 8)) digest += byte.toString(16).padStart(2, '0')
    return digest
  }
  checkLimit('bytes of a digest', limits.nameBytesMax, head - 1)
  const digest = readUtf8(reader, head - 1)
  return hex.test(digest) ? refuseMalformed('a digest is not in its one form') : digest
}
