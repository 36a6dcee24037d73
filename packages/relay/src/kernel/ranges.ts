/**
 * The answering side of reconciling (SPEC R1). The index is of the rows as they were when the asking began; what
 * changed since comes by the feed, which the asker's pull goes on from. All that begin between two commits have one: after
 * a relay was put back everybody asks at once.
 */
import {
  answerRanges,
  createRowIndex,
  type DocumentKey,
  type RangeFrame,
  type Row,
  type RowIndex,
} from '@rejoin/core'
import { send, type Attached } from './attached.ts'
import type { DrivenSpace } from './driven-space.ts'

export async function answerRange(driven: DrivenSpace, attached: Attached, frame: RangeFrame): Promise<void> {
  const index = (attached.index ??= await indexOf(driven))
  send(attached, { type: 'range', ranges: answerRanges(index, frame.ranges) })
}

/** No commit is under way while it is made. */
async function indexOf(driven: DrivenSpace): Promise<RowIndex> {
  const { name, space, kernel, indexed } = driven
  if (indexed?.position === space.position) return indexed.index
  const rows: [DocumentKey, Row][] = []
  for await (const slice of kernel.options.store.all(name))
    for (const { key, held } of slice) rows.push([key, held.row])
  const index = createRowIndex(rows)
  driven.indexed = { position: space.position, index }
  return index
}

/**
 * Nothing else is to be asked: the feed goes on. P5: a peer whose pull has begun asks for it from its start, since what it
 * made of it is not what is here.
 */
export function beginWalk(attached: Attached): void {
  const { session } = attached
  attached.index = null
  if (session.role === 'peer' && session.walking) {
    attached.begun = null
    session.cut = session.place = session.toldWriters = 0
    session.live = false
  }
  session.walking = true
}
