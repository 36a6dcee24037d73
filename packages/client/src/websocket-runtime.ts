/**
 * Links over WebSocket, of browsers and of Node.
 *
 * Whatever happens, `closed` comes once, and nothing after it. A link that is closed here ends at once for its owner;
 * the socket below says goodbye by itself.
 */
import type { Connect, Link, LinkEvents } from '@rejoin/core'
import { abortableSocket } from './node-socket-runtime.ts'
import { systemRuntime } from './system-runtime.ts'

/** Where relays take WebSockets, unless the URL says otherwise. */
const syncPath = '/v1/sync'
/** How long the other end may take to answer a goodbye before the connection is cut, where it can be cut. */
const goodbyeMs = 500

/** Opens a link to `ws:`, `wss:`, `http:` or `https:`; a URL without a path means the relay's own. */
export const connectWebSocket: Connect = (url, events) => {
  let opened: { readonly socket: WebSocket; readonly abort: (() => void) | null }
  try {
    opened = abortableSocket(addressOf(url))
  } catch (error) {
    let isGiven = false
    queueMicrotask(() => {
      if (!isGiven) events.closed(1006, String(error))
    })
    return () => {
      isGiven = true
    }
  }
  return attach(opened.socket, opened.abort, events)
}

/** Where to connect. Throws a TypeError for what is no address of a relay, `localhost:4455` among it. */
export function addressOf(url: string): string {
  const address = URL.canParse(url) ? new URL(url) : null
  if (address?.protocol === 'http:') address.protocol = 'ws:'
  if (address?.protocol === 'https:') address.protocol = 'wss:'
  if (address === null || !['ws:', 'wss:'].includes(address.protocol)) {
    throw new TypeError(`'${url}' is not the address of a relay, such as wss://relay.example/v1/sync`)
  }
  if (address.pathname === '/' || address.pathname === '') address.pathname = syncPath
  address.hash = ''
  return address.href
}

function attach(socket: WebSocket, abort: (() => void) | null, events: LinkEvents): () => void {
  let isOver = false
  socket.binaryType = 'arraybuffer'

  function end(code: number, reason: string): void {
    if (isOver) return
    isOver = true
    events.closed(code, reason)
  }

  function sayGoodbye(code: number, reason: string): void {
    try {
      socket.close(code === 1000 || code >= 3000 ? code : 1000, reason)
    } catch {
      // Closed before it was open: it never becomes a link.
    }
    if (abort === null || socket.readyState === WebSocket.CLOSED) return
    socket.addEventListener('close', systemRuntime.after(goodbyeMs, abort))
  }

  const link: Link = {
    send(frame) {
      if (!isOver && socket.readyState === WebSocket.OPEN) socket.send(frame as Uint8Array<ArrayBuffer>)
    },
    buffered: () => socket.bufferedAmount,
    close(code = 1000, reason = '') {
      if (isOver) return
      sayGoodbye(code, reason)
      queueMicrotask(() => end(code, reason))
    },
  }
  socket.onopen = () => {
    if (!isOver) events.opened(link)
  }
  socket.onmessage = ({ data }: MessageEvent<unknown>) => {
    if (isOver) return
    // A text message is no frame; as no bytes it is refused like any malformed one.
    events.frame(data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array(0))
  }
  socket.onclose = ({ code, reason }) => end(code, reason)
  // What went wrong is told by the close event that follows.
  socket.onerror = () => {}
  return () => {
    if (isOver) return
    isOver = true
    sayGoodbye(1000, '')
  }
}
