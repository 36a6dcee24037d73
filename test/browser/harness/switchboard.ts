/**
 * A page cannot take links, so a switchboard in Node takes them for it: whoever serves an address holds a line to it,
 * on which each caller is announced, and fetches the caller's other end with a socket of its own. Between the two
 * everything is passed on as it came.
 */
import { createServer, type AddressInfo } from 'node:net'
import type { TestProject } from 'vitest/node'
import { WebSocketServer, type RawData, type WebSocket } from 'ws'

declare module 'vitest' {
  interface ProvidedContext {
    readonly switchboard: string
    /** Nobody listens there. */
    readonly closedPort: number
  }
}

interface Caller {
  readonly socket: WebSocket
  /** What came before its other end was fetched. */
  readonly early: RawData[]
  far: WebSocket | null
}

export default async function setup(project: TestProject): Promise<() => void> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false })
  await new Promise<void>(resolve => server.once('listening', resolve))
  const lines = new Map<string, WebSocket>()
  const callers: Caller[] = []
  server.on('connection', (socket, request) => {
    const [, kind, name = ''] = (request.url ?? '').split('/')
    socket.on('error', () => {})
    if (kind === 'serve') serve(name, socket)
    else if (kind === 'call') call(name, socket)
    else fetch(Number(name), socket)
  })

  function serve(name: string, line: WebSocket): void {
    lines.set(name, line)
    const mine = (caller: Caller): boolean => callersOf.get(caller) === name
    // Its word for a process that is killed.
    line.on('message', () => {
      for (const caller of callers.filter(mine)) caller.socket.terminate()
    })
    line.on('close', () => {
      lines.delete(name)
      for (const caller of callers.filter(mine)) caller.socket.terminate()
    })
  }

  const callersOf = new Map<Caller, string>()

  function call(name: string, socket: WebSocket): void {
    const caller: Caller = { socket, early: [], far: null }
    callersOf.set(caller, name)
    socket.on('message', message => {
      if (caller.far === null) caller.early.push(message)
      else caller.far.send(message)
    })
    socket.on('close', () => caller.far?.close())
    lines.get(name)?.send(String(callers.push(caller) - 1))
  }

  function fetch(number: number, far: WebSocket): void {
    const caller = callers[number]
    if (caller === undefined) return far.terminate()
    caller.far = far
    for (const message of caller.early) far.send(message)
    far.on('message', message => caller.socket.send(message))
    far.on('close', (code, reason) => caller.socket.close(code === 1005 ? 1000 : code, reason))
    if (caller.socket.readyState >= caller.socket.CLOSING) far.close()
  }

  project.provide('switchboard', `ws://127.0.0.1:${(server.address() as AddressInfo).port}`)
  project.provide('closedPort', await findClosedPort())
  return () => {
    for (const socket of server.clients) socket.terminate()
    server.close()
  }
}

/** A port that was free a moment ago. */
async function findClosedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}
