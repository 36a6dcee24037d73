/** The limit of acknowledged writes: bare sockets that keep so many messages in flight at the bare log. */
import { once } from 'node:events'
import { WebSocket } from 'ws'
import { sleep } from '../measure/waiting.ts'

const message = JSON.stringify(['r000001', 'n', 1_000_001, 12_345, 1])

/** Acknowledged writes in so many milliseconds. */
export async function rawAcknowledged(
  port: number,
  connections: number,
  inFlight: number,
  ms: number,
): Promise<number> {
  let acknowledged = 0
  let isOver = false
  const sockets = Array.from(
    { length: connections },
    (_, i) => new WebSocket(`ws://127.0.0.1:${port}/room-${i}`, { perMessageDeflate: false }),
  )
  await Promise.all(sockets.map(socket => once(socket, 'open')))
  for (const socket of sockets)
    socket.on('message', (data: Buffer) => {
      if (data[0] !== 75 || isOver) return
      acknowledged += 1
      socket.send(message)
    })
  for (const socket of sockets) for (let i = 0; i < inFlight; i++) socket.send(message)
  await sleep(ms)
  isOver = true
  for (const socket of sockets) socket.terminate()
  return acknowledged
}
