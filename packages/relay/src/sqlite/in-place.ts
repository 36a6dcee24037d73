/**
 * Whether the files of a store are still where they were opened. A system lets a program write on to a file that was
 * deleted or replaced, and says nothing: what is written there is on no disk that anybody will read again.
 */
import { statSync } from 'node:fs'
import { RejoinError } from '@rejoin/core'

/** Takes down which files these are; the result throws once one of them is another, or none, or cannot be looked at. */
export function watchFiles(path: string): () => void {
  const files = [path, `${path}-wal`, `${path}.lock`].map(file => ({ file, identity: identityOf(file) }))
  return () => {
    for (const { file, identity } of files) {
      if (identityOf(file) !== identity) {
        throw new RejoinError(
          'storage-closed',
          { reason: 'gone' },
          `${file} was removed or replaced under the relay, or is out of its reach, and it has to start anew; what it acknowledged is in the file that was there.`,
        )
      }
    }
  }
}

function identityOf(file: string): string {
  try {
    const { dev, ino } = statSync(file, { bigint: true })
    return `${dev} ${ino}`
  } catch {
    // What cannot be looked at now may have been written a moment ago, to nobody knows what.
    return 'none'
  }
}
