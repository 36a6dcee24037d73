/** Deflating by the streams that every platform has. */
import { limits } from '@rejoin/core'
import type { Deflation } from './deflating.ts'

export const streamDeflation: Deflation = {
  deflate: bytes => through(bytes, new CompressionStream('deflate-raw')),
  inflate: bytes => through(bytes, new DecompressionStream('deflate-raw')),
}

async function through(
  bytes: Uint8Array,
  stream: CompressionStream | DecompressionStream,
): Promise<Uint8Array | null> {
  const writer = stream.writable.getWriter()
  // Who reads hears of what goes wrong.
  writer.write(bytes as Uint8Array<ArrayBuffer>).catch(() => {})
  writer.close().catch(() => {})
  const parts: Uint8Array[] = []
  let length = 0
  try {
    const reader: ReadableStreamDefaultReader<Uint8Array> = stream.readable.getReader()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      length += value.length
      if (length > limits.frameBytesMax) {
        await reader.cancel()
        return null
      }
      parts.push(value)
    }
  } catch {
    return null
  }
  const all = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
