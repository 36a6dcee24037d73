/** The name of a set of marks: what a resolution says that it decided between (SPEC K4). */
import { compareMarks, digestOfBytes, formatMark, type Mark } from '@rejoin/core'

/** Eight bytes, the same for the same marks in any order. */
export function hashOfMarks(marks: readonly Mark[]): Uint8Array {
  const text = [...marks].sort(compareMarks).map(formatMark).join(' ')
  const { high, low } = digestOfBytes(new TextEncoder().encode(text))
  const hash = new Uint8Array(8)
  const view = new DataView(hash.buffer)
  view.setUint32(0, high)
  view.setUint32(4, low)
  return hash
}
