/** W5: a replica that was never here before gets everything: 10,000 documents, and 100,000. */
import type { Contender } from '../contenders/contender.ts'
import { rejoinContender } from '../contenders/rejoin-contender.ts'
import { median, type Figure } from '../figure.ts'
import { rawContender } from '../limits/raw-contender.ts'
import { bytesSince, wireBytes } from '../measure/wire-bytes.ts'
import { sleep, until } from '../measure/waiting.ts'
import { entries, entryId } from '../records.ts'
import { measureAged } from './w5-aged.ts'
import { measureImported } from './w5-imported.ts'
import { compare, figuresOf, type Aim, type Readings, type Workload } from './workload.ts'

const aims: readonly Aim[] = [
  { figure: 'until all is here', unit: 'ms', target: { ratioMax: 1.5 } },
  { figure: 'bytes', unit: 'bytes', target: { max: 520_000 } },
  { figure: 'growth of the relay', unit: 'KiB', target: { max: 10_240 } },
]
const largeAims: readonly Aim[] = [
  { figure: 'until all is here', unit: 'ms', target: { ratioMax: 2 } },
  { figure: 'bytes', unit: 'bytes', target: { max: 5_200_000 } },
  { figure: 'growth of the relay', unit: 'KiB', target: { max: 20_480 } },
]

export const coldStart: Workload = {
  name: 'W5',
  about: 'a new replica of 10,000 documents, and of 100,000',
  async run(rounds, extent) {
    const contenders = { rejoin: rejoinContender, limit: rawContender }
    const small = await compare(contenders, 1, contender => measure(contender, 10_000, rounds))
    const figures: Figure[] = [...figuresOf('W5', aims, small), await measureAged(10_000)]
    if (extent === 'short') return figures
    const large = await compare(contenders, 1, contender => measure(contender, 100_000, rounds))
    figures.push(...figuresOf('W5 large', largeAims, large), await measureImported(100_000, rounds))
    return figures
  },
}

/** One server for all rounds; each has a client of its own. The first warms both ends' code and does not count. */
async function measure(contender: Contender, count: number, rounds: number): Promise<Readings> {
  const server = await contender.start()
  const writer = await contender.connect(server, 'w5')
  const all = entries(count)
  const step = contender.name === 'limit' ? count : 1000
  for (let i = 0; i < count; i += step) {
    writer.bulk(all.slice(i, i + step))
    await sleep(1)
  }
  const probe = await contender.connect(server, 'w5')
  await until(() => probe.count() === count, 'the server has all')
  await probe.close()
  await sleep(2500)
  const times: number[] = []
  const bytes: number[] = []
  const memoryBefore = await server.memoryKib()
  for (let round = 0; round <= rounds; round++) {
    globalThis.gc?.()
    const bytesFrom = wireBytes()
    const start = performance.now()
    const client = await contender.connect(server, 'w5')
    await until(() => client.count() === count && client.get(entryId(count - 1), 'n') === count - 1, 'all')
    if (round > 0) times.push(performance.now() - start)
    await sleep(200)
    if (round > 0) bytes.push(bytesSince(bytesFrom))
    await client.close()
    await sleep(300)
  }
  const growth = (await server.memoryKib()) - memoryBefore
  await writer.close()
  await server.stop()
  return {
    'until all is here': median(times),
    bytes: median(bytes),
    'growth of the relay': Math.max(0, growth),
  }
}
