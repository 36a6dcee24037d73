/** Links whose messages are counted, with their bytes, as they are on the wire. */
import { connectWebSocket, deflating } from '@rejoin/client'
import type { Connect } from '@rejoin/core'

export interface CountedLinks {
  readonly connect: Connect
  readonly messages: number
  readonly bytes: number
  /** Counts from nothing again. */
  reset(): void
}

export function countLinks(): CountedLinks {
  let messages = 0
  let bytes = 0
  const count = (frame: Uint8Array): void => {
    messages += 1
    bytes += frame.length
  }
  const counted: Connect = (url, events) =>
    connectWebSocket(url, {
      opened: link =>
        events.opened({
          ...link,
          send(frame) {
            count(frame)
            link.send(frame)
          },
        }),
      frame(frame) {
        count(frame)
        events.frame(frame)
      },
      closed: events.closed,
    })
  return {
    connect: deflating(counted),
    get messages() {
      return messages
    },
    get bytes() {
      return bytes
    },
    reset() {
      messages = 0
      bytes = 0
    },
  }
}
