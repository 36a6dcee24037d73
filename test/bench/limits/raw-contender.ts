/** The limit as a contender: JSON over a bare socket, a map of plain objects, the last writer wins by (clock, client). */
import { fileURLToPath } from 'node:url'
import { once } from 'node:events'
import { WebSocket } from 'ws'
import type { Contender, ContenderClient } from '../contenders/contender.ts'
import { startServerProcess } from '../measure/server-process.ts'
import { entryFields, type Entry, type EntryField } from '../records.ts'

type Operation = readonly [
  id: string,
  field: EntryField,
  value: string | number,
  clock: number,
  client: number,
]

const relay = fileURLToPath(new URL('./raw-relay.ts', import.meta.url))
let clients = 0

export const rawContender: Contender = {
  name: 'limit',
  start: () => startServerProcess(folder => [relay, folder]),
  connect: (server, space) => connectRaw(`ws://127.0.0.1:${server.port}/${space}`),
}

async function connectRaw(url: string): Promise<ContenderClient> {
  const client = ++clients
  const entries = new Map<string, Partial<Record<EntryField, string | number>>>()
  const written = new Map<string, readonly [number, number]>()
  let clock = 0
  let seen = -1
  let socket: WebSocket | null = null
  let pending: Operation[] = []
  let hearNumber: (n: number) => void = () => {}

  function apply(operation: Operation, isOwn: boolean): void {
    const [id, field, value, at, by] = operation
    const slot = `${id}/${field}`
    const before = written.get(slot)
    if (before !== undefined && (before[0] > at || (before[0] === at && before[1] >= by))) return
    written.set(slot, [at, by])
    const entry = entries.get(id) ?? {}
    entry[field] = value
    entries.set(id, entry)
    clock = Math.max(clock, at)
    if (!isOwn && field === 'n') hearNumber(Number(value))
  }

  function hear(text: string, ready: () => void): void {
    switch (text[0]) {
      case 'K':
        seen += 1
        return
      case 'S':
        for (const [id, entry] of JSON.parse(text.slice(1)) as [string, Entry][])
          entries.set(id, { ...entry })
        return
      case 'L': {
        const space = text.indexOf(' ')
        seen = Number(text.slice(1, space))
        for (const operation of JSON.parse(text.slice(space)) as Operation[]) apply(operation, false)
        if (pending.length > 0) socket?.send(JSON.stringify(pending))
        pending = []
        return ready()
      }
      default: {
        seen += 1
        const message = JSON.parse(text) as Operation | Operation[]
        if (Array.isArray(message[0])) for (const one of message as Operation[]) apply(one, false)
        else apply(message as Operation, false)
      }
    }
  }

  async function online(): Promise<void> {
    const opened = new WebSocket(seen < 0 ? url : `${url}?${seen}`, { perMessageDeflate: false })
    socket = opened
    await new Promise<void>((resolve, reject) => {
      opened.on('message', (data: Buffer) => hear(data.toString(), resolve))
      opened.on('error', reject)
    })
  }

  await online()
  return {
    set(id, field, value) {
      clock += 1
      const operation: Operation = [id, field, value, clock, client]
      apply(operation, true)
      if (socket === null) pending.push(operation)
      else socket.send(JSON.stringify(operation))
    },
    get: (id, field) => entries.get(id)?.[field],
    bulk(list) {
      for (const [id, entry] of list) entries.set(id, { ...entry })
      socket?.send(`S${JSON.stringify(list)}`)
    },
    count: () => entries.size,
    onNumber(hearIt) {
      hearNumber = hearIt
    },
    async offline() {
      const closed = socket
      socket = null
      closed?.close()
      if (closed !== null) await once(closed, 'close')
    },
    online,
    snapshot: () =>
      JSON.stringify(
        [...entries.keys()].toSorted().map(id => entryFields.map(field => entries.get(id)?.[field])),
      ),
    async close() {
      socket?.close()
      socket = null
    },
  }
}
