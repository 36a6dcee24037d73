/** Messages between tabs by BroadcastChannel. */
import type { OpenChannel } from '@rejoin/core'

export const openBroadcast: OpenChannel = (name, hear) => {
  const channel = new BroadcastChannel(name)
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
