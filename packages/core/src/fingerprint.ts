/**
 * The fingerprint of a space: a count and an additive hash over the rows that exist (SPEC P5).
 * Both lanes are sums modulo 2^32, so it is kept up row by row: subtract the old digest, add the new one.
 */
import { computeDigest, digestOfRow, type Digest } from './digest.ts'
import type { HeldRow } from './relay-store.ts'
import { rowExists, type Row } from './row.ts'

export interface Fingerprint {
  readonly count: number
  readonly high: number
  readonly low: number
}

export const emptyFingerprint: Fingerprint = { count: 0, high: 0, low: 0 }

/** Takes out a row as it was and puts in the row as it is; rows that do not exist do not count. */
export function replaceInFingerprint(
  fingerprint: Fingerprint,
  before: Row | undefined,
  after: Row | undefined,
): Fingerprint {
  let replaced = fingerprint
  if (before !== undefined && rowExists(before))
    replaced = removeFromFingerprint(replaced, digestOfRow(before))
  if (after !== undefined && rowExists(after)) replaced = addToFingerprint(replaced, digestOfRow(after))
  return replaced
}

/** The same of rows that a relay holds, each of which keeps its digest. */
export function replaceHeldInFingerprint(
  fingerprint: Fingerprint,
  before: HeldRow | undefined,
  after: HeldRow,
): Fingerprint {
  let replaced = fingerprint
  if (before !== undefined && rowExists(before.row))
    replaced = removeFromFingerprint(replaced, digestOfHeld(before))
  return rowExists(after.row) ? addToFingerprint(replaced, digestOfHeld(after)) : replaced
}

function digestOfHeld(held: HeldRow): Digest {
  return (held.digest ??= computeDigest(held.row))
}

export function addToFingerprint(fingerprint: Fingerprint, digest: Digest): Fingerprint {
  return {
    count: fingerprint.count + 1,
    high: (fingerprint.high + digest.high) >>> 0,
    low: (fingerprint.low + digest.low) >>> 0,
  }
}

export function removeFromFingerprint(fingerprint: Fingerprint, digest: Digest): Fingerprint {
  return {
    count: fingerprint.count - 1,
    high: (fingerprint.high - digest.high) >>> 0,
    low: (fingerprint.low - digest.low) >>> 0,
  }
}

export function isSameFingerprint(a: Fingerprint, b: Fingerprint): boolean {
  return a.count === b.count && a.high === b.high && a.low === b.low
}
