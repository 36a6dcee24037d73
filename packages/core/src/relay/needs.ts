/** What must be loaded before a frame is taken in: the rows that it touches, and the writers that it bears or names. */
import type { Frame, SubmittedTransaction } from '../frames.ts'
import type { Mark, WriterId } from '../mark.ts'
import { findMark } from '../judge/marks.ts'
import type { DocumentKey } from '../row.ts'
import type { Write } from '../write.ts'

export interface Needs {
  readonly keys: ReadonlySet<DocumentKey>
  readonly writers: ReadonlySet<WriterId>
}

/** Of all frames of a turn. */
export function needsOf(frames: Iterable<Frame>): Needs {
  const keys = new Set<DocumentKey>()
  const writers = new Set<WriterId>()
  let latest: WriterId | null = null
  const add = ({ writer }: Mark): null => {
    // Most marks are of one writer.
    if (writer !== latest) writers.add((latest = writer))
    return null
  }
  for (const frame of frames) addNeeds(frame, keys, writers, add)
  return { keys, writers }
}

function addNeeds(
  frame: Frame,
  keys: Set<DocumentKey>,
  writers: Set<WriterId>,
  add: (mark: Mark) => null,
): void {
  switch (frame.type) {
    case 'submit':
      for (let i = 0; i < frame.transactions.length; i++) {
        const { writes } = frame.transactions[i] as SubmittedTransaction
        for (let at = 0; at < writes.length; at++) {
          const write = writes[at] as Write
          keys.add(write.key)
          findMark(write, add)
        }
      }
      return
    case 'give':
      for (const { key } of frame.rows) keys.add(key)
      return
    case 'changes':
      for (const { key } of frame.rows) keys.add(key)
      for (const { writer } of frame.writers) writers.add(writer)
      return
    case 'text':
      keys.add(frame.key)
      return
    default:
  }
}
