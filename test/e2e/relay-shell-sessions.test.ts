// A session of the relay's shell: from its hello, through its frames, to its end, over real sockets.
import { encodeFrame } from '@rejoin/core'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { createNotingKernel, endOf, hello, open, start, until } from './harness/noting-relay.ts'

test('frames go to the kernel and come from it, whole and in order', async () => {
  const relay = await start()
  const socket = await open(relay)
  socket.send(encodeFrame(hello))
  socket.send(encodeFrame({ type: 'credit', bytes: 7 }))
  await until(() => relay.frames.length === 2)
  expect(relay.frames).toEqual([hello, { type: 'credit', bytes: 7 }])
  const ended = endOf(socket)
  relay.links[0]?.send(encodeFrame({ type: 'credit', bytes: 1 }))
  relay.links[0]?.send(encodeFrame({ type: 'credit', bytes: 2 }))
  relay.links[0]?.close(4403, 'not-permitted')
  relay.links[0]?.send(encodeFrame({ type: 'credit', bytes: 3 }))
  expect(await ended).toEqual({
    code: 4403,
    reason: 'not-permitted',
    frames: [
      { type: 'credit', bytes: 1 },
      { type: 'credit', bytes: 2 },
    ],
  })
  await until(() => relay.closed.length === 1)
})

test.each([
  ['bytes that are no frame', (socket: WebSocket) => socket.send(Uint8Array.of(255, 1, 2, 3))],
  ['an empty message', (socket: WebSocket) => socket.send(new Uint8Array(0))],
  ['a text message', (socket: WebSocket) => socket.send('hello')],
  ['a frame before the hello', (socket: WebSocket) => socket.send(encodeFrame({ type: 'credit', bytes: 1 }))],
])('%s is refused by its code and closed', async (_name, act) => {
  const relay = await start()
  const socket = await open(relay)
  const ended = endOf(socket)
  act(socket)
  const { code, reason, frames } = await ended
  expect([code, reason]).toEqual([4400, 'malformed-frame'])
  expect(frames.map(frame => frame.type === 'refuse' && frame.error.code)).toEqual(['malformed-frame'])
  expect(relay.frames).toEqual([])
  await until(() => relay.closed.length === 1)
})

test('a second hello is refused', async () => {
  const relay = await start()
  const socket = await open(relay)
  const ended = endOf(socket)
  socket.send(encodeFrame(hello))
  socket.send(encodeFrame(hello))
  expect((await ended).code).toBe(4400)
  expect(relay.frames.length).toBe(1)
})

test('a hello that is too large is refused', async () => {
  const relay = await start({ limits: { helloBytesMax: 100 } })
  const socket = await open(relay)
  const ended = endOf(socket)
  socket.send(encodeFrame({ ...hello, device: 'x'.repeat(101) }))
  const { code, frames } = await ended
  expect(code).toBe(4400)
  expect(frames.map(frame => frame.type === 'refuse' && frame.error.code)).toEqual(['frame-too-large'])
})

test('who says no hello in time is closed, whatever else they send', async () => {
  const relay = await start({ limits: { helloMs: 300, sweepMs: 20 } })
  const socket = await open(relay)
  const ended = endOf(socket)
  const pinging = setInterval(() => socket.ping(), 50)
  onTestFinished(() => clearInterval(pinging))
  const began = performance.now()
  expect((await ended).code).toBe(4408)
  expect(performance.now() - began).toBeGreaterThan(200)
})

test('whose hello is not answered in time is closed too', async () => {
  const relay = await start({ limits: { helloMs: 50, answerMs: 200, sweepMs: 20 } })
  const socket = await open(relay)
  const ended = endOf(socket)
  socket.send(encodeFrame(hello))
  const began = performance.now()
  expect(await ended).toMatchObject({ code: 4408, reason: 'no answer' })
  expect(performance.now() - began).toBeGreaterThan(100)
})

test('who does not answer is cut off, and who is only quiet is not', async () => {
  const relay = await start({ limits: { pingMs: 100, sweepMs: 20 } })
  const quiet = await open(relay)
  quiet.send(encodeFrame(hello))
  const dead = await open(relay, { autoPong: false })
  dead.send(encodeFrame(hello))
  await until(() => relay.frames.length === 2)
  for (const link of relay.links) link.send(encodeFrame({ type: 'credit', bytes: 1 }))
  const pings = { heard: 0 }
  quiet.on('ping', () => (pings.heard += 1))
  expect((await endOf(dead)).code).toBe(1006)
  await until(() => pings.heard > 5)
  expect(quiet.readyState).toBe(WebSocket.OPEN)
})

test('a kernel that breaks on a frame costs that session only', async () => {
  const kernel = createNotingKernel({
    attach: () => ({
      receive: () => {
        throw new Error('a bug')
      },
      drained: () => {},
      closed: () => {},
    }),
  })
  const relay = await start({}, kernel)
  const neighbour = await open(relay)
  const socket = await open(relay)
  const ended = endOf(socket)
  socket.send(encodeFrame(hello))
  expect((await ended).code).toBe(1011)
  expect(relay.lines.some(line => String(line.fields['error']).includes('a bug'))).toBe(true)
  expect(neighbour.readyState).toBe(WebSocket.OPEN)
})
