/**
 * The answering side of reconciling (SPEC R1). The index is of the rows as they were when the asking began; what
 * changed since comes by the feed, which the asker's pull goes on from.
 */
import {
  answerRanges,
  createRowIndex,
  type DocumentKey,
  type RangeFrame,
  type RelaySpace,
  type RelayStore,
  type Row,
  type SpaceSession,
} from '@rejoin/core'
import { send, type Attached } from './attached.ts'

export async function answerRange(
  space: RelaySpace,
  store: RelayStore,
  attached: Attached,
  frame: RangeFrame,
): Promise<void> {
  if (frame.ranges.length === 0) {
    attached.index = null
    attached.begun = null
    beginWalk(attached.session)
    return
  }
  if (attached.index === null) {
    const rows: [DocumentKey, Row][] = []
    for await (const slice of store.all(space.name))
      for (const { key, held } of slice) rows.push([key, held.row])
    attached.index = createRowIndex(rows)
  }
  send(attached, { type: 'range', ranges: answerRanges(attached.index, frame.ranges) })
}

/** P5: a peer whose pull has begun asks for the feed from its start, since what it made of it is not what is here. */
function beginWalk(session: SpaceSession): void {
  if (session.role === 'peer' && session.walking) {
    session.cut = session.place = session.toldWriters = 0
    session.live = false
  }
  session.walking = true
}
