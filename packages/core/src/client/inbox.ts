/**
 * What came and is to be stored, in the order in which it came, a chunk's worth at a time.
 *
 * A verdict is a chunk of its own. Frames of the feed that follow each other are one chunk, up to one that brings a
 * fingerprint, since that is compared with the state as of then.
 */
import type { ChangesFrame, TextFrame, VerdictFrame } from '../frames.ts'

export type Inbox = (ChangesFrame | TextFrame | VerdictFrame)[]

const rowsMax = 4096
/** As many pages as a chunk takes, more or less: with so many it is not worth while to wait for more. */
export const ampleFrames = 4

/** Takes out what the next chunk is made of; null if there is nothing. */
export function takeNext(inbox: Inbox): VerdictFrame | readonly (ChangesFrame | TextFrame)[] | null {
  const [first] = inbox
  if (first === undefined) return null
  if (first.type === 'verdict') {
    inbox.shift()
    return first
  }
  const batch: (ChangesFrame | TextFrame)[] = []
  let rows = 0
  for (const frame of inbox) {
    if (frame.type === 'verdict' || rows > rowsMax) break
    batch.push(frame)
    if (frame.type === 'text') continue
    rows += frame.rows.length
    if ((frame.cut?.fingerprint ?? null) !== null) break
  }
  inbox.splice(0, batch.length)
  return batch
}
