/** Deflates and inflates frames on their way through a socket. A higher level than 1 saves a fiftieth for twice the CPU. */
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import {
  deflateFromBytes,
  isDeflated,
  limits,
  restOfFrame,
  withDeflatedRest,
  withInflatedRest,
} from '@rejoin/core'

/** Blocks are short, so that times and texts, which lie apart in a frame, each have codes of their own: a twentieth less. */
const memLevel = 5
const liveLevel = 1
/** Of what is kept and sent again and again. */
const keptLevel = 6

// What goes to many is deflated once.
const deflatedByFrame = new WeakMap<Uint8Array, Uint8Array>()

/** The frame as it is if it is short, deflated already, or would not become shorter. */
export function deflateFrame(frame: Uint8Array, level: number = liveLevel): Uint8Array {
  if (frame.length < deflateFromBytes || isDeflated(frame)) return frame
  let deflated = deflatedByFrame.get(frame)
  if (deflated === undefined) {
    const rest = deflateRawSync(restOfFrame(frame), { level, memLevel })
    deflated = rest.length + 1 < frame.length ? withDeflatedRest(frame, rest) : frame
    deflatedByFrame.set(frame, deflated)
  }
  return deflated
}

/** Null if it is deflated wrongly, or would become longer than a frame may be. */
export function inflateFrame(frame: Uint8Array): Uint8Array | null {
  if (!isDeflated(frame)) return frame
  try {
    const rest = inflateRawSync(restOfFrame(frame), { maxOutputLength: limits.frameBytesMax })
    return withInflatedRest(frame, rest)
  } catch {
    return null
  }
}

/** Takes its time: the frame is kept, for all that come later. */
export function deflateToKeep(frame: Uint8Array): Uint8Array {
  return deflateFrame(frame, keptLevel)
}
