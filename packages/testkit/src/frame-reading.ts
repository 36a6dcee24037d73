/** Frames as those in the middle read them: each once, however many look at the same bytes. */
import { createDictionary, decodeFrame, isLinked, type Dictionary } from '@rejoin/core'

type Decoded = ReturnType<typeof decodeFrame>

/** `names`: what came before over the same link and in the same direction, for those who read all of it. */
export function readFrame(bytes: Uint8Array, names: Dictionary = createDictionary()): Decoded {
  if (isLinked(bytes)) return decodeFrame(bytes, names)
  let decoded = decodedByBytes.get(bytes)
  if (decoded === undefined) decodedByBytes.set(bytes, (decoded = decodeFrame(bytes)))
  return decoded
}

const decodedByBytes = new WeakMap<Uint8Array, Decoded>()
