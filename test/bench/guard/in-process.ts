/** A relay's kernel and replicas in one process, in memory; what goes between them and into their stores is counted. */
import { createMemoryStorage, openReplica, systemRuntime, type Replica } from '@rejoin/client'
import { createDictionary, decodeFrame, type Connect, type OpenStorage } from '@rejoin/core'
import { createKernel, createMemoryDisk } from '@rejoin/relay/kernel'
import { recs } from '../contenders/rejoin-client.ts'

export interface Counts {
  frames: number
  bytes: number
  /** Transactions of the replicas' stores that write. */
  transactions: number
}

export interface Place {
  /** Everything so far. */
  readonly counts: Readonly<Counts>
  open(name: string): Promise<Replica<{ recs: typeof recs }>>
  close(): Promise<void>
}

export async function openPlace(): Promise<Place> {
  const counts: Counts = { frames: 0, bytes: 0, transactions: 0 }
  const kernel = createKernel({
    store: await createMemoryDisk(systemRuntime.randomBytes).open(),
    runtime: systemRuntime,
    token: token => Promise.resolve({ user: token }),
    access: () => Promise.resolve('write'),
    accept: () => true,
    log: { error: () => {}, info: () => {}, debug: () => {} },
  })
  const opened: Replica<{ recs: typeof recs }>[] = []

  const connect: Connect = (_url, events) => {
    let isOver = false
    const pass = (bytes: Uint8Array, deliver: () => void): void => {
      counts.frames += 1
      counts.bytes += bytes.length
      setImmediate(() => {
        if (!isOver) deliver()
      })
    }
    const names = createDictionary()
    const session = kernel.attach({
      address: 'process',
      buffered: () => 0,
      pause: () => false,
      resume: () => {},
      send: bytes => pass(bytes, () => events.frame(bytes)),
      close(code) {
        isOver = true
        events.closed(code, '')
      },
    })
    queueMicrotask(() => {
      if (isOver) return
      events.opened({
        buffered: () => 0,
        send: bytes =>
          pass(bytes, () => {
            const decoded = decodeFrame(bytes, names)
            if (!decoded.ok) throw new Error(decoded.error.code)
            session.receive(decoded.value, bytes.length)
          }),
        close() {
          isOver = true
          session.closed()
        },
      })
    })
    return () => {
      isOver = true
    }
  }

  const inMemory = createMemoryStorage()
  const openStorage: OpenStorage = async (name, version, stores) => {
    const storage = await inMemory(name, version, stores)
    return {
      ...storage,
      transact(request) {
        if (request.mode === 'readwrite') counts.transactions += 1
        return storage.transact(request)
      },
    }
  }

  return {
    counts,
    async open(name) {
      const replica = await openReplica({
        space: 'guard',
        name: `guard ${name}`,
        collections: { recs },
        relays: ['process'],
        token: () => name,
        ports: { connect, openStorage, persistence: 'memory' },
      })
      opened.push(replica)
      return replica
    },
    async close() {
      await Promise.all(opened.map(replica => replica.close()))
    },
  }
}
