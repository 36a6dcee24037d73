/**
 * Confirmed rows that came or changed since the fingerprint was asked for last. They are counted when somebody asks, or once
 * there are too many of them: most change several times, and until then each stays in memory as it was.
 */
import { emptyFingerprint, type Fingerprint } from '../fingerprint.ts'
import type { DocumentKey, Row } from '../row.ts'
import { countedAs, countLater, type FingerprintCount } from './fingerprint-count.ts'

export interface Uncounted {
  /** What was counted, and what is to be counted of what was asked for. */
  counted: FingerprintCount
  /** As they were then. */
  readonly changed: Map<DocumentKey, Row>
  /** Those that were not here before: of a cold start all of them, so they are not looked for. */
  added: Row[]
}

/** So many rows wait to be counted until somebody asks. */
const uncountedMax = 131_072
/** Of more so many are counted at once. */
const countedAtOnce = 16_384

export function createUncounted(): Uncounted {
  return { counted: countedAs(emptyFingerprint), changed: new Map(), added: [] }
}

export function noteChanged(
  { changed, added }: Uncounted,
  key: DocumentKey,
  before: Row | undefined,
  after: Row,
): void {
  if (changed.size > 0 && changed.has(key)) return
  if (before === undefined) added.push(after)
  else changed.set(key, before)
}

export function noteGone({ changed }: Uncounted, key: DocumentKey, before: Row): void {
  if (!changed.has(key)) changed.set(key, before)
}

/** It was counted elsewhere. */
export function takeCounted(uncounted: Uncounted, fingerprint: Fingerprint): void {
  uncounted.counted = countedAs(fingerprint)
  drop(uncounted)
}

export function areTooMany({ counted, changed, added }: Uncounted): boolean {
  return counted.left + changed.size + added.length >= uncountedMax
}

/** The fingerprint of all that is confirmed now, to be counted. */
export function countOf(
  uncounted: Uncounted,
  confirmed: (key: DocumentKey) => Row | undefined,
): FingerprintCount {
  const { counted, changed, added } = uncounted
  if (changed.size + added.length > 0) {
    const rows = Array.from(changed, ([key, before]) => ({ before, after: confirmed(key) }))
    uncounted.counted = countLater(counted, added, rows)
    drop(uncounted)
  }
  return uncounted.counted
}

export function countSome(counting: FingerprintCount): void {
  const enough = Math.max(0, counting.left - countedAtOnce)
  while (counting.left > enough) counting.step()
}

function drop(uncounted: Uncounted): void {
  uncounted.changed.clear()
  uncounted.added = []
}
