/**
 * Where the tokens that people type stand in bodies. What is deleted is erased from a body that is compacted (SPEC X2),
 * so a token that cannot be read any more is either deleted, which its place tells, or lost.
 */
import { mergeBody } from '@rejoin/resolve/screen'
import * as Y from 'yjs'

export interface TypedTokens {
  /** Notes the tokens of an update. One that is made anew has several places. */
  note(update: Uint8Array): void
  /** Whether a body holds it, deleted. */
  isDeleted(token: string, body: readonly Uint8Array[]): boolean
}

interface Place {
  readonly client: number
  readonly clock: number
}

export function createTypedTokens(): TypedTokens {
  const placesByToken = new Map<string, Place[]>()
  return {
    note(update) {
      for (const { id, content } of Y.decodeUpdate(update).structs as readonly Partial<Y.Item>[]) {
        if (id === undefined || !(content instanceof Y.ContentString)) continue
        for (const { index, 0: token } of content.str.matchAll(/<\d+>/g)) {
          const places = placesByToken.get(token) ?? []
          places.push({ client: id.client, clock: id.clock + index })
          placesByToken.set(token, places)
        }
      }
    },
    isDeleted(token, body) {
      if (body.length === 0) return false
      const deletes = Y.decodeUpdate(mergeBody(body)).ds.clients
      return (placesByToken.get(token) ?? []).some(({ client, clock }) =>
        deletes
          .get(client)
          ?.some(range => range.clock <= clock && clock + token.length <= range.clock + range.len),
      )
    },
  }
}
