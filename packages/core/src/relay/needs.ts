/** What must be loaded before a frame is taken in: the rows that it touches, and the writers that it bears or names. */
import type { Frame } from '../frames.ts'
import type { WriterId } from '../mark.ts'
import { findMark } from '../judge/marks.ts'
import type { DocumentKey } from '../row.ts'

export interface Needs {
  readonly keys: readonly DocumentKey[]
  readonly writers: readonly WriterId[]
}

export function needsOf(frame: Frame): Needs {
  const keys = new Set<DocumentKey>()
  const writers = new Set<WriterId>()
  switch (frame.type) {
    case 'submit':
      for (const { writes } of frame.transactions) {
        for (const write of writes) {
          keys.add(write.key)
          findMark(write, ({ writer }) => {
            writers.add(writer)
            return null
          })
        }
      }
      break
    case 'give':
      for (const { key } of frame.rows) keys.add(key)
      break
    case 'changes':
      for (const { key } of frame.rows) keys.add(key)
      for (const { writer } of frame.writers) writers.add(writer)
      break
    case 'text':
      keys.add(frame.key)
      break
    default:
  }
  return { keys: [...keys], writers: [...writers] }
}
