// How much the relay's shell takes and holds back, and what it deflates, over real sockets.
import { setTimeout as sleep } from 'node:timers/promises'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import {
  encodeFrame,
  isDeflated,
  limits,
  restOfFrame,
  withDeflatedRest,
  withInflatedRest,
  type Frame,
} from '@rejoin/core'
import { closeCodes, type SessionLink } from '@rejoin/relay'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { createNotingKernel, endOf, hello, open, start, until } from './harness/noting-relay.ts'

/** More than a system keeps for a connection, in so many frames. */
const floodFrames = 300

function floodFrame(number: number): Uint8Array {
  return encodeFrame({ type: 'presence', from: String(number), state: new Uint8Array(64 * 1024) })
}

function bombOf(bytes: number): Uint8Array {
  return withDeflatedRest(Uint8Array.of(15), deflateRawSync(new Uint8Array(bytes)))
}

test('a frame that is too large is cut off while it arrives, and the log says why', async () => {
  const relay = await start({ limits: { frameBytesMax: 1024 } })
  const socket = await open(relay)
  const ended = endOf(socket)
  socket.send(new Uint8Array(4096))
  expect((await ended).code).toBe(1009)
  await until(() => relay.closed.length === 1)
  const line = relay.lines.find(one => one.message === 'session closed')
  expect(line?.fields['fault']).toBe('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH')
})

test('a frame in more pieces than anybody needs is cut off', async () => {
  const relay = await start()
  const socket = await open(relay)
  const ended = endOf(socket)
  for (let piece = 0; piece < 65; piece++) socket.send(Uint8Array.of(1), { fin: false })
  expect((await ended).code).toBe(1008)
})

test('[F5] what a link is held back from waits where it was sent, and comes in its order', async () => {
  const relay = await start({ limits: { pingMs: 50, sweepMs: 20 } })
  const socket = await open(relay)
  socket.send(encodeFrame(hello))
  await until(() => relay.links.length === 1 && relay.frames.length === 1)
  const [link] = relay.links
  link?.send(encodeFrame({ type: 'credit', bytes: 1 }))
  expect(link?.pause()).toBe(true)
  let pings = 0
  socket.on('ping', () => (pings += 1))
  for (let number = 0; number < floodFrames; number++) socket.send(floodFrame(number))
  // So long that who is silent would have been cut off several times.
  await sleep(500)
  expect([relay.frames.length, socket.bufferedAmount > 0, socket.readyState]).toEqual([
    1,
    true,
    WebSocket.OPEN,
  ])
  expect(pings).toBe(0)
  link?.resume()
  await until(() => relay.frames.length === floodFrames + 1, 30_000)
  const numbers = relay.frames.flatMap(frame => (frame.type === 'presence' ? [frame.from] : []))
  expect(numbers).toEqual(Array.from({ length: floodFrames }, (_, i) => String(i)))
  await until(() => pings > 3)
  expect(socket.readyState).toBe(WebSocket.OPEN)
})

test('[F5] a link is held back within what was read at once, and who is sent away meanwhile hears why', async () => {
  const notes: Frame[] = []
  const links: SessionLink[] = []
  const kernel = createNotingKernel({
    attach: link => {
      links.push(link)
      return {
        receive(frame) {
          notes.push(frame)
          link.pause()
        },
        drained: () => {},
        closed: () => {},
      }
    },
  })
  const relay = await start({}, kernel)
  const socket = await open(relay)
  const ended = endOf(socket)
  socket.send(encodeFrame(hello))
  for (let bytes = 1; bytes <= 3; bytes++) socket.send(encodeFrame({ type: 'credit', bytes }))
  for (let count = 1; count <= 3; count++) {
    await until(() => notes.length === count)
    links[0]?.resume()
  }
  for (let number = 0; number < floodFrames; number++) socket.send(floodFrame(number))
  links[0]?.send(encodeFrame({ type: 'credit', bytes: 7 }))
  links[0]?.close(1013, 'overloaded')
  expect(await ended).toMatchObject({ code: 1013, frames: [{ type: 'credit', bytes: 7 }] })
})

test('[F5] of who says no hello no more is kept than one may take, however slowly it comes', async () => {
  const relay = await start({ limits: { sweepMs: 20, helloMs: 60_000 } })
  const socket = await open(relay)
  const ended = endOf(socket)
  // The socket that ws wraps has no name in its types.
  const below = (socket as unknown as { readonly _socket: NodeJS.WritableStream })._socket
  below.write(Uint8Array.of(0x82, 0xff, 0, 0, 0, 0, 0, 0x3f, 0, 0, 1, 2, 3, 4))
  below.write(new Uint8Array(3 * limits.helloBytesMax))
  expect((await ended).code).toBe(1006)
})

test('a slow reader is told to the kernel, and told again when there is room', async () => {
  const sessions: string[] = []
  let link: SessionLink | null = null
  const kernel = createNotingKernel({
    attach: attached => {
      link = attached
      return {
        receive: () => {},
        drained: () => sessions.push('drained'),
        closed: () => sessions.push('closed'),
      }
    },
  })
  const relay = await start({}, kernel)
  const socket = await open(relay)
  socket.send(encodeFrame(hello))
  socket.pause()
  // What does not deflate.
  const bytes = crypto.getRandomValues(new Uint8Array(64 * 1024))
  const sender = link as SessionLink | null
  for (let sent = 0; sent < 200 && (sender?.buffered() ?? 0) < 1024 * 1024; sent++) {
    sender?.send(bytes)
    await new Promise(setImmediate)
  }
  expect(sender?.buffered()).toBeGreaterThan(256 * 1024)
  expect(sessions).toEqual([])
  socket.resume()
  await until(() => sessions.length === 1)
  expect(sessions).toEqual(['drained'])
  expect(sender?.buffered()).toBe(0)
})

test('long frames are deflated on the way, once for all who get them, and inflated', async () => {
  const relay = await start()
  const sockets = [await open(relay), await open(relay)]
  const received: Uint8Array[] = []
  for (const socket of sockets) {
    socket.on('message', (message: Buffer) => received.push(Uint8Array.from(message)))
    socket.send(encodeFrame(hello))
  }
  await until(() => relay.frames.length === 2)
  const long = encodeFrame({ type: 'presence', from: 'a', state: new Uint8Array(100_000) })
  for (const link of relay.links) link.send(long)
  await until(() => received.length === 2)
  const [first = long] = received
  expect(received.map(isDeflated)).toEqual([true, true])
  expect(first.length).toBeLessThan(1000)
  expect(withInflatedRest(first, inflateRawSync(restOfFrame(first)))).toEqual(long)
  sockets[0]?.send(first)
  await until(() => relay.frames.length === 3)
  expect(relay.frames.at(-1)).toEqual({ type: 'presence', from: 'a', state: new Uint8Array(100_000) })
})

test.each([
  ['is no deflated one', Uint8Array.of(0x10 + 15, 255, 255, 255)],
  ['inflates beyond what a frame may be', bombOf(limits.frameBytesMax + 1)],
])('a frame that %s ends its session', async (_, bytes) => {
  const relay = await start()
  const socket = await open(relay)
  const ended = endOf(socket)
  socket.send(encodeFrame(hello))
  socket.send(bytes)
  expect((await ended).code).toBe(closeCodes.malformed)
})

test('a hello is not inflated', async () => {
  const relay = await start()
  const socket = await open(relay)
  const ended = endOf(socket)
  const bytes = encodeFrame(hello)
  socket.send(withDeflatedRest(bytes, deflateRawSync(restOfFrame(bytes))))
  await ended
  expect(relay.frames).toEqual([])
})
