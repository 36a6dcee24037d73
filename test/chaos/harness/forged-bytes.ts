/** Bytes that no encoder of ours would write. */

/** A value of one list in another, this many times. */
export function nested(depth: number): Uint8Array {
  return new Uint8Array(depth + 1).fill(0x81, 0, depth).fill(1, depth)
}

/** A value of an object with one key. */
export function objectWith(key: string): Uint8Array {
  return Uint8Array.of(0x91, key.length, ...new TextEncoder().encode(key), 1)
}

/** A frame that says why a session ends, with this value as the details. */
export function refuseFrameWith(details: Uint8Array): Uint8Array {
  const code = new TextEncoder().encode('closed')
  return Uint8Array.of(2, code.length, ...code, ...details)
}
