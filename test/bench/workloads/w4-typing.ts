/** W4t: two replicas type 10,000 characters each into one text while they are offline, and rejoin at once. */
import { connectText, type TextClient } from '../contenders/rejoin-text.ts'
import { rejoinContender } from '../contenders/rejoin-contender.ts'
import { figureOf, median } from '../figure.ts'
import { bytesSince, wireBytes } from '../measure/wire-bytes.ts'
import { sleep, turn, until } from '../measure/waiting.ts'
import type { Workload } from './workload.ts'

const before = 6000

export const typing: Workload = {
  name: 'W4t',
  about: '10,000 characters typed offline into one text by each of two replicas',
  async run(rounds, extent) {
    const characters = extent === 'full' ? 10_000 : 2000
    const times: number[] = []
    const bytes: number[] = []
    for (let round = 0; round < rounds; round++) {
      const reading = await measure(characters)
      times.push(reading.ms)
      bytes.push(reading.bytes)
    }
    return [
      figureOf({ workload: 'W4t', figure: 'until equal', unit: 'ms' }, { max: 500 }, median(times), null),
      figureOf({ workload: 'W4t', figure: 'bytes', unit: 'bytes' }, { max: 300_000 }, median(bytes), null),
    ]
  },
}

async function measure(characters: number): Promise<{ readonly ms: number; readonly bytes: number }> {
  const server = await rejoinContender.start()
  const url = `ws://127.0.0.1:${server.port}/v1/sync`
  const a = await connectText(url, 'w4t', true)
  a.insert(0, 'lorem ipsum '.repeat(before / 12))
  const b = await connectText(url, 'w4t', false)
  await until(() => b.length() === before, 'the second client has the text')
  await sleep(300)
  a.offline()
  b.offline()
  await type(a, characters, 'a', 0)
  await type(b, characters, 'b', 1000)
  await sleep(500)
  const bytesFrom = wireBytes()
  const start = performance.now()
  a.online()
  b.online()
  const all = before + 2 * characters
  await until(() => a.length() === all && b.length() === all && a.content() === b.content(), 'both are equal')
  const ms = performance.now() - start
  await sleep(300)
  const bytes = bytesSince(bytesFrom)
  await a.close()
  await b.close()
  await server.stop()
  return { ms, bytes }
}

async function type(client: TextClient, characters: number, letter: string, offset: number): Promise<void> {
  for (let i = 0; i < characters; i++) {
    client.insert((i * 7919 + offset) % (before + i), letter)
    if (i % 100 === 99) await turn()
  }
}
