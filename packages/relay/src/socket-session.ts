/**
 * One WebSocket: bytes to frames on the way in, and the link that the kernel sends on.
 *
 *   upgraded ── hello ──▶ heard ── first frame sent ──▶ answered ── refuse | close ──▶ ending ──▶ closed
 *       └──────────────────┴────────── refuse | deadline ─────────────────────────────┘
 *
 * Ten thousand idle ones have to be cheap: the session is one object on its socket, and what is called on its events are
 * functions that all share. It has no timer; the sweep in sockets.ts looks at its times.
 */
import type { Socket } from 'node:net'
import type { RawData, WebSocket } from 'ws'
import {
  createDictionary,
  decodeFrame,
  encodeFrame,
  failure,
  isLinked,
  withMethods,
  type Dictionary,
  type Failure,
  type HelloFrame,
  type Runtime,
} from '@rejoin/core'
import { closeCodeOf, closeCodes } from './close-code.ts'
import { deflateFrame, inflateFrame } from './deflating.ts'
import { messageOf } from './framing.ts'
import {
  bufferedMarkBytes,
  type Kernel,
  type KernelSession,
  type Log,
  type SessionLink,
} from './kernel-port.ts'
import type { SocketLimits } from './socket-limits.ts'

/** What all sessions of a relay share. */
export interface SocketHost {
  readonly kernel: Kernel
  readonly runtime: Runtime
  readonly limits: SocketLimits
  readonly log: Log
  readonly sessions: Set<SocketSession>
}

export interface SocketSession extends SessionLink {
  readonly host: SocketHost
  readonly socket: WebSocket
  readonly tcp: Socket
  /** For logs. */
  readonly number: number
  /** All times are of the monotonic clock. */
  readonly openedAt: number
  session: KernelSession | null
  /** Those that came over it; none before the first. */
  names: Dictionary | null
  heard: boolean
  answered: boolean
  /** When its end began, or 0. */
  endingAt: number
  pressed: boolean
  /** While it is not read, what came out of what had been read already; else null (SPEC F5). */
  held: RawData[] | null
  pingedAt: number
  /** What had been received at the last ping. More of anything since then is an answer. */
  bytesAtPing: number
  missedPings: number
  /** What ws found wrong; its close event only knows 1006. */
  fault: string | null
}

interface SessionSocket extends WebSocket {
  rejoinSession?: SocketSession
}

type LinkMethods = Omit<SessionLink, 'address'>

// Shared by all sessions, as their prototype.
const linkMethods: LinkMethods & ThisType<SocketSession> = {
  send(bytes) {
    if (this.endingAt !== 0) return
    this.answered = true
    // ws queues nothing, since it compresses nothing, so this keeps its order with what ws writes itself.
    if (this.socket.readyState === this.socket.OPEN) this.tcp.write(messageOf(deflateFrame(bytes)))
    const buffered = this.socket.bufferedAmount
    if (buffered < bufferedMarkBytes) return
    if (buffered > this.host.limits.bufferedBytesMax) {
      this.fault = 'slow reader'
      this.socket.terminate()
    } else if (!this.pressed) {
      this.pressed = true
      this.tcp.once('drain', () => {
        this.pressed = false
        if (this.endingAt === 0) this.session?.drained()
      })
    }
  },
  buffered() {
    return this.socket.bufferedAmount
  },
  close(code, reason) {
    if (this.endingAt !== 0) return
    this.endingAt = this.host.runtime.monotonic()
    // Its answer is to be read, and what lies unread would make the system cut the other end off before it has heard why.
    if (this.held !== null) this.socket.resume()
    this.held = null
    this.socket.close(code, reason)
  },
  pause() {
    if (this.endingAt !== 0) return true
    this.held ??= []
    this.socket.pause()
    return true
  },
  resume() {
    const { held } = this
    if (held === null) return
    this.held = null
    // Each of them may have it held back again.
    for (const message of held) take(this, message)
    if (this.held === null) this.socket.resume()
  },
}

/** Makes a session of a socket that was just upgraded. */
export function attachSession(host: SocketHost, socket: WebSocket, tcp: Socket, number: number): void {
  const now = host.runtime.monotonic()
  const fields: Omit<SocketSession, keyof LinkMethods> = {
    host,
    socket,
    tcp,
    number,
    address: tcp.remoteAddress ?? '',
    openedAt: now,
    session: null,
    names: null,
    heard: false,
    answered: false,
    endingAt: 0,
    pressed: false,
    held: null,
    pingedAt: now,
    bytesAtPing: 0,
    missedPings: 0,
    fault: null,
  }
  const session: SocketSession = withMethods(fields, linkMethods)
  ;(socket as SessionSocket).rejoinSession = session
  host.sessions.add(session)
  socket.on('message', onMessage)
  socket.on('error', onError)
  socket.on('close', onClose)
  session.session = host.kernel.attach(session)
}

/** Says why and closes. */
export function refuseSession(session: SocketSession, error: Failure): void {
  session.send(encodeFrame({ type: 'refuse', error }))
  session.fault ??= describeFailure(error)
  session.close(closeCodeOf(error.code), error.code)
}

/** Ends sessions that had their time: one pass over one session. */
export function sweepSession(session: SocketSession, now: number): void {
  const { limits } = session.host
  if (session.endingAt !== 0) {
    if (now - session.endingAt >= limits.closeMs) session.socket.terminate()
  } else if (!session.heard && session.tcp.bytesRead > 2 * limits.helloBytesMax) {
    // A hello that never ends, of which all is kept that comes.
    session.fault = 'no hello'
    session.socket.terminate()
  } else if (!session.answered) {
    if (now - session.openedAt < (session.heard ? limits.answerMs : limits.helloMs)) return
    session.fault = session.heard ? 'no answer' : 'no hello'
    session.close(closeCodes.timeout, session.fault)
  } else if (session.held !== null) {
    // Who is not read cannot be heard: their silence is this side's.
    session.pingedAt = now
    session.missedPings = 0
  } else if (now - session.pingedAt >= limits.pingMs) {
    const received = session.tcp.bytesRead
    session.missedPings = received === session.bytesAtPing ? session.missedPings + 1 : 0
    if (session.missedPings >= limits.missedPingsMax) {
      session.fault = 'no answer to pings'
      session.socket.terminate()
      return
    }
    session.pingedAt = now
    session.bytesAtPing = received
    session.socket.ping()
  }
}

function onMessage(this: WebSocket, message: RawData, isBinary: boolean): void {
  const session = sessionOf(this)
  if (isBinary) take(session, message)
  else if (session.endingAt === 0) refuseSession(session, malformed('a text message'))
}

function take(session: SocketSession, message: RawData): void {
  if (session.endingAt !== 0) return
  if (session.held !== null) return void session.held.push(message)
  try {
    receive(session, message)
  } catch (error) {
    // A bug, but one that a single peer's frame has met: the others stay connected.
    session.host.log.error(
      { session: session.number, error: describeError(error) },
      'a frame broke its session',
    )
    session.fault = 'internal'
    session.close(closeCodes.internal, 'internal')
  }
}

function receive(session: SocketSession, message: RawData): void {
  const bytes = bytesOfMessage(message)
  const limit = session.host.limits.helloBytesMax
  if (!session.heard && bytes.length > limit) {
    return refuseSession(session, failure('frame-too-large', { bytes: bytes.length, limit }))
  }
  const inflated = session.heard ? inflateFrame(bytes) : bytes
  if (inflated === null) return refuseSession(session, malformed('a frame that cannot be inflated'))
  if (isLinked(inflated)) session.names ??= createDictionary()
  const decoded = decodeFrame(inflated, session.names ?? undefined)
  if (!decoded.ok) return refuseSession(session, decoded.error)
  const frame = decoded.value
  if ((frame.type === 'hello') === session.heard) {
    return refuseSession(session, malformed('a session begins with one hello'))
  }
  if (frame.type === 'hello') beginSession(session, frame)
  session.session?.receive(frame, inflated.length)
}

function beginSession(session: SocketSession, hello: HelloFrame): void {
  session.heard = true
  const { space, role, device } = hello
  session.host.log.info(
    { session: session.number, address: session.address, space, role, device },
    'session opened',
  )
}

function onError(this: WebSocket, error: Error & { readonly code?: string }): void {
  const session = sessionOf(this)
  session.fault = error.code ?? error.message
  if (session.endingAt === 0) session.endingAt = session.host.runtime.monotonic()
}

function onClose(this: WebSocket, code: number): void {
  const session = sessionOf(this)
  const { host, tcp, fault } = session
  session.endingAt ||= host.runtime.monotonic()
  host.sessions.delete(session)
  session.session?.closed()
  session.session = null
  const fields = {
    session: session.number,
    address: session.address,
    code,
    ...(fault === null ? {} : { fault }),
    ms: Math.round(host.runtime.monotonic() - session.openedAt),
    received: tcp.bytesRead,
    sent: tcp.bytesWritten,
  }
  // Of who never said hello, only what was wrong with them is worth a line.
  if (session.heard || fault !== null) host.log.info(fields, 'session closed')
  else host.log.debug(fields, 'connection closed')
}

function sessionOf(socket: SessionSocket): SocketSession {
  const session = socket.rejoinSession
  if (session === undefined) throw new Error('invariant broken: every accepted socket has its session')
  return session
}

/** As it lies, which may be in a piece of a larger buffer: what is read of it is copied (core/wire/reader.ts). */
export function bytesOfMessage(message: RawData): Uint8Array {
  if (message instanceof ArrayBuffer) return new Uint8Array(message)
  const { buffer, byteOffset, length } = Array.isArray(message) ? Buffer.concat(message) : message
  return new Uint8Array(buffer, byteOffset, length)
}

function malformed(reason: string): Failure {
  return failure('malformed-frame', { reason })
}

function describeFailure(error: Failure): string {
  return error.code === 'malformed-frame' ? `${error.code}: ${error.details.reason}` : error.code
}

function describeError(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
