/** Frames as those in the middle read them: each once, however many look at the same bytes. */
import { decodeFrame } from '@rejoin/core'

type Decoded = ReturnType<typeof decodeFrame>

export function readFrame(bytes: Uint8Array): Decoded {
  let decoded = decodedByBytes.get(bytes)
  if (decoded === undefined) decodedByBytes.set(bytes, (decoded = decodeFrame(bytes)))
  return decoded
}

const decodedByBytes = new WeakMap<Uint8Array, Decoded>()
