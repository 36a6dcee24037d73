/**
 * How much a decoder takes, by where the bytes come from (SPEC F4).
 *
 * The bounds of a row's content hold for a submit alone: what relays have accepted may have grown beyond them by
 * joining, since a join throws nothing away, and refusing it would part replicas for good. There the bytes
 * themselves bound what is made of them.
 */
import { limits } from '../limits.ts'

export interface Bounds {
  readonly rows: number
  readonly parts: number
  readonly cellsOfRow: number
  readonly siblings: number
  readonly setElements: number
  readonly contextWriters: number
  readonly valueBytes: number
  readonly textUpdateBytes: number
  /** What a part takes at least, but for revivals, of which nothing is said but their marks. */
  readonly contentBytesMin: 0 | 1
}

const unbounded = Number.MAX_SAFE_INTEGER

export const submitBounds: Bounds = {
  rows: limits.rowsPerFrameMax,
  parts: limits.partsPerFrameMax,
  cellsOfRow: limits.fieldsPerRowMax,
  siblings: limits.siblingsMax,
  setElements: limits.setElementsMax,
  contextWriters: limits.contextWritersMax,
  // Judged, so that a value which is too long is refused with its transaction, and the session goes on.
  valueBytes: unbounded,
  textUpdateBytes: limits.textUpdateBytesMax,
  // Runs make hundreds of rows of a few bytes, and this makes what they cost go with the bytes that came.
  contentBytesMin: 1,
}

export const frameBounds: Bounds = {
  rows: limits.rowsPerFrameMax,
  parts: limits.partsPerFrameMax,
  cellsOfRow: limits.partsPerFrameMax,
  siblings: unbounded,
  setElements: unbounded,
  contextWriters: unbounded,
  valueBytes: limits.valueBytesMax,
  textUpdateBytes: unbounded,
  contentBytesMin: 0,
}

/** What is given back is judged like a submit. */
export const giveBounds: Bounds = { ...frameBounds, valueBytes: unbounded, contentBytesMin: 1 }

/** What a replica wrote itself; a chunk may hold what several frames brought. */
export const diskBounds: Bounds = {
  ...frameBounds,
  rows: 64 * limits.rowsPerFrameMax,
  parts: 64 * limits.partsPerFrameMax,
  cellsOfRow: 64 * limits.partsPerFrameMax,
}
