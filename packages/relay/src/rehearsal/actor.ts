/**
 * A client's end of a session, as far as a rehearsal needs it: it says what clients say, and only looks of which type
 * the answers are. What clients do with them is no work of a relay.
 */
import { WebSocket, type RawData } from 'ws'
import {
  bytesFor,
  createFrameEncoder,
  createKnownNames,
  decodeFrame,
  protocolVersion,
  typeOfFrame,
  writerFromBytes,
  type Cursor,
  type Frame,
  type Runtime,
  type StoreId,
  type SubmittedTransaction,
} from '@rejoin/core'
import { bytesOfMessage } from '../socket-session.ts'

export interface Actor {
  /** Where the relay's feed ended when it came; who comes again goes on from there. */
  readonly cursor: Cursor | null
  /** Resolves once it was judged. */
  submit(transactions: readonly SubmittedTransaction[]): Promise<void>
  end(): void
}

const creditBytes = 4 * 1024 * 1024

/** Resolves once the relay has begun to send it what it lacks. `since`: where it was before; without, it is new. */
export async function openActor(url: string, runtime: Runtime, since: Cursor | null = null): Promise<Actor> {
  const socket = new WebSocket(url, { perMessageDeflate: false })
  const encoder = createFrameEncoder(runtime.now)
  const known = createKnownNames()
  const send = (frame: Frame): void => socket.send(bytesFor(encoder.encode(frame), known))
  let cursor: Cursor | null = null
  let waitsFor: Frame['type'] | null = null
  let resolve = (): void => {}
  let reject = (_: Error): void => {}

  /** Resolves with the next frame of this type; rejects if the session ends before. */
  function hear(type: Frame['type']): Promise<void> {
    waitsFor = type
    return new Promise((heard, ended) => {
      resolve = heard
      reject = ended
    })
  }

  socket.on('message', (message: RawData) => {
    const bytes = bytesOfMessage(message)
    const type = typeOfFrame(bytes)
    if (type === 'welcome') cursor = endOfFeed(bytes)
    if (type !== waitsFor) return
    waitsFor = null
    resolve()
  })
  socket.on('error', error => reject(error))
  socket.on('close', () => reject(new Error('a session ended')))
  socket.on('open', () => send(helloOf(runtime, since)))
  // Behind the welcome, of which it comes in one read.
  await hear('changes')
  return {
    cursor,
    async submit(transactions) {
      send({ type: 'submit', round: 0, transactions })
      await hear('verdict')
    },
    end: () => socket.terminate(),
  }
}

function helloOf(runtime: Runtime, since: Cursor | null): Frame {
  const held = new Map(since === null ? [] : [[since.generation, since.cut]])
  return {
    type: 'hello',
    protocol: protocolVersion,
    space: 'rehearsal',
    token: 'an actor',
    replica: writerFromBytes(runtime.randomBytes(8)) as string as StoreId,
    device: '',
    role: 'client',
    cursors: since === null ? [] : [since],
    empty: since === null,
    frontier: held,
    reach: held,
    level: 'relay',
    credit: creditBytes,
  }
}

function endOfFeed(welcome: Uint8Array): Cursor | null {
  const decoded = decodeFrame(welcome)
  if (!decoded.ok || decoded.value.type !== 'welcome') return null
  const { cursor, frontier } = decoded.value
  const cut = frontier.get(cursor.generation) ?? 0
  return { generation: cursor.generation, cut, place: cut }
}
