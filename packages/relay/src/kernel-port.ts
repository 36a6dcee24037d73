/**
 * The port between the shell, which has the sockets, and the kernel, which has the rules. The kernel sees frames and
 * a link; it does not know what carries them. The shell sees a session; it does not know what is in a frame, but for
 * the hello that has to come first.
 */
import type { Frame, RelayStore, Runtime } from '@rejoin/core'
import type { Accept, Access, Authenticate } from './permission.ts'

export interface Kernel {
  /** A new session for a link; nothing is known of it until its hello came. */
  attach(link: SessionLink): KernelSession
  /**
   * Speaks first over a link to a peer: from then on each pulls the other's feed of this space. The frames that
   * come are to be given to the session that it returns. What a relay dials that follows is its leader.
   */
  dial(space: string, link: SessionLink): KernelSession
  /** Stops accepting, answers what is in flight, then resolves. */
  drain(): Promise<void>
}

/** What a session may do with its socket. Nothing here throws, and nothing is sent after `close`. */
export interface SessionLink {
  /** The bytes must not change afterwards: they go to the socket as they are, perhaps to many. */
  send(bytes: Uint8Array): void
  /** Bytes handed to `send` that the network has not taken yet. */
  buffered(): number
  close(code: number, reason: string): void
  /**
   * Until `resume` nothing is received over it: what the other end sends waits there (SPEC F5). False if this link cannot
   * be held back; who sends too much over such a link is sent away.
   */
  pause(): boolean
  /** What waited comes, at once or later; it may be held back again meanwhile. */
  resume(): void
  /** Of the other end, for limits and logs. */
  readonly address: string
}

export interface KernelSession {
  /** `bytes`: what the frame took before it was decoded. */
  receive(frame: Frame, bytes: number): void
  /** What was buffered has gone: there is room again. */
  drained(): void
  /** Once; nothing comes after it. */
  closed(): void
}

export interface KernelOptions {
  readonly store: RelayStore
  readonly runtime: Runtime
  readonly token: Authenticate
  readonly access: Access
  readonly accept: Accept
  readonly log: Log
  /** How a frame may be sent in fewer bytes, if its links can be given such: of what is kept, to be sent again. */
  readonly deflate?: ((frame: Uint8Array) => Uint8Array) | undefined
  /** What relays that are peers of each other show. Without it nobody is a peer (SPEC T3). */
  readonly peerToken?: string | undefined
  /**
   * Whether it follows what it dials: it judges nothing, but passes on what is submitted or given to it, and has that
   * when it comes back in its pull (SPEC Q2).
   */
  readonly follows?: boolean | undefined
  /**
   * How many other relays are to have a write on disk until it is at `quorum`; without it there is no such level
   * (SPEC A3). Its leader counts for a follower, which offers the level by this until it has met its leader.
   */
  readonly ackReplicas?: number | undefined
}

export type CreateKernel = (options: KernelOptions) => Kernel

/**
 * Where the relay tells what it does: `error` for what a developer should look at, `info` for a change of state worth
 * knowing, `debug` for the rest. Never tokens, never contents.
 */
export interface Log {
  error(fields: Readonly<Record<string, unknown>>, message: string): void
  info(fields: Readonly<Record<string, unknown>>, message: string): void
  debug(fields: Readonly<Record<string, unknown>>, message: string): void
}

/**
 * A session that finds as much as this buffered after a `send` stops sending; `drained` is called when all of it has
 * gone. It is above what a socket takes without being asked to wait, so that the call does come.
 */
export const bufferedMarkBytes: number = 256 * 1024
