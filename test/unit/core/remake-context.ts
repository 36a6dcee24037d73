/** What making anew is given where no texts are. */
import { bytesOfWriter, writerFromBytes, type RemakeContext, type WriterId } from '@rejoin/core'
import { writerOf } from './edits.ts'

export const fresh: WriterId = writerOf('alice', 99)

/** `first` stands for the first old writer; the clock says five seconds, and was not corrected. */
export function remakeContext(first: WriterId = fresh): RemakeContext {
  return { drawWriter: drawing(first), now: 5000, correction: 0, body: () => [], support: () => undefined }
}

/** Draws this writer, and others that nobody has after it. */
export function drawing(first: WriterId): () => WriterId {
  let drawn = 0
  return () => {
    const bytes = bytesOfWriter(first)
    bytes[6] = (bytes[6] ?? 0) + drawn++
    return writerFromBytes(bytes)
  }
}
