/**
 * What the tabs of a replica tell each other of their journal: which chunk was stored, as soon as it is.
 *
 * A message costs as much as storing a small write does, and most replicas are open in one tab; so a tab says nothing
 * until it has heard another one. Whoever comes says hello, and is answered by the position up to which the other has
 * read, as is whatever is heard first: then both know of each other, and miss nothing that was not said before. A
 * message that is lost costs a poll: who knows of nobody says hello with each look into the journal.
 */
import type { Channel, OpenChannel } from '@rejoin/core'

export interface Announcements {
  /** A chunk of this tab is stored. */
  announce(position: number, chunk: Uint8Array): void
  /** Looks for others, if none is known. */
  seek(): void
  /** Listens, if it does not yet; `seek` is the next call. */
  open(): void
  close(): void
}

export interface AnnouncementsOptions {
  readonly name: string
  readonly openChannel: OpenChannel
  /** Up to where this tab has read. */
  readonly seen: () => number
  /** Something is stored at a position; its bytes, if they are few. */
  readonly onStored: (position: number, chunk: Uint8Array | null) => void
}

/** Larger chunks are announced by position alone and read from the journal: a copy through the channel costs more. */
const announcedBytesMax = 16 * 1024

const hello = { kind: 'hello' }

export function createAnnouncements({
  name,
  openChannel,
  seen,
  onStored,
}: AnnouncementsOptions): Announcements {
  let channel: Channel | null = null
  let knowsOthers = false

  function hear(message: unknown): void {
    const isHello = typeof message === 'object' && message !== null && 'kind' in message
    if (isHello || !knowsOthers) {
      knowsOthers = true
      channel?.post({ position: seen(), bytes: null } satisfies Announcement)
    }
    if (isAnnouncement(message)) onStored(message.position, message.bytes)
  }

  return {
    announce(position, chunk) {
      if (!knowsOthers) return
      const bytes = chunk.length <= announcedBytesMax ? chunk : null
      channel?.post({ position, bytes } satisfies Announcement)
    },
    seek() {
      if (!knowsOthers) channel?.post(hello)
    },
    open() {
      if (channel !== null) return
      channel = openChannel(name, hear)
      knowsOthers = false
    },
    close() {
      channel?.close()
      channel = null
    },
  }
}

interface Announcement {
  readonly position: number
  readonly bytes: Uint8Array | null
}

/** Other tabs may run other versions of the application: a message is judged like anything from outside. */
function isAnnouncement(message: unknown): message is Announcement {
  if (typeof message !== 'object' || message === null || !('position' in message)) return false
  const { position } = message
  const bytes = 'bytes' in message ? message.bytes : undefined
  return Number.isSafeInteger(position) && (bytes === null || bytes instanceof Uint8Array)
}
