/**
 * The connections of a replica: one that goes from relay to relay (failover), or one to each of them at once (quorum).
 *
 * Each of several has its own session, back-off and token. A replica that holds nothing yet pulls from the first one
 * alone, so that it does not load everything from each: where that one ends, the others go on from what it told of them.
 */
import type { StoreId } from '@rejoin/core'
import {
  createConnection,
  type Connection,
  type ConnectionInfo,
  type ConnectionOptions,
} from './connection.ts'
import type { Quorum } from './quorum.ts'
import type { Connection as ConnectionState, RelayStatus } from './status.ts'

export interface Connections {
  /** Of all of them: as far as the best has come; level if as many are as a read needs. */
  info(): ConnectionInfo
  relays(): readonly RelayStatus[]
  /** Those that have begun. */
  readonly begun: readonly Connection[]
  pause(): void
  resume(): void
  nudge(): void
  close(): void
}

export interface ConnectionsOptions extends Omit<ConnectionOptions, 'converse' | 'onChange'> {
  readonly quorum: Quorum | null
  /** Whether nothing is held here that a relay sent. */
  readonly isNew: () => boolean
  readonly converse: (
    ...of: [...Parameters<ConnectionOptions['converse']>, look: () => void]
  ) => ReturnType<ConnectionOptions['converse']>
  readonly onChange: () => void
  /** How many own writes wait for a relay's store, and how many it refused; of all stores if it is not known. */
  readonly outboxOf: (store: StoreId | undefined) => Pick<RelayStatus, 'waiting' | 'refused'>
}

/** The others wait so long for the first one to be greeted. */
const greetedMs = 2000

const rank: Readonly<Record<ConnectionState, number>> = {
  paused: 0,
  offline: 1,
  connecting: 2,
  'catching-up': 3,
  online: 4,
}

export function createConnections(options: ConnectionsOptions): Connections {
  const { quorum, runtime, onChange } = options
  const begun: Connection[] = []
  /** Where each URL led to. */
  const stores = new Map<string, StoreId>()
  let { isPaused } = options
  let isClosed = false
  let left: readonly (readonly string[])[] =
    quorum === null ? [options.relays] : options.relays.map(url => [url])

  function begin(relays: readonly string[]): void {
    const connection: Connection = createConnection({
      ...options,
      relays,
      isPaused,
      converse: (url, token, onEnd) => options.converse(url, token, onEnd, () => connection.look()),
      onChange: look,
    })
    begun.push(connection)
  }

  function beginOthers(): void {
    cancelWait()
    const others = isClosed ? [] : left
    left = []
    for (const relays of others) begin(relays)
  }

  function look(): void {
    if (left.length === 0) return onChange()
    const first = begun[0]?.info()
    // Whatever became of it, there is nothing to wait for any more.
    const isDecided =
      first?.caughtUp === true || first?.connection === 'offline' || first?.connection === 'paused'
    if (isDecided && !isPaused && begun.length > 0) beginOthers()
    onChange()
  }

  let cancelWait = (): void => {}
  const [first = [], ...others] = left
  left = others
  begin(first)
  if (!options.isNew()) beginOthers()
  else if (left.length > 0) {
    cancelWait = runtime.after(greetedMs, () => {
      if (begun[0]?.info().connection !== 'catching-up') beginOthers()
    })
  }

  function statusOf(connection: Connection): RelayStatus {
    const url = connection.url()
    const store = connection.session()?.relay?.store ?? stores.get(url)
    if (store !== undefined) stores.set(url, store)
    const { connection: state, caughtUp, reason } = connection.info()
    const { waiting, refused } = options.outboxOf(store)
    const status = { url, connection: state, caughtUp, waiting, refused }
    return reason === undefined ? status : { ...status, reason }
  }

  return {
    info() {
      let best: ConnectionInfo | null = null
      let level = 0
      for (const one of begun) {
        const info = one.info()
        if (best === null || rank[info.connection] > rank[best.connection]) best = info
        if (info.caughtUp) level += 1
      }
      const { connection, reason } = best ?? nothingBegun
      return { connection, reason, caughtUp: level >= (quorum?.read ?? 1) }
    },
    relays() {
      if (options.relays.length === 0) return []
      const waiting = left.map(([url = '']) => ({
        url,
        ...nothingBegun,
        ...options.outboxOf(stores.get(url)),
      }))
      return [...begun.map(statusOf), ...waiting]
    },
    begun,
    pause() {
      isPaused = true
      for (const connection of begun) connection.pause()
    },
    resume() {
      isPaused = false
      for (const connection of begun) connection.resume()
    },
    nudge() {
      for (const connection of begun) connection.nudge()
    },
    close() {
      isClosed = true
      cancelWait()
      for (const connection of begun) connection.close()
    },
  }
}

const nothingBegun: ConnectionInfo = { connection: 'connecting', reason: undefined, caughtUp: false }
