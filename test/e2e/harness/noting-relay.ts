/** The relay's shell over real sockets, around a kernel that only notes what it is given. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { decodeFrame, type Frame, type StoreId } from '@rejoin/core'
import {
  createShell,
  type Kernel,
  type KernelSession,
  type RelayAddress,
  type RelayOptions,
  type SessionLink,
} from '@rejoin/relay'
import { helloWith } from '@rejoin/testkit'
import { expect, onTestFinished } from 'vitest'
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

export const hello = helloWith({
  space: 'team',
  token: 'secret-token',
  replica: '-----------' as StoreId,
  device: 'laptop',
})

/** A relay's shell that ends with the test. */
export async function start(options: RelayOptions = {}, kernel?: NotingKernel): Promise<Bench> {
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

interface NotingKernel {
  (): Kernel
  readonly notes: Pick<Bench, 'frames' | 'links' | 'closed'>
}

export function createNotingKernel(instead: Partial<Kernel> = {}): NotingKernel {
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

export async function open(relay: Bench, options: { readonly autoPong?: boolean } = {}): Promise<WebSocket> {
  const socket = new WebSocket(relay.address.url, { ...options, perMessageDeflate: true })
  onTestFinished(() => socket.terminate())
  socket.on('error', () => {})
  await once(socket, 'open')
  expect(socket.extensions).toBe('')
  return socket
}

export function endOf(socket: WebSocket): Promise<Ended> {
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
export function upgradeStatus(
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

export async function until(isSo: () => boolean, timeout: number = 5000): Promise<void> {
  await expect.poll(isSo, { timeout, interval: 10 }).toBe(true)
}
