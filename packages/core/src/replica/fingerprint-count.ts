/**
 * A fingerprint that is counted when somebody asks for it, and some rows at a time: to count the rows of a cold start takes
 * longer than to take them in, and neither who waits for these nor who looks at the page meanwhile is to wait for that.
 *
 * Rows never change, so what was counted before and the rows are all that is needed. They are let go once it is done.
 */
import { replaceInFingerprint, type Fingerprint } from '../fingerprint.ts'
import type { Row } from '../row.ts'

export interface FingerprintCount {
  /** How many rows were left when it was stepped last. */
  readonly left: number
  /** Counts some of them. What all make, or null while there are more. */
  step(): Fingerprint | null
}

export interface ChangedRow {
  readonly before: Row
  readonly after: Row | undefined
}

const rowsPerStep = 4096

export function countedAs(fingerprint: Fingerprint): FingerprintCount {
  return { left: 0, step: () => fingerprint }
}

export function countLater(
  before: FingerprintCount,
  added: readonly Row[],
  changed: readonly ChangedRow[],
): FingerprintCount {
  let open: FingerprintCount | null = before
  let counted: Fingerprint | null = null
  let at = 0
  let total = added.length + changed.length

  function countOne(fingerprint: Fingerprint): Fingerprint {
    if (at < added.length) return replaceInFingerprint(fingerprint, undefined, added[at])
    const row = changed[at - added.length]
    return replaceInFingerprint(fingerprint, row?.before, row?.after)
  }

  function countSome(): Fingerprint | null {
    if (open !== null) {
      counted = open.step()
      if (counted === null) return null
      open = null
    }
    for (const end = at + rowsPerStep; counted !== null && at < total && at < end; at++)
      counted = countOne(counted)
    if (at < total) return null
    added = changed = []
    total = at = 0
    return counted
  }

  const counting = {
    left: before.left + total,
    step() {
      const made = countSome()
      counting.left = (open?.left ?? 0) + total - at
      return made
    },
  }
  return counting
}

export function countAll(counting: FingerprintCount): Fingerprint {
  for (;;) {
    const counted = counting.step()
    if (counted !== null) return counted
  }
}
