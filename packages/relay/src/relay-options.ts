/**
 * What an application says of its relay.
 */
import type { Runtime } from '@rejoin/core'
import type { Log } from './kernel-port.ts'
import type { OpenRelayStore } from './open-store.ts'
import type { Access, Authenticate, Rules } from './permission.ts'
import type { SocketLimits } from './socket-limits.ts'

export interface RelayOptions extends Rules {
  /** Where rows are kept: `sqlite(path)`, or in memory if left out. */
  readonly store?: OpenRelayStore | undefined
  /** Who a token stands for. Must be given, but for development. */
  readonly token?: Authenticate | undefined
  /** Who may read or write which space. Left out, whoever is known may. */
  readonly access?: Access | undefined
  /** Origins of web pages that may connect, exactly as browsers send them: `https://notes.example`. */
  readonly origins?: readonly string[] | undefined
  /** Any token is a user's name, pages of this machine may connect, and nothing but this machine is listened to. */
  readonly development?: boolean | undefined
  readonly limits?: Partial<SocketLimits> | undefined
  readonly log?: Log | undefined
  readonly runtime?: Runtime | undefined
}

export interface ListenOptions {
  /** 0 for any that is free. */
  readonly port?: number | undefined
  readonly host?: string | undefined
}
