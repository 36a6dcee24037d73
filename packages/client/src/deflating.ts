/**
 * Links whose long frames are deflated. That may take turns in which other things go on, so a frame that is being deflated
 * or inflated holds back those behind it: one queue for each direction.
 */
import {
  isDeflated,
  restOfFrame,
  withDeflatedRest,
  withInflatedRest,
  type Connect,
  type Link,
} from '@rejoin/core'
import { nodeDeflation } from './node-deflation-runtime.ts'
import { streamDeflation } from './stream-deflation.ts'

/** Of the bytes of one frame. Null for what cannot be done, or would be longer than a frame may be. */
export interface Deflation {
  deflate(bytes: Uint8Array): Uint8Array | null | Promise<Uint8Array | null>
  inflate(bytes: Uint8Array): Uint8Array | null | Promise<Uint8Array | null>
}

/** A stream costs about a millisecond whatever goes through it, which only what is long is worth. */
const deflateFromBytes = 4096

export function deflating(
  connect: Connect,
  deflation: Deflation = nodeDeflation ?? streamDeflation,
): Connect {
  return (url, events) => {
    const incoming = createQueue()
    let isClosed = false
    const closed = (code: number, reason: string): void => {
      isClosed = true
      events.closed(code, reason)
    }
    const hear = (frame: Uint8Array, isMore: boolean): void => {
      if (!isClosed) events.frame(frame, isMore)
    }
    const giveUp = connect(url, {
      opened: link => events.opened(withDeflatedFrames(link, deflation, () => (isClosed = true))),
      frame(bytes) {
        if (isDeflated(bytes)) incoming.add(inflateFrame(bytes, deflation), hear)
        else incoming.add(bytes, hear)
      },
      closed(code, reason) {
        if (isClosed) return closed(code, reason)
        incoming.add(null, () => closed(code, reason))
      },
    })
    return () => {
      isClosed = true
      giveUp()
    }
  }
}

function withDeflatedFrames(link: Link, deflation: Deflation, onClose: () => void): Link {
  const outgoing = createQueue()
  let waitingBytes = 0
  return {
    send(frame) {
      waitingBytes += frame.length
      outgoing.add(frame.length < deflateFromBytes ? frame : deflateFrame(frame, deflation), bytes => {
        waitingBytes -= frame.length
        link.send(bytes)
      })
    },
    buffered: () => link.buffered() + waitingBytes,
    close(code, reason) {
      onClose()
      link.close(code, reason)
    },
  }
}

interface Queue {
  /** Uses what comes when everything before it was used: at once if nothing waits. Says whether something waits behind. */
  add<T>(coming: T | Promise<T>, use: (came: T, isMore: boolean) => void): void
}

function createQueue(): Queue {
  let waiting = 0
  let last: Promise<void> = Promise.resolve()
  return {
    add(coming, use) {
      if (waiting === 0 && !(coming instanceof Promise)) return use(coming, false)
      waiting += 1
      const done = last.then(async () => {
        const came = await coming
        waiting -= 1
        use(came, waiting > 0)
      })
      // A bug of who uses it is told like any other, and is no reason to keep back what follows.
      last = done.catch((error: unknown) =>
        queueMicrotask(() => {
          throw error
        }),
      )
    },
  }
}

function deflateFrame(frame: Uint8Array, { deflate }: Deflation): Uint8Array | Promise<Uint8Array> {
  const deflated = (rest: Uint8Array | null): Uint8Array =>
    rest !== null && rest.length + 1 < frame.length ? withDeflatedRest(frame, rest) : frame
  const rest = deflate(restOfFrame(frame))
  return rest instanceof Promise ? rest.then(deflated) : deflated(rest)
}

/** What cannot be inflated stays as it is, which no decoder takes. */
function inflateFrame(frame: Uint8Array, { inflate }: Deflation): Uint8Array | Promise<Uint8Array> {
  const inflated = (rest: Uint8Array | null): Uint8Array =>
    rest === null ? frame : withInflatedRest(frame, rest)
  const rest = inflate(restOfFrame(frame))
  return rest instanceof Promise ? rest.then(inflated) : inflated(rest)
}
