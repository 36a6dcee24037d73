/**
 * The WebSocket side of a relay: who may upgrade, one sweep over all connections, and their farewell.
 */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type WebSocket } from 'ws'
import { encodeFrame } from '@rejoin/core'
import { closeCodes } from './close-code.ts'
import { afterThisTurn } from './node-runtime.ts'
import type { IsOriginAllowed } from './origin.ts'
import { attachSession, sweepSession, type SocketHost } from './socket-session.ts'

export interface Sockets {
  /** For the `upgrade` event of a server. */
  upgrade(request: IncomingMessage, tcp: Duplex, head: Buffer): void
  /** From now on nobody new is let in. */
  refuse(): void
  /** Tells everybody when to come back, and closes; resolves when they are gone. */
  farewell(): Promise<void>
  /** Ends everything at once. */
  cutOff(): void
}

export const syncPath = '/v1/sync'

// Closed at once, in portions: so many goodbyes in one turn of the event loop.
const sliceSessions = 500

export function createSockets(host: SocketHost, isOriginAllowed: IsOriginAllowed): Sockets {
  const { limits, runtime, sessions, log } = host
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: limits.frameBytesMax,
    maxFragments: limits.fragmentsMax,
    maxBufferedChunks: 1024,
  })
  let isClosing = false
  let count = 0
  let whenEmpty: (() => void) | null = null
  let cancelSweep = runtime.after(limits.sweepMs, sweep)

  function sweep(): void {
    const now = runtime.monotonic()
    for (const session of sessions) sweepSession(session, now)
    if (isClosing && sessions.size === 0) whenEmpty?.()
    cancelSweep = runtime.after(isClosing ? 20 : limits.sweepMs, sweep)
  }

  function attach(socket: WebSocket, request: IncomingMessage): void {
    count += 1
    attachSession(host, socket, request.socket, count)
  }

  return {
    upgrade(request, tcp, head) {
      const { origin } = request.headers
      if (pathOf(request) !== syncPath) return reject(tcp, 404, 'Not Found', 'There is nothing at this path.')
      if (isClosing) return reject(tcp, 503, 'Service Unavailable', 'The relay is going; come back later.')
      if (sessions.size >= limits.connectionsMax) {
        return reject(tcp, 503, 'Service Unavailable', 'The relay has too many connections; come back later.')
      }
      if (!isOriginAllowed(origin)) {
        log.info({ address: (tcp as Socket).remoteAddress, origin }, 'origin refused')
        return reject(tcp, 403, 'Forbidden', 'Pages of this origin may not connect to this relay.')
      }
      server.handleUpgrade(request, tcp, head, attach)
    },

    refuse() {
      isClosing = true
    },

    async farewell() {
      isClosing = true
      const gone = new Promise<void>(resolve => (whenEmpty = resolve))
      let left = 0
      for (const session of sessions) {
        session.send(encodeFrame({ type: 'bye', retryAfterMs: drawRetry() }))
        session.close(closeCodes.draining, 'draining')
        left += 1
        if (left % sliceSessions === 0) await new Promise<void>(afterThisTurn)
      }
      cancelSweep()
      sweep()
      await gone
    },

    cutOff() {
      isClosing = true
      cancelSweep()
      for (const session of sessions) session.socket.terminate()
      server.close()
    },
  }

  /** Between half of the limit and all of it, so that not everybody comes back at once. */
  function drawRetry(): number {
    const [high = 0, low = 0] = runtime.randomBytes(2)
    return Math.round(limits.retryAfterMs * (0.5 + (high * 256 + low) / 131_072))
  }
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?')[0] ?? ''
}

function reject(tcp: Duplex, status: number, title: string, reason: string): void {
  const body = JSON.stringify({ code: status === 403 ? 'not-permitted' : 'closed', reason })
  const head = [
    `HTTP/1.1 ${status} ${title}`,
    'Connection: close',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ]
  // Whoever was turned away may be gone before they hear it.
  tcp.on('error', () => tcp.destroy())
  tcp.once('finish', () => tcp.destroy())
  tcp.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}
