/** Bytes on the wire of this process: every TCP connection that it makes is counted, headers of the WebSocket included. */
import { subscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'

export interface WireBytes {
  readonly up: number
  readonly down: number
}

const open = new Set<Socket>()
const closed = { up: 0, down: 0 }

subscribe('net.client.socket', message => {
  const { socket } = message as { readonly socket: Socket }
  open.add(socket)
  socket.once('close', () => {
    open.delete(socket)
    closed.up += socket.bytesWritten
    closed.down += socket.bytesRead
  })
})

export function wireBytes(): WireBytes {
  let { up, down } = closed
  for (const socket of open) {
    up += socket.bytesWritten
    down += socket.bytesRead
  }
  return { up, down }
}

/** Bytes in both directions since. */
export function bytesSince(before: WireBytes): number {
  const { up, down } = wireBytes()
  return up + down - before.up - before.down
}
