/**
 * The fingerprint of a space: a count and an additive hash over the rows that exist (SPEC P5).
 * Both lanes are sums modulo 2^32, so it is kept up row by row: subtract the old digest, add the new one.
 */
export interface Fingerprint {
  readonly count: number
  readonly high: number
  readonly low: number
}

export const emptyFingerprint: Fingerprint = { count: 0, high: 0, low: 0 }
