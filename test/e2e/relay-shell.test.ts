// The relay's shell over real sockets, around a kernel that only notes what it is given.
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import {
  decodeFrame,
  documentKey,
  emptyRow,
  encodeFrame,
  isDeflated,
  limits,
  partName,
  restOfFrame,
  withDeflatedRest,
  withInflatedRest,
  writerFromBytes,
  type Frame,
  type PartName,
  type StoreId,
  type Write,
} from '@rejoin/core'
import {
  closeCodes,
  createShell,
  type Accept,
  type Kernel,
  type KernelSession,
  type RelayAddress,
  type RelayOptions,
  type SessionLink,
} from '@rejoin/relay'
import { helloWith } from '@rejoin/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'

interface Bench {
  readonly address: RelayAddress
  readonly http: string
  readonly frames: Frame[]
  readonly links: SessionLink[]
  readonly closed: number[]
  readonly lines: { readonly message: string; readonly fields: Readonly<Record<string, unknown>> }[]
  readonly close: () => Promise<void>
}

interface Ended {
  readonly code: number
  readonly reason: string
  readonly frames: readonly Frame[]
}

const hello = helloWith({
  space: 'team',
  token: 'secret-token',
  replica: '-----------' as StoreId,
  device: 'laptop',
})

test.each([
  'https://evil.example',
  'https://app.example.evil.test',
  'HTTPS://APP.EXAMPLE',
  'https://app.example.',
  'https://app.example:8443',
  'null',
  'http://localhost:5173',
])('a page of %s is turned away before the upgrade', async origin => {
  const relay = await start({ development: false, origins: ['https://app.example'] })
  expect(await upgradeStatus(relay, { origin })).toBe(403)
  expect(relay.links).toEqual([])
})

test('a page of a listed origin, and what is no page, may connect', async () => {
  const relay = await start({ development: false, origins: ['https://app.example'] })
  expect(await upgradeStatus(relay, { origin: 'https://app.example' })).toBe(101)
  expect(await upgradeStatus(relay, {})).toBe(101)
})

test.each([
  ['http://localhost:5173', 101],
  ['http://127.0.0.1:4455', 101],
  ['https://[::1]', 101],
  ['http://localhost.evil.example', 403],
  ['http://127.0.0.1.evil.example', 403],
  ['http://192.168.0.7:5173', 403],
])('in development a page of %s is answered %i', async (origin, status) => {
  expect(await upgradeStatus(await start(), { origin })).toBe(status)
})

test('in development only this machine is listened to', async () => {
  const relay = createShell({ development: true }, createNotingKernel())
  await expect(relay.listen({ port: 0, host: '0.0.0.0' })).rejects.toThrow('loopback')
})

test('a relay that would trust nobody is a mistake that is told at once', () => {
  expect(() => createShell({}, createNotingKernel())).toThrow('token')
})

test('it answers whether it lives, and nothing at other paths', async () => {
  const relay = await start()
  expect(await (await fetch(`${relay.http}/livez`)).text()).toBe('ok')
  expect((await fetch(`${relay.http}/readyz`)).status).toBe(200)
  expect((await fetch(`${relay.http}/v1/sync`)).status).toBe(426)
  expect((await fetch(`${relay.http}/nothing`)).status).toBe(404)
  expect(await upgradeStatus(relay, {}, '/v2/sync')).toBe(404)
})

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

test('closing answers what is in flight, says when to come back, and lets nobody new in', async () => {
  let drain = (): void => {}
  const kernel = createNotingKernel({ drain: () => new Promise(resolve => (drain = resolve)) })
  const relay = await start({}, kernel)
  const socket = await open(relay)
  socket.send(encodeFrame(hello))
  const ended = endOf(socket)
  const closing = relay.close()
  expect((await fetch(`${relay.http}/readyz`)).status).toBe(503)
  expect(await upgradeStatus(relay, {})).toBe(503)
  expect(socket.readyState).toBe(WebSocket.OPEN)
  drain()
  const { code, frames } = await ended
  expect(code).toBe(1012)
  const [bye] = frames
  expect(bye?.type === 'bye' && bye.retryAfterMs).toBeGreaterThanOrEqual(2000)
  await closing
  await expect(fetch(`${relay.http}/livez`)).rejects.toThrow('fetch failed')
})

test('closing ends in time although the kernel does not', async () => {
  const kernel = createNotingKernel({ drain: () => new Promise(() => {}) })
  const relay = await start({ limits: { stopMs: 200 } }, kernel)
  const socket = await open(relay)
  const ended = endOf(socket)
  await relay.close()
  expect((await ended).code).toBe(1006)
})

test('what a token or a value says is never in the log', async () => {
  const relay = await start()
  const socket = await open(relay)
  socket.send(encodeFrame(hello))
  await until(() => relay.frames.length === 1)
  socket.close()
  await until(() => relay.lines.some(line => line.message === 'session closed'))
  expect(JSON.stringify(relay.lines)).not.toContain('secret-token')
})

test('what was not declared is refused by its reason before the application is asked', async () => {
  let accept: Accept | null = null
  const relay = createShell(
    {
      development: true,
      collections: { notes: { fields: { title: { strategy: 'lww' } } } },
      accept: { notes: (_write, { user }) => user === 'alice' || 'only alice writes notes' },
    },
    given => {
      accept = given.accept
      return createNotingKernel()()
    },
  )
  await relay.listen({ port: 0 })
  onTestFinished(() => relay.close())
  const judge = (collection: string, part: PartName, user = 'alice') =>
    (accept as Accept | null)?.(writeOf(collection, part), { user, space: 'team' })
  expect(judge('notes', partName('lww', 'title'))).toBe(true)
  expect(judge('notes', partName('lww', 'title'), 'bob')).toBe('only alice writes notes')
  expect(judge('notes', partName('set', 'title'))).toContain('title')
  expect(judge('notes', partName('lww', 'constructor'))).toContain('constructor')
  expect(judge('toString', partName('lww', 'title'))).toContain('toString')
})

async function start(options: RelayOptions = {}, kernel?: NotingKernel): Promise<Bench> {
  const noting = kernel ?? createNotingKernel()
  const lines: Bench['lines'] = []
  const note = (fields: Readonly<Record<string, unknown>>, message: string) => lines.push({ fields, message })
  const relay = createShell(
    {
      development: true,
      token: token => Promise.resolve({ user: token }),
      log: { error: note, info: note, debug: note },
      ...options,
    },
    noting,
  )
  const address = await relay.listen({ port: 0 })
  onTestFinished(() => relay.close())
  return { ...noting.notes, address, http: `http://127.0.0.1:${address.port}`, lines, close: relay.close }
}

function writeOf(collection: string, part: PartName): Write {
  const mark = { ms: 1, tick: 0, writer: writerFromBytes(new Uint8Array(8)) }
  const cells = new Map([[part, { strategy: 'lww' as const, last: mark, value: new Uint8Array(1) }]])
  return {
    mark,
    key: documentKey(collection, '1'),
    delta: { ...emptyRow, cells },
    texts: new Map(),
    replaced: new Map(),
    whole: false,
  }
}

interface NotingKernel {
  (): Kernel
  readonly notes: Pick<Bench, 'frames' | 'links' | 'closed'>
}

function createNotingKernel(instead: Partial<Kernel> = {}): NotingKernel {
  const notes: NotingKernel['notes'] = { frames: [], links: [], closed: [] }
  const attach = (link: SessionLink): KernelSession => {
    const number = notes.links.push(link)
    return {
      receive: frame => notes.frames.push(frame),
      drained: () => {},
      closed: () => notes.closed.push(number),
    }
  }
  const dial = (_space: string, link: SessionLink): KernelSession => attach(link)
  return Object.assign(() => ({ attach, dial, drain: () => Promise.resolve(), ...instead }), { notes })
}

async function open(relay: Bench, options: { readonly autoPong?: boolean } = {}): Promise<WebSocket> {
  const socket = new WebSocket(relay.address.url, { ...options, perMessageDeflate: true })
  onTestFinished(() => socket.terminate())
  socket.on('error', () => {})
  await once(socket, 'open')
  expect(socket.extensions).toBe('')
  return socket
}

/** More than a system keeps for a connection, in so many frames. */
const floodFrames = 300

function floodFrame(number: number): Uint8Array {
  return encodeFrame({ type: 'presence', from: String(number), state: new Uint8Array(64 * 1024) })
}

function bombOf(bytes: number): Uint8Array {
  return withDeflatedRest(Uint8Array.of(15), deflateRawSync(new Uint8Array(bytes)))
}

function endOf(socket: WebSocket): Promise<Ended> {
  const frames: Frame[] = []
  socket.on('message', (message: Buffer) => {
    const decoded = decodeFrame(Uint8Array.from(message))
    if (decoded.ok) frames.push(decoded.value)
  })
  return new Promise(resolve => {
    socket.on('close', (code, reason) => resolve({ code, reason: reason.toString(), frames }))
  })
}

/** The status of an upgrade, asked for on a bare socket: what a browser would not let us send included. */
function upgradeStatus(
  relay: Bench,
  headers: { readonly origin?: string },
  path: string = '/v1/sync',
): Promise<number> {
  const socket = connect(relay.address.port, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  const lines = [
    `GET ${path} HTTP/1.1`,
    'Host: relay.example',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ...(headers.origin === undefined ? [] : [`Origin: ${headers.origin}`]),
  ]
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  return new Promise((resolve, reject) => {
    socket.once('data', chunk => resolve(Number(chunk.toString().split(' ')[1])))
    socket.once('error', reject)
  })
}

async function until(isSo: () => boolean, timeout: number = 5000): Promise<void> {
  await expect.poll(isSo, { timeout, interval: 10 }).toBe(true)
}
