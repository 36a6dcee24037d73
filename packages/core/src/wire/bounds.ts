/**
 * How much a decoder takes, by where the bytes come from (SPEC F4).
 *
 * What a row holds is bounded by the bytes themselves, and else by who judges: relays may have joined it beyond its bounds,
 * since a join throws nothing away, and who deletes such a row, or empties a set of it, names all of that. To refuse the
 * frame for it would end every session that its sender begins.
 */
import { limits } from '../limits.ts'

export interface Bounds {
  readonly rows: number
  readonly parts: number
  readonly cellsOfRow: number
  readonly valueBytes: number
  /** What a part takes at least, but for revivals, of which nothing is said but their marks. */
  readonly contentBytesMin: 0 | 1
}

export const frameBounds: Bounds = {
  rows: limits.rowsPerFrameMax,
  parts: limits.partsPerFrameMax,
  cellsOfRow: limits.partsPerFrameMax,
  valueBytes: limits.valueBytesMax,
  contentBytesMin: 0,
}

/** What is submitted and given back. */
export const judgedBounds: Bounds = {
  ...frameBounds,
  valueBytes: Number.MAX_SAFE_INTEGER,
  // Runs make hundreds of rows of a few bytes, and this makes what they cost go with the bytes that came.
  contentBytesMin: 1,
}

/** What a replica wrote itself; a chunk may hold what several frames brought. */
export const diskBounds: Bounds = {
  ...frameBounds,
  rows: 64 * limits.rowsPerFrameMax,
  parts: 64 * limits.partsPerFrameMax,
  cellsOfRow: 64 * limits.partsPerFrameMax,
}
