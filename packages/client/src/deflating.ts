/**
 * Links whose long frames are deflated. The platform's streams do that while other things go on, so a frame that is
 * being deflated or inflated holds back those behind it: one queue for each direction.
 */
import {
  isDeflated,
  limits,
  restOfFrame,
  withDeflatedRest,
  withInflatedRest,
  type Connect,
  type Link,
} from '@rejoin/core'

/** A stream costs about a millisecond whatever goes through it, which only what is long is worth. */
const deflateFromBytes = 4096

export function deflating(connect: Connect): Connect {
  return (url, events) => {
    const incoming = createQueue()
    let isClosed = false
    const closed = (code: number, reason: string): void => {
      isClosed = true
      events.closed(code, reason)
    }
    const giveUp = connect(url, {
      opened: link => events.opened(withDeflatedFrames(link, () => (isClosed = true))),
      frame(bytes) {
        const hear = (frame: Uint8Array): void => {
          if (!isClosed) events.frame(frame)
        }
        if (isDeflated(bytes)) incoming.add(inflateFrame(bytes), hear)
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

function withDeflatedFrames(link: Link, onClose: () => void): Link {
  const outgoing = createQueue()
  let waitingBytes = 0
  return {
    send(frame) {
      waitingBytes += frame.length
      outgoing.add(frame.length < deflateFromBytes ? frame : deflateFrame(frame), bytes => {
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
  /** Uses what comes when everything before it was used: at once if nothing waits. */
  add<T>(coming: T | Promise<T>, use: (came: T) => void): void
}

function createQueue(): Queue {
  let waiting = 0
  let last: Promise<void> = Promise.resolve()
  return {
    add(coming, use) {
      if (waiting === 0 && !(coming instanceof Promise)) return use(coming)
      waiting += 1
      const done = last.then(async () => {
        const came = await coming
        waiting -= 1
        use(came)
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

async function deflateFrame(frame: Uint8Array): Promise<Uint8Array> {
  const rest = await through(restOfFrame(frame), new CompressionStream('deflate-raw'))
  return rest !== null && rest.length + 1 < frame.length ? withDeflatedRest(frame, rest) : frame
}

/** What cannot be inflated stays as it is, which no decoder takes. */
async function inflateFrame(frame: Uint8Array): Promise<Uint8Array> {
  const rest = await through(restOfFrame(frame), new DecompressionStream('deflate-raw'))
  return rest === null ? frame : withInflatedRest(frame, rest)
}

/** Null if that fails, or more comes than a frame may be. */
async function through(
  bytes: Uint8Array,
  stream: CompressionStream | DecompressionStream,
): Promise<Uint8Array | null> {
  const writer = stream.writable.getWriter()
  // Who reads hears of what goes wrong.
  writer.write(bytes as Uint8Array<ArrayBuffer>).catch(() => {})
  writer.close().catch(() => {})
  const parts: Uint8Array[] = []
  let length = 0
  try {
    const reader: ReadableStreamDefaultReader<Uint8Array> = stream.readable.getReader()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      length += value.length
      if (length > limits.frameBytesMax) {
        await reader.cancel()
        return null
      }
      parts.push(value)
    }
  } catch {
    return null
  }
  const all = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
