/**
 * What came and is to be stored, in the order in which it came, a chunk's worth at a time.
 *
 * A verdict is a chunk of its own. Frames of the feed that follow each other are one chunk, up to one that brings a
 * fingerprint, since that is compared with the state as of then.
 */
import type { ChangesFrame, TextFrame, VerdictFrame } from '../frames.ts'

export interface Inbox {
  readonly isEmpty: boolean
  /** Whether it is not worth while to wait for more. */
  readonly isAmple: boolean
  push(frame: ChangesFrame | TextFrame | VerdictFrame): void
  /** What the next chunk is made of, or null. */
  next(): VerdictFrame | readonly (ChangesFrame | TextFrame)[] | null
}

const rowsMax = 4096
/** As many pages as a chunk takes, more or less. */
const ampleFrames = 4

export function createInbox(): Inbox {
  let frames: (ChangesFrame | TextFrame | VerdictFrame)[] = []
  return {
    get isEmpty() {
      return frames.length === 0
    },
    get isAmple() {
      return frames.length >= ampleFrames
    },
    push: frame => void frames.push(frame),
    next() {
      const [first] = frames
      if (first === undefined) return null
      if (first.type === 'verdict') {
        frames = frames.slice(1)
        return first
      }
      const batch: (ChangesFrame | TextFrame)[] = []
      let rows = 0
      for (const frame of frames) {
        if (frame.type === 'verdict' || rows > rowsMax) break
        batch.push(frame)
        if (frame.type === 'text') continue
        rows += frame.rows.length
        if ((frame.cut?.fingerprint ?? null) !== null) break
      }
      frames = frames.slice(batch.length)
      return batch
    },
  }
}
