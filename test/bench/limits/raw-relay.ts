/**
 * The limit of a relay: what a room sends is appended to SQLite (WAL, synchronous=FULL), all of one turn of the event
 * loop in one commit, then passed on and acknowledged. No rules, no rows, no merging; the room's log is in memory.
 */
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { WebSocketServer, type WebSocket } from 'ws'

interface Room {
  readonly members: Set<WebSocket>
  snapshot: Buffer | null
  readonly log: Buffer[]
}

const database = new DatabaseSync(join(process.argv[2] ?? '.', 'log.sqlite'))
database.exec('pragma journal_mode = wal; pragma synchronous = full')
database.exec('create table log (seq integer primary key, room text, op blob)')
const append = database.prepare('insert into log (room, op) values (?, ?)')
const rooms = new Map<string, Room>()
let waiting: { readonly name: string; readonly data: Buffer; readonly done: () => void }[] = []

function enqueue(name: string, data: Buffer, done: () => void): void {
  if (waiting.push({ name, data, done }) === 1) setImmediate(commit)
}

function commit(): void {
  const batch = waiting
  waiting = []
  database.exec('begin')
  for (const { name, data } of batch) append.run(name, data)
  database.exec('commit')
  for (const { done } of batch) done()
}

const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false })
server.on('connection', (socket, request) => {
  const [name = '', since] = (request.url ?? '').split('?')
  let room = rooms.get(name)
  if (room === undefined) rooms.set(name, (room = { members: new Set(), snapshot: null, log: [] }))
  const { members, log } = room
  members.add(socket)
  const from = since === undefined ? log.length : Number(since)
  socket.send(`L${log.length} [${log.slice(from).map(withoutBrackets).join(',')}]`)
  if (since === undefined && room.snapshot !== null) socket.send(room.snapshot, { binary: false })
  socket.on('close', () => void members.delete(socket))
  socket.on('message', (data: Buffer) => {
    const pass = (): void => {
      if (data[0] === 83) room.snapshot = data
      else log.push(data)
      for (const other of members) if (other !== socket) other.send(data, { binary: false })
      socket.send('K')
    }
    enqueue(name, data, pass)
  })
})
server.on('listening', () => {
  const address = server.address()
  console.log(`ws://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/`)
})

function withoutBrackets(data: Buffer): string {
  const text = data.toString()
  return text.startsWith('[[') ? text.slice(1, -1) : text
}
