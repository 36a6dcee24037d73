/** What must be loaded before a frame is taken in: the rows that it touches, and the writers that it bears or names. */
import type { Frame } from '../frames.ts'
import type { Mark, WriterId } from '../mark.ts'
import { findMark } from '../judge/marks.ts'
import type { DocumentKey } from '../row.ts'

export interface Needs {
  readonly keys: ReadonlySet<DocumentKey>
  readonly writers: ReadonlySet<WriterId>
}

/** Of all frames of a turn. */
export function needsOf(frames: Iterable<Frame>): Needs {
  const keys = new Set<DocumentKey>()
  const writers = new Set<WriterId>()
  const add = ({ writer }: Mark): null => {
    writers.add(writer)
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
      for (const { writes } of frame.transactions) {
        for (const write of writes) {
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
