/// <reference lib="esnext.disposable" preserve="true" />
/**
 * The shell of a relay: an HTTP server, its sockets, a store and a kernel, and the order in which they begin and end.
 *
 *   made ── listen ──▶ listening ── close ──▶ draining ──▶ closed
 *
 * It ends in the order that loses nothing: nobody new, then what is in flight is answered, then everybody is told to
 * come back, then the store is closed. What takes too long is cut off: whatever was acknowledged is on disk anyway.
 */
import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import { Hono } from 'hono'
import type { RejoinError, RelayStore } from '@rejoin/core'
import type { CreateKernel, Kernel } from './kernel-port.ts'
import { noLog } from './logger.ts'
import { createMemoryDisk } from './memory-store.ts'
import { nodeRuntime } from './node-runtime.ts'
import { createOriginCheck, isLoopback } from './origin.ts'
import { allowEverything, createAccept, trustEverybody } from './permission.ts'
import type { ListenOptions, RelayOptions } from './relay-options.ts'
import { socketLimits, type SocketLimits } from './socket-limits.ts'
import { deflateToKeep } from './deflating.ts'
import { createSockets, syncPath, type Sockets } from './sockets.ts'
import { within } from './within.ts'

export interface Relay {
  /** The HTTP side; routes may be added until it listens. */
  readonly app: Hono
  /** Opens the store and listens. Rejects with `storage-blocked`, `storage-closed`, or the system's error. */
  listen(options?: ListenOptions): Promise<RelayAddress>
  /** Resolves if the files of its store were removed or replaced; the relay has closed then. */
  readonly lost: Promise<RejoinError>
  /** Answers what is in flight, sends everybody away, closes the store. Takes at most `limits.stopMs`. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

export interface RelayAddress {
  readonly host: string
  readonly port: number
  /** Of the WebSocket. */
  readonly url: string
}

interface Running {
  readonly server: Server
  readonly store: RelayStore
  readonly kernel: Kernel
  readonly sockets: Sockets
}

/** A relay around a kernel. `createRelay` is this around the relay's own kernel. */
export function createShell(options: RelayOptions, createKernel: CreateKernel): Relay {
  const development = options.development === true
  const token = options.token ?? (development ? trustEverybody : null)
  if (token === null) throw new Error('A relay needs `token`, which says who a token stands for.')
  const runtime = options.runtime ?? nodeRuntime
  const log = options.log ?? noLog
  const limits: SocketLimits = { ...socketLimits, ...options.limits }
  const openStore = options.store ?? createMemoryDisk(runtime.randomBytes).open
  const authenticate = token
  let state: 'made' | 'listening' | 'draining' | 'closed' = 'made'
  let listening: Promise<unknown> | null = null
  let running: Running | null = null
  let closing: Promise<void> | null = null
  let tellLost: (error: RejoinError) => void = () => {}
  const lost = new Promise<RejoinError>(resolve => (tellLost = resolve))

  const app = new Hono()
  app.onError((error, context) => {
    log.error({ path: context.req.path, error: error.stack }, 'a request failed')
    return context.text('The relay could not answer.', 500)
  })
  app.get('/livez', context => context.text('ok'))
  app.get('/readyz', context => (state === 'listening' ? context.text('ok') : context.text(state, 503)))
  app.get(syncPath, context =>
    context.text('This is where WebSockets connect.', 426, { upgrade: 'websocket' }),
  )

  function listen(at: ListenOptions = {}): Promise<RelayAddress> {
    if (state !== 'made') return Promise.reject(new Error('A relay listens once.'))
    state = 'listening'
    return (listening = open(at))
  }

  async function open({ port = 4455, host = '127.0.0.1' }: ListenOptions): Promise<RelayAddress> {
    if (development && !isLoopback(host)) throw new Error('In development a relay listens on loopback only.')
    const store = await openStore()
    try {
      return await begin(store, host, port)
    } catch (error) {
      await store.close()
      throw error
    }
  }

  async function begin(store: RelayStore, host: string, port: number): Promise<RelayAddress> {
    const kernel = createKernel({
      store,
      runtime,
      token: authenticate,
      access: options.access ?? allowEverything,
      accept: createAccept(options),
      log,
      deflate: deflateToKeep,
    })
    const shared = { kernel, runtime, limits, log, sessions: new Set<never>() }
    const sockets = createSockets(shared, createOriginCheck(options.origins ?? [], development))
    const server = createAdaptorServer({
      fetch: app.fetch,
      serverOptions: { headersTimeout: 10_000, requestTimeout: 30_000, connectionsCheckingInterval: 5000 },
    }) as Server
    server.maxHeadersCount = 64
    server.on('upgrade', sockets.upgrade)
    try {
      await listenOn(server, host, port)
    } catch (error) {
      sockets.cutOff()
      throw error
    }
    server.on('error', error => log.error({ error: String(error) }, 'the server failed'))
    running = { server, store, kernel, sockets }
    const bound = portOf(server, port)
    const url = `ws://${host.includes(':') ? `[${host}]` : host}:${bound}${syncPath}`
    void store.gone?.then(async error => {
      log.error({ error: error.message }, 'the store is gone')
      await close()
      tellLost(error)
    })
    const { id, generation, isNew } = store
    log.info({ url, store: id, isNew, generation, development }, 'relay started')
    return { host, port: bound, url }
  }

  async function drain(): Promise<void> {
    state = 'draining'
    // Whether it came to listen is told to who asked for that; here it is only waited for.
    await listening?.catch(() => null)
    const ended = running
    running = null
    if (ended !== null) {
      const { server, store, kernel, sockets } = ended
      sockets.refuse()
      await within(runtime, limits.stopMs, async isLate => {
        await kernel.drain().catch((error: unknown) => {
          log.error({ error: String(error) }, 'the kernel could not end in order')
        })
        if (!isLate()) await sockets.farewell()
      })
      sockets.cutOff()
      server.close()
      server.closeAllConnections()
      await store.close()
    }
    state = 'closed'
    log.info({}, 'relay stopped')
  }

  const close = (): Promise<void> => (closing ??= drain())
  return { app, listen, lost, close, [Symbol.asyncDispose]: close }
}

function listenOn(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function portOf(server: Server, asked: number): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : asked
}
