/**
 * Sockets that can be cut. A browser takes care of one that was closed; Node keeps the process alive for as long as the
 * other end does not answer the goodbye, which is for ever where nobody is there any more. Node's WebSocket takes a
 * dispatcher, as its `fetch` does; one that passes everything on sees the TCP connection and can end it.
 */

interface Connection {
  destroy(): void
}

interface Handler {
  onUpgrade?(status: number, headers: unknown, connection: Connection): unknown
}

interface Dispatcher {
  dispatch(options: unknown, handler: Handler): boolean
}

type NodeWebSocket = new (url: string, options: { readonly dispatcher: Dispatcher }) => WebSocket

const globalDispatcher: symbol = Symbol.for('undici.globalDispatcher.1')

/** A socket, and how to cut its connection; null where that is not possible, and not needed. */
export function abortableSocket(url: string): {
  readonly socket: WebSocket
  readonly abort: (() => void) | null
} {
  // Looking at WebSocket is what makes Node set its dispatcher up.
  const Socket = WebSocket
  const below = dispatcherOfNode()
  if (below === null) return { socket: new Socket(url), abort: null }
  let connection: Connection | null = null
  const dispatcher: Dispatcher = {
    dispatch: (options, handler) =>
      below.dispatch(
        options,
        Object.assign(Object.create(handler) as Handler, {
          onUpgrade(status: number, headers: unknown, upgraded: Connection) {
            connection = upgraded
            return handler.onUpgrade?.(status, headers, upgraded)
          },
        }),
      ),
  }
  const socket = new (Socket as unknown as NodeWebSocket)(url, { dispatcher })
  return { socket, abort: () => connection?.destroy() }
}

function dispatcherOfNode(): Dispatcher | null {
  if (!('process' in globalThis)) return null
  const found: unknown = Reflect.get(globalThis, globalDispatcher)
  if (typeof found !== 'object' || found === null) return null
  const { dispatch } = found as Partial<Dispatcher>
  return typeof dispatch === 'function' ? (found as Dispatcher) : null
}
