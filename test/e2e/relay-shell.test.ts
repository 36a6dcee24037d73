// Whom the relay's shell lets in, what it tells, and how it closes, over real sockets.
import {
  documentKey,
  emptyRow,
  encodeFrame,
  partName,
  writerFromBytes,
  type PartName,
  type Write,
} from '@rejoin/core'
import { createShell, type Accept } from '@rejoin/relay'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import {
  createNotingKernel,
  endOf,
  hello,
  open,
  start,
  until,
  upgradeStatus,
} from './harness/noting-relay.ts'

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
