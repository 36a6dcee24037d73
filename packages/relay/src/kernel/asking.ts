/** Asking a peer for what its feed did not bring, in as many frames as hold it (SPEC P4, X6). */
import type { WantedText, WantFrame } from '@rejoin/core'
import { send, type Attached } from './attached.ts'

/** How many rows or bodies one frame asks for: their names alone must fit. */
const askedPerFrame = 4096
/** What is here of a body is told by a clock for each who typed. */
const clientsPerFrame = 65_536

export function sendWant(attached: Attached, { keys, texts, writers }: WantFrame): void {
  for (let from = 0; from < keys.length; from += askedPerFrame)
    send(attached, { type: 'want', keys: keys.slice(from, from + askedPerFrame), texts: [], writers: [] })
  for (const some of portionsOf(texts)) send(attached, { type: 'want', keys: [], texts: some, writers: [] })
  if (writers.length > 0) send(attached, { type: 'want', keys: [], texts: [], writers })
}

function portionsOf(texts: readonly WantedText[]): readonly (readonly WantedText[])[] {
  const portions: WantedText[][] = []
  let room = 0
  for (const text of texts) {
    const takes = text.stateVector.size + clientsPerFrame / askedPerFrame
    if (room < takes) {
      portions.push([])
      room = clientsPerFrame
    }
    portions.at(-1)?.push(text)
    room -= takes
  }
  return portions
}
