/**
 * Order and equality of byte strings. Where two copies of one write differ although they bear the same mark
 * (only a forger makes such), the greater bytes stand, so that a join stays a join whatever arrives.
 */

/** Negative, 0 or positive: by the first byte that differs, then by length. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shorter = Math.min(a.length, b.length)
  for (let i = 0; i < shorter; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

export function isSameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a === b || compareBytes(a, b) === 0
}

/** Bytes as a string of the same length, one character for each: a map key that orders as the bytes do. */
export function keyOfBytes(bytes: Uint8Array): string {
  let key = ''
  for (let i = 0; i < bytes.length; i++) key += String.fromCharCode(bytes[i] ?? 0)
  return key
}
