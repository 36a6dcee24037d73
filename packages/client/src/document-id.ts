/**
 * Ids of documents: made by Rejoin (the writer's 64 bits and a serial), or a string of the application's (SPEC W5).
 */
import { isForbiddenKey, limits, mintedId, RejoinError, type WriterId } from '@rejoin/core'

/** Makes ids. A serial is never used twice for one writer, and a writer never by another tab. */
export type Mint = (writer: WriterId) => string

export function createMint(): Mint {
  const serialByWriter = new Map<WriterId, number>()
  return writer => {
    const serial = (serialByWriter.get(writer) ?? 0) + 1
    serialByWriter.set(writer, serial)
    return mintedId(writer, serial)
  }
}

/** Control characters, and halves of surrogate pairs, which have no form in UTF-8. */
const unspeakable = /[\p{Cc}\p{Surrogate}]/u

const plain = /^[\w.-]+$/
const utf8: TextEncoder = new TextEncoder()

/** Throws `key-forbidden` for what cannot be an id, `limit-exceeded` for one that is too long. */
export function checkDocumentId(id: string): void {
  if (typeof id === 'string' && id.length <= limits.idBytesMax && plain.test(id) && !isForbiddenKey(id))
    return
  if (typeof id !== 'string' || id === '' || isForbiddenKey(id) || unspeakable.test(id)) {
    throw new RejoinError('key-forbidden', { key: String(id) }, `'${String(id)}' cannot be a document's id`)
  }
  const bytes = utf8.encode(id).length
  const limit = limits.idBytesMax
  if (bytes > limit) {
    const details = { what: 'bytes of an id', limit, actual: bytes }
    throw new RejoinError('limit-exceeded', details, `an id has ${bytes} bytes, at most ${limit}`)
  }
}
