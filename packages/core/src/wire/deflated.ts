/**
 * Deflated frames: the head with a flag, and everything after it deflated, without a header of zlib's. Who has the
 * sockets deflates and inflates, since how that is done is the platform's; frames are encoded and decoded without.
 *
 *   encode --> head rest --> deflate rest --> socket --> inflate rest --> head rest --> decode
 */

const deflated = 0x10

/** Below it deflating gains too little for what it costs. */
export const deflateFromBytes = 1024

/** Never of a hello, which comes before anybody is known. */
export function isDeflated(frame: Uint8Array): boolean {
  return ((frame[0] ?? 0) & deflated) !== 0
}

/** What is deflated of a frame, or inflated. */
export function restOfFrame(frame: Uint8Array): Uint8Array {
  return frame.subarray(1)
}

export function withDeflatedRest(frame: Uint8Array, rest: Uint8Array): Uint8Array {
  return withRest((frame[0] ?? 0) | deflated, rest)
}

export function withInflatedRest(frame: Uint8Array, rest: Uint8Array): Uint8Array {
  return withRest((frame[0] ?? 0) & ~deflated, rest)
}

function withRest(head: number, rest: Uint8Array): Uint8Array {
  const frame = new Uint8Array(1 + rest.length)
  frame[0] = head
  frame.set(rest, 1)
  return frame
}
