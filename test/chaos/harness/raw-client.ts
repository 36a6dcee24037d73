/**
 * A client that is only a socket: it speaks whole frames as the core encodes them, or any bytes at all, and notes what
 * comes back. It keeps no rule of the protocol, so that a test can break each of them.
 */
import {
  createDictionary,
  decodeFrame,
  encodeFrame,
  isDeflated,
  restOfFrame,
  withInflatedRest,
  writerFromBytes,
  type Failure,
  type Frame,
  type GiveFrame,
  type HelloFrame,
  type StoreId,
  type SubmittedTransaction,
  type VerdictException,
  type WelcomeFrame,
  type Write,
} from '@rejoin/core'
import { helloWith } from '@rejoin/testkit'
import { once } from 'node:events'
import { randomBytes } from 'node:crypto'
import { inflateRawSync } from 'node:zlib'
import { WebSocket } from 'ws'
import { until, within } from './until.ts'

export interface RawClient {
  readonly frames: readonly Frame[]
  /** The close of its socket; null while it is open. */
  readonly end: { readonly code: number; readonly reason: string } | null
  send(bytes: Uint8Array): void
  /** Bytes on the TCP connection below the WebSocket, after whatever was sent before. */
  sendBelow(bytes: Uint8Array): void
  /** Reads nothing any more, until `resume`. */
  pause(): void
  resume(): void
  /** Says hello and waits for the welcome. */
  greet(hello?: Partial<HelloFrame>): Promise<WelcomeFrame>
  /** Submits transactions and waits for their verdict: null for accepted, or what kept them out. */
  submit(
    transactions: readonly (readonly Write[])[],
  ): Promise<readonly (Extract<VerdictException, { kind: 'refused' }>['error'] | null)[]>
  /** Gives rows back and waits for the answer: null for taken, or what kept them out. */
  give(rows: GiveFrame['rows']): Promise<readonly (Failure | null)[]>
  /** Waits until the relay has refused the session and closed the socket. */
  refusal(): Promise<{ readonly error: Failure | null; readonly code: number }>
  close(): Promise<void>
}

export async function openRawClient(url: string): Promise<RawClient> {
  const socket = new WebSocket(url, { perMessageDeflate: false })
  const frames: Frame[] = []
  let end: { code: number; reason: string } | null = null
  const names = createDictionary()
  let submitted = 0
  let given = 0
  socket.on('error', () => {})
  socket.on('message', message => {
    const frame = new Uint8Array(message as Buffer)
    const whole = isDeflated(frame) ? withInflatedRest(frame, inflateRawSync(restOfFrame(frame))) : frame
    const decoded = decodeFrame(whole, names)
    if (!decoded.ok) throw new Error(`the relay sent what is no frame: ${decoded.error.code}`)
    frames.push(decoded.value)
  })
  socket.on('close', (code, reason) => {
    end = { code, reason: String(reason) }
  })
  await within(once(socket, 'open'), 'a raw client connects')

  const send = (bytes: Uint8Array): void => socket.send(bytes)
  const find = <T extends Frame['type']>(type: T): (Frame & { readonly type: T })[] =>
    frames.filter((frame): frame is Frame & { readonly type: T } => frame.type === type)

  async function greet(hello: Partial<HelloFrame> = {}): Promise<WelcomeFrame> {
    send(encodeFrame({ ...rawHello(), ...hello }))
    await until(() => find('welcome').length > 0 || end !== null, 'a raw client is welcomed')
    const [welcome] = find('welcome')
    if (welcome === undefined) throw new Error(`the relay did not welcome: ${JSON.stringify(frames)}`)
    send(encodeFrame({ type: 'range', ranges: [] }))
    return welcome
  }

  const submit: RawClient['submit'] = async transactions => {
    const first = submitted
    submitted += transactions.length
    send(encodeFrame(submitOf(transactions)))
    const isAnswered = (): boolean => (find('verdict').at(-1)?.count ?? 0) >= submitted
    await until(() => isAnswered() || end !== null, 'a submit is answered')
    if (!isAnswered()) throw new Error(`no verdict, but ${JSON.stringify({ end, last: frames.at(-1) })}`)
    const refused = find('verdict').flatMap(verdict =>
      verdict.exceptions.filter(exception => exception.kind === 'refused'),
    )
    return transactions.map((_, i) => refused.find(({ index }) => index === first + i)?.error ?? null)
  }

  const give: RawClient['give'] = async rows => {
    given += rows.length
    send(encodeFrame({ type: 'give', rows, last: false }))
    const isAnswered = (): boolean => (find('given').at(-1)?.count ?? 0) >= given
    await until(() => isAnswered() || end !== null, 'a give is answered')
    if (!isAnswered()) throw new Error(`no answer, but ${JSON.stringify({ end, last: frames.at(-1) })}`)
    const refused = find('given').flatMap(answer => answer.refused)
    return rows.map(({ key }) => refused.find(one => one.key === key)?.error ?? null)
  }

  return {
    frames,
    get end() {
      return end
    },
    send,
    sendBelow(bytes) {
      // The socket that ws wraps has no name in its types.
      ;(socket as unknown as { readonly _socket: NodeJS.WritableStream })._socket.write(bytes)
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    greet,
    submit,
    give,
    async refusal() {
      await until(() => end !== null, 'the relay ends the session')
      return { error: find('refuse').at(-1)?.error ?? null, code: end?.code ?? 0 }
    },
    async close() {
      socket.terminate()
      await until(() => end !== null, 'a raw client is closed')
    },
  }
}

/** The hello of a client that was never here. */
export function rawHello(): HelloFrame {
  const replica = writerFromBytes(randomBytes(8)) as string as StoreId
  return helloWith({ space: 'team', token: 'mallory', replica, device: 'raw', credit: 16 * 1024 * 1024 })
}

export function submitOf(transactions: readonly (readonly Write[])[]): Frame & { readonly type: 'submit' } {
  const submitted: SubmittedTransaction[] = transactions.map(writes => ({ writes, preconditions: [] }))
  return { type: 'submit', round: 0, transactions: submitted }
}
