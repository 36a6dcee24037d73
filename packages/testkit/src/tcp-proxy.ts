/**
 * A TCP proxy that does to real connections what networks do: delays, cuts, black holes, refusals. It stands between
 * a client and a relay, which both stay as they are.
 */
import { connect, createServer, type Server, type Socket } from 'node:net'

export interface TcpProxy {
  readonly port: number
  /** Connections that were cut so far: a proof that the fault really happened. */
  readonly cuts: number
  readonly open: number
  /** Bytes passed on so far, both ways. */
  readonly bytes: number
  /** Resets what is open and refuses what comes, until `heal`. */
  cut(): void
  /** Nothing passes and nobody is told, as when a cable is pulled. New connections are taken in and stay silent. */
  blackHole(): void
  /** Everything takes this much longer each way, or up to `jitterMs` less or more than it; in order all the same. */
  delay(ms: number, jitterMs?: number): void
  /** Resets what is open, once. */
  reset(): void
  heal(): void
  close(): Promise<void>
}

/** Listens on loopback, on a free port, and passes everything on to a port of this machine. */
export async function openTcpProxy(targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  let refusing = false
  let hole = false
  let delayMs = 0
  let jitterMs = 0
  let cuts = 0
  let bytes = 0

  function pass(from: Socket, to: Socket): void {
    const waiting: (() => void)[] = []
    let arrivesAt = 0
    let spread = 0

    /** As late as its turn says, and not before what came before it. */
    function deliver(run: () => void): void {
      const now = performance.now()
      // Steps of the golden ratio fall evenly and never in a rhythm.
      spread = (spread + 0.618_034) % 1
      if (delayMs > 0) arrivesAt = Math.max(arrivesAt, now + delayMs + jitterMs * (2 * spread - 1))
      if (waiting.length === 0 && arrivesAt <= now) return run()
      waiting.push(run)
      // Timers need not fire in order; what each of them lets go is the first that waits.
      setTimeout(() => waiting.shift()?.(), arrivesAt - now)
    }

    from.on('data', data => {
      if (hole) return
      bytes += data.length
      deliver(() => {
        if (!to.writable) return
        // Whoever reads slowly is felt by whoever writes.
        if (to.write(data) || from.isPaused()) return
        from.pause()
        to.once('drain', () => from.resume())
      })
    })
    from.on('end', () => deliver(() => void (hole || to.end())))
    from.on('error', () => {})
    from.on('close', hadError => {
      sockets.delete(from)
      if (hole) return
      if (hadError) to.destroy()
      else deliver(() => void to.destroy())
    })
  }

  function reset(): void {
    if (sockets.size > 0) cuts += 1
    for (const socket of sockets) socket.resetAndDestroy()
    sockets.clear()
  }

  const server: Server = createServer(client => {
    if (refusing) return void client.resetAndDestroy()
    const target = connect(targetPort, '127.0.0.1')
    // What is small must not wait here for the acknowledgement of what went before.
    client.setNoDelay(true)
    target.setNoDelay(true)
    sockets.add(client)
    sockets.add(target)
    pass(client, target)
    pass(target, client)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0

  return {
    port,
    get cuts() {
      return cuts
    },
    get open() {
      return sockets.size / 2
    },
    get bytes() {
      return bytes
    },
    cut() {
      refusing = true
      reset()
    },
    blackHole() {
      hole = true
      if (sockets.size > 0) cuts += 1
    },
    delay(ms, jitter = 0) {
      delayMs = ms
      jitterMs = jitter
    },
    reset,
    heal() {
      refusing = false
      if (!hole) return
      // What was in the hole is lost; an end that still believes in it is told now.
      hole = false
      for (const socket of sockets) socket.resetAndDestroy()
      sockets.clear()
    },
    async close() {
      reset()
      await new Promise<void>(resolve => server.close(() => resolve()))
    },
  }
}
