/** `lww`: the write with the greatest mark stands. */
import { compareBytes } from '../bytes.ts'
import { compareMarks, type Mark } from '../mark.ts'

export interface LwwCell {
  readonly strategy: 'lww'
  /** The mark of the write that stands. */
  readonly last: Mark
  /** Its value, opaque to the core. */
  readonly value: Uint8Array
}

/** Returns `a` itself if `b` adds nothing. */
export function joinLww(a: LwwCell, b: LwwCell): LwwCell {
  const order = compareMarks(b.last, a.last)
  return order > 0 || (order === 0 && compareBytes(b.value, a.value) > 0) ? b : a
}
