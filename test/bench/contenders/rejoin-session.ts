/** A session with Rejoin's relay and nothing above it: hello, and then whatever frames its owner sends and hears. */
import {
  bytesFor,
  createDictionary,
  createFrameEncoder,
  createKnownNames,
  decodeFrame,
  isDeflated,
  restOfFrame,
  withInflatedRest,
  writerFromBytes,
  type Frame,
  type StoreId,
} from '@rejoin/core'
import { helloWith } from '@rejoin/testkit'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { inflateRawSync } from 'node:zlib'
import { WebSocket } from 'ws'

export interface BareSession {
  send(frame: Frame): void
  end(): void
}

/** More than any of them is sent. */
const creditBytes = 16 * 1024 * 1024

/** Resolves once the relay has welcomed it. What comes from then on is heard. */
export async function openBareSession(
  port: number,
  space: string,
  hear: (frame: Frame) => void,
): Promise<BareSession> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/sync`, { perMessageDeflate: false })
  await once(socket, 'open')
  // In names of the link, as clients do.
  const encoder = createFrameEncoder(Date.now)
  const known = createKnownNames()
  const send = (frame: Frame): void => socket.send(bytesFor(encoder.encode(frame), known))
  const names = createDictionary()
  const welcomed = new Promise<void>(resolve => {
    socket.on('message', (data: Buffer) => {
      const bytes = new Uint8Array(data)
      const whole = isDeflated(bytes) ? withInflatedRest(bytes, inflateRawSync(restOfFrame(bytes))) : bytes
      const decoded = decodeFrame(whole, names)
      if (!decoded.ok) throw new Error(decoded.error.code)
      const frame = decoded.value
      if (frame.type === 'refuse') throw new Error(`refused: ${JSON.stringify(frame.error)}`)
      if (frame.type === 'welcome') resolve()
      else hear(frame)
    })
  })
  const replica = writerFromBytes(randomBytes(8)) as string as StoreId
  send(helloWith({ space, token: 'writer', replica, device: 'bench', credit: creditBytes }))
  await welcomed
  return { send, end: () => socket.terminate() }
}
