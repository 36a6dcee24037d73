import { createServer, type AddressInfo } from 'node:net'
import { connectWebSocket } from '@rejoin/client'
import {
  createChance,
  createScope,
  createSimulatedClock,
  createSimulatedNetwork,
  linkContract,
  type ContractRunner,
  type LinkHarness,
} from '@rejoin/testkit'
import { expect, test } from 'vitest'
import { serveWebSockets } from './websocket-address.ts'

const runner: ContractRunner = { test, equal: (actual, expected) => expect(actual).toEqual(expected) }

linkContract('simulated', createSimulatedHarness(1, 30), runner)
linkContract('simulated without latency', createSimulatedHarness(0, 0), runner)
linkContract(
  'WebSocket in Node',
  {
    connect: connectWebSocket,
    serve: serveWebSockets,
    unreachable: [
      `ws://127.0.0.1:${await findClosedPort()}`,
      'ws://nobody.invalid',
      'not a URL',
      'ftp://127.0.0.1',
    ],
    settle: promise => promise,
  },
  runner,
)

function createSimulatedHarness(latencyMin: number, latencyMax: number): LinkHarness {
  const clock = createSimulatedClock()
  const network = createSimulatedNetwork(clock, createChance(1))
  network.latency(latencyMin, latencyMax)
  let served = 0
  return {
    connect: network.connectFrom('alice', createScope(clock)),
    serve(take) {
      const url = `ws://far-${++served}`
      const scope = createScope(clock)
      network.serve(url, {
        scope,
        attach(link) {
          const { frame, closed } = take(link)
          return { receive: frame, drained: () => {}, closed }
        },
      })
      return Promise.resolve({
        url,
        vanish: () => network.drop(url),
        close() {
          scope.kill()
          return Promise.resolve()
        },
      })
    },
    unreachable: ['ws://nobody', 'not a URL'],
    async settle(promise) {
      let settled = false
      const note = (): void => void (settled = true)
      promise.then(note, note)
      await clock.advance(0)
      while (!settled) if (!(await clock.step())) throw new Error('nothing happens any more')
      // Whatever is on its way arrives, so that what should not come would be seen.
      await clock.advance(10 * latencyMax)
      return promise
    },
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
