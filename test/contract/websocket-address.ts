/** An address that takes WebSockets on loopback: the other end of a real link, as a contract drives it. */
import type { AddressInfo } from 'node:net'
import type { ServedAddress, TakeLink } from '@rejoin/testkit'
import { WebSocketServer, type RawData } from 'ws'

export async function serveWebSockets(take: TakeLink): Promise<ServedAddress> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false })
  await new Promise<void>(resolve => server.once('listening', resolve))
  server.on('connection', socket => {
    const { frame, closed } = take({
      send: bytes => socket.send(bytes),
      close: (code, reason) => socket.close(code, reason),
    })
    socket.on('message', (message: RawData) => frame(Uint8Array.from(message as Buffer)))
    // Whatever was wrong with a socket, its close event follows.
    socket.on('error', () => {})
    socket.on('close', closed)
  })
  const vanish = (): void => {
    for (const socket of server.clients) socket.terminate()
  }
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    vanish,
    async close() {
      vanish()
      await new Promise<void>(resolve => server.close(() => resolve()))
    },
  }
}
