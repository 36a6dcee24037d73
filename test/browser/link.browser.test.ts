import { connectWebSocket } from '@rejoin/client'
import { linkContract, type ContractRunner, type ServedAddress, type TakeLink } from '@rejoin/testkit'
import { expect, inject, test } from 'vitest'

const runner: ContractRunner = { test, equal: (actual, expected) => expect(actual).toEqual(expected) }

linkContract(
  'WebSocket in a browser',
  {
    connect: connectWebSocket,
    serve,
    unreachable: [`ws://127.0.0.1:${inject('closedPort')}`, 'not a URL', 'ftp://127.0.0.1'],
    settle: promise => promise,
  },
  runner,
)

/** Takes links at the switchboard. */
async function serve(take: TakeLink): Promise<ServedAddress> {
  const switchboard = inject('switchboard')
  const name = crypto.randomUUID()
  const line = new WebSocket(`${switchboard}/serve/${name}`)
  line.onmessage = ({ data }: MessageEvent<string>) => {
    const far = new WebSocket(`${switchboard}/fetch/${data}`)
    far.binaryType = 'arraybuffer'
    far.onopen = () => {
      const { frame, closed } = take({
        send: bytes => far.send(bytes as Uint8Array<ArrayBuffer>),
        close: (code, reason) => far.close(code, reason),
      })
      far.onmessage = message => frame(new Uint8Array(message.data as ArrayBuffer))
      far.onclose = closed
    }
  }
  await new Promise(resolve => {
    line.onopen = resolve
  })
  return {
    url: `${switchboard}/call/${name}`,
    vanish: () => line.send('vanish'),
    close: () =>
      new Promise(resolve => {
        line.onclose = () => resolve()
        line.close()
      }),
  }
}
