/** Messages between tabs by BroadcastChannel. */
import type { OpenChannel } from '@rejoin/core'

export const openBroadcast: OpenChannel = (name, hear) => {
  const channel = channelOf(name)
  if (channel === null) return { post() {}, close() {} }
  channel.onmessage = event => hear(event.data)
  return {
    post(message) {
      try {
        channel.postMessage(message)
      } catch {
        // A closed channel, or a page that is being taken down: a lost message costs a poll.
      }
    },
    close() {
      channel.onmessage = null
      channel.close()
    },
  }
}

/** Null where the browser lets a page that may store nothing talk to nobody either: what others store is found by polls. */
function channelOf(name: string): BroadcastChannel | null {
  try {
    return new BroadcastChannel(name)
  } catch {
    return null
  }
}
